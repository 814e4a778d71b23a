"""Records of others that passed the hub, and what the clearing checks found in them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, answer, exact_number, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Form, Paging, Plain, Words
from app.admin.roaming.hub import party_named
from app.store.hub import clearing
from app.store.hub.clearing import HubCdrRow

router = APIRouter(prefix="/hub", tags=["hub"], dependencies=[Plain])

Verdict = Literal["pass", "warn", "refuse"]
State = Literal["passing", "delivered", "refused", "declined", "failed"]


@router.get("/cdrs", summary="CDRs that passed the hub, with what was found in them", responses=LIST)
async def list_cleared(
    context: Context,
    page: Paging,
    party: Annotated[str | None, Query(description="a CPO or an eMSP, such as NL-ABC")] = None,
    verdict: Annotated[Verdict | None, Query(description="the strictest rule of what was found")] = None,
    state: Annotated[State | None, Query(description="what became of it")] = None,
) -> Response:
    """Newest first. The same bytes once more are counted in `times`; other bytes are another entry."""
    named = None if party is None else str(party_named("party", party))
    async with context.store.reading() as session:
        rows, total = await clearing.find(
            session, party=named, verdict=verdict, state=state, limit=page.limit, offset=page.offset
        )
    return page_answer([_body(row) for row in rows], total)


class Allowing(Form):
    """Why a record may pass."""

    reason: Words


@router.post("/cdrs/{record_id}/allow", summary="Let a refused CDR pass when its CPO posts it again")
async def allow_record(record_id: str, body: Allowing, context: Context) -> Response:
    """The hub has kept none of it but what is shown here: its CPO has it, was told that it was refused, and posts the
    same bytes again; other bytes are checked as ever. 409: it was not refused.
    """
    async with context.store.unit_of_work(context.clock) as unit:
        found = _body(await clearing.allow(unit.session, record_id, body.reason))
    return answer(found)


def _body(row: HubCdrRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "cdr": row.cdr_id,
        "from": row.owner,
        "to": row.receiver,
        "verdict": row.verdict,
        "price": row.price,
        "findings": [
            {"check": str(each.topic), "rule": str(each.rule), "words": each.words} for each in row.findings
        ],
        "state": row.state,
        "answer": row.answer,
        "allowed": row.allowed,
        "times": row.times,
        "session": row.session_key,
        "credit": row.credit,
        "credits": row.credits_key,
        "start_date_time": time_or_none(row.started_at),
        "end_date_time": time_or_none(row.ended_at),
        "kwh": exact_number(row.kwh),
        "currency": row.currency,
        "excl_vat": exact_number(row.excl_vat),
        "incl_vat": exact_number(row.incl_vat),
        "sha256": row.digest,
        "correlation_id": row.correlation_id,
        "received_at": time_or_none(row.received_at),
        "delivered_at": time_or_none(row.delivered_at),
    }
