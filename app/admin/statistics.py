"""The network in figures: what is going on now."""

from typing import Any

from fastapi import APIRouter, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.answers import answer, exact_number, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.requests import Plain
from app.domain.load import power_now
from app.outbox import inspect
from app.store import overview, transactions

router = APIRouter(prefix="/statistics", tags=["statistics"], dependencies=[Plain])


@router.get("/now", summary="What is going on now")
async def now(context: Context) -> Response:
    """Stations, connectors, transactions under way, power (kW), faults, and how far partners lag behind."""
    async with context.store.reading() as session:
        body = await _counts(session)
    return answer(body | {"power_kw": exact_number(_power(context))})


def _power(context: AdminContext) -> Any:
    running = [each for _, state in context.intake.held() for each in state.running.values()]
    return power_now((each.register for each in running), context.clock.now())


async def _counts(session: AsyncSession) -> dict[str, Any]:
    stations = await overview.count_stations(session)
    backlogs = await inspect.backlogs(session)
    oldest = min((each.oldest for each in backlogs.values() if each.oldest is not None), default=None)
    return {
        "stations": stations._asdict(),
        "connectors": await overview.count_connectors(session),
        "transactions": await transactions.count_active(session),
        "faults": await overview.count_faults(session),
        "held_cdrs": await overview.count_held(session),
        "deliveries": {
            "waiting": sum(each.depth for each in backlogs.values()),
            "oldest_at": time_or_none(oldest),
            "dead": await inspect.count_dead(session),
        },
    }
