"""The network in figures: what is going on now, and what was charged in a period."""

import csv
import io
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from sqlalchemy.ext.asyncio import AsyncSession

from app.admin.answers import answer, exact_number, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Moment, Plain
from app.domain.charging.load import power_now
from app.outbox import inspect
from app.store import transactions
from app.store.views import availability_days, overview, station_search
from app.store.views.availability import Share
from app.store.views.statistics import By, Usage, connectors_by, usage

router = APIRouter(prefix="/statistics", tags=["statistics"], dependencies=[Plain])


LONGEST = timedelta(days=366)

FIELDS = ("key", "sessions", "energy_kwh", "hours", "utilisation", "availability", "empty")

_AVAILABILITY: dict[By, Callable[..., Awaitable[Mapping[str | None, Share]]]] = {
    By.STATION: availability_days.by_station,
    By.LOCATION: availability_days.by_location,
    By.DAY: availability_days.by_day,
}

Sort = Literal["energy_kwh", "sessions", "hours", "empty", "availability", "key"]


@router.get("", summary="What was charged in a period, by station, location, partner or day")
async def statistics(
    *,
    context: Context,
    by: By = By.STATION,
    begin: Annotated[Moment | None, Query(alias="from", description="by default 14 days before `to`")] = None,
    end: Annotated[Moment | None, Query(alias="to", description="by default now")] = None,
    days: Annotated[
        int | None,
        Query(ge=1, le=LONGEST.days - 1, description="instead of `from`: whole days of UTC before today"),
    ] = None,
    sort: Annotated[
        Sort | None,
        Query(description="most first; `empty` and `availability` show what fails most, `key` goes by name"),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=10_000)] = 1000,
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
) -> Response:
    """Transactions that ended in the period. `utilisation` is the share of the period in which its connectors were
    in use, where these are known; `availability` the share of the known time in which its EVSEs could serve: online,
    and neither faulted nor out of service. `empty` counts transactions without any energy. Days are those of UTC.
    """
    now = context.clock.now()
    until = end or now
    since = begin or (until - timedelta(days=14) if days is None else _midnight(until) - timedelta(days=days))
    if not timedelta(0) < until - since <= LONGEST:
        raise invalid("from", f"must be before `to`, by {LONGEST.days} days at most")
    async with context.store.reading() as session:
        found = await usage(session, by, since, until)
        connectors = await connectors_by(session, by)
        shares = await _shares(session, by, since, min(until, now))
    known = {each.key for each in found}
    idle = [Usage(key, 0, 0.0, 0.0, 0) for key in sorted(shares.keys() - known, key=str)]
    rows = [_row(each, connectors, shares, until - since) for each in [*found, *idle]]
    _put_in_order(rows, "key" if by is By.DAY and sort is None else sort)
    if form == "csv":
        return _as_csv(rows[:limit])
    period = {"from": time_or_none(since), "to": time_or_none(until)}
    total = _total(found) | {"availability": _together(shares.values())}
    return answer({**period, "by": by.value, "rows": rows[:limit], "total": total})


@router.get("/now", summary="What is going on now")
async def now(context: Context) -> Response:
    """Stations, connectors, transactions under way, power (kW), faults, and how far partners lag behind."""
    async with context.store.reading() as session:
        body = await _counts(session)
    return answer(body | {"power_kw": exact_number(_power(context))})


@router.get("/fleet", summary="What makes, firmware and versions of OCPP the stations are")
async def fleet(context: Context) -> Response:
    """How many stations of each, most frequent first; `ocpp_url` is what a new station is told to connect to."""
    async with context.store.reading() as session:
        found = await station_search.makes(session)
    return answer({"ocpp_url": f"{context.ocpp_url}/ocpp", "makes": [each._asdict() for each in found]})


def _midnight(at: datetime) -> datetime:
    return at.replace(hour=0, minute=0, second=0, microsecond=0)


async def _shares(
    session: AsyncSession, by: By, since: datetime, until: datetime
) -> Mapping[str | None, Share]:
    """For how long EVSEs could serve, by the same keys as usage; partners have none."""
    reader = _AVAILABILITY.get(by)
    return {} if reader is None or since >= until else await reader(session, since, until)


def _together(shares: Iterable[Share]) -> Decimal | None:
    all_of = list(shares)
    return _share(Share(sum(each.known for each in all_of), sum(each.served for each in all_of)))


def _share(share: Share | None) -> Decimal | None:
    ratio = None if share is None else share.ratio
    return None if ratio is None else _rounded(ratio)


def _put_in_order(rows: list[dict[str, Any]], sort: Sort | None) -> None:
    if sort == "key":
        rows.sort(key=lambda row: row["key"] or "")
    elif sort == "availability":
        rows.sort(key=lambda row: 2 if row["availability"] is None else row["availability"])
    elif sort is not None:
        rows.sort(key=lambda row: row[sort], reverse=True)


def _row(
    found: Usage,
    connectors: Mapping[str | None, int],
    shares: Mapping[str | None, Share],
    period: timedelta,
) -> dict[str, Any]:
    most = connectors.get(found.key, 0) * period.total_seconds()
    return {
        "key": found.key,
        "sessions": found.sessions,
        "energy_kwh": _rounded(found.energy_wh / 1000),
        "hours": _rounded(found.seconds / 3600),
        "utilisation": _rounded(found.seconds / most) if most else None,
        "availability": _share(shares.get(found.key)),
        "empty": found.empty,
    }


def _total(found: list[Usage]) -> dict[str, Any]:
    return {
        "sessions": sum(each.sessions for each in found),
        "energy_kwh": _rounded(sum(each.energy_wh for each in found) / 1000),
        "hours": _rounded(sum(each.seconds for each in found) / 3600),
        "empty": sum(each.empty for each in found),
    }


def _rounded(value: float) -> Decimal:
    """Figures for people: sums of many, to four places; nothing is billed by them."""
    return round(Decimal(value), 4)


def _as_csv(rows: list[dict[str, Any]]) -> Response:
    text = io.StringIO()
    writer = csv.DictWriter(text, FIELDS)
    writer.writeheader()
    writer.writerows({**row, "key": _harmless(row["key"])} for row in rows)
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8")


def _harmless(key: str | None) -> str:
    """A name that no spreadsheet takes for a formula."""
    text = key or ""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@") else text


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
