"""Charge detail records: looked at, and the held ones decided."""

from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.admin.answers import LIST, answer, page_answer, time_or_none
from app.admin.billing.costs import difference_body, explanation_body, text_answer, wants_text
from app.admin.billing.pricing import Shape
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Form, Moment, Paging, Plain, Words
from app.domain.cdrs import CdrState
from app.domain.parties import Party
from app.services import cdrs as records
from app.services.cdrs import Correction
from app.services.explanations import explanation_of, letter
from app.store import cdrs
from app.store.cdrs import StoredCdr
from ocpi.mapping.amounts import price
from ocpi.mapping.cdrs import record_body

router = APIRouter(prefix="/cdrs", tags=["cdrs"], dependencies=[Plain])


class Release(Form):
    """What is set right before a held record goes out, and why."""

    kwh: Annotated[float, Field(description="the energy in kWh, where the metered one is wrong")] | None = (
        None
    )
    tariff: Annotated[str, Field(description="id of the tariff to price it by")] | None = None
    reason: Words | None = None


class Correct(Form):
    """What was wrong in an issued record, and why."""

    kwh: Annotated[float, Field(description="the energy in kWh, where the billed one is wrong")] | None = None
    tariff: Annotated[str, Field(description="id of the tariff to price it by")] | None = None
    reason: Words


class Discard(Form):
    """Why nobody shall be billed."""

    reason: Words


@router.get("", summary="CDRs, newest first", responses=LIST)
async def list_cdrs(
    *,
    context: Context,
    page: Paging,
    state: CdrState | None = None,
    partner: Annotated[str | None, Query(description="id of a partner, or a party such as DE-EMP")] = None,
    session: Annotated[str | None, Query(description="id of a session")] = None,
    date_from: Annotated[Moment | None, Query(alias="from", description="made at or after")] = None,
    date_to: Annotated[Moment | None, Query(alias="to", description="made before")] = None,
) -> Response:
    """Held ones have a `reason`."""
    async with context.store.reading() as reading:
        found, total = await cdrs.find(
            reading,
            state=state,
            owners=None if partner is None else parties_of(context, partner),
            session_id=session,
            date_from=date_from,
            date_to=date_to,
            limit=page.limit,
            offset=page.offset,
        )
    return page_answer([cdr_body(each) for each in found], total)


@router.get("/{cdr_id}", summary="One CDR")
async def get_cdr(cdr_id: str, context: Context) -> Response:
    """In OCPI's form, with its state."""
    return answer(cdr_body(await records.get(context.store, cdr_id)))


@router.get("/{cdr_id}/explain", summary="Why a CDR costs what it costs")
async def explain_cdr(request: Request, cdr_id: str, context: Context, shape: Shape = None) -> Response:
    """Every line with its reasons; `?format=text` (or Accept: text/plain) is a letter to the driver."""
    record = (await records.get(context.store, cdr_id)).record
    if wants_text(request, shape):
        return text_answer(letter(record))
    explanation, more = explanation_of(record)
    body = {"cdr_id": record.id, "credit": bool(record.credit)} | explanation_body(explanation)
    return answer(body | {"asked_beyond": None if more is None else price(more)})


@router.post("/{cdr_id}/release", summary="Issue a held CDR, corrected if need be")
async def release_cdr(
    request: Request, cdr_id: str, context: Context, body: Release | None = None
) -> Response:
    """Another energy or tariff prices it anew. 409: not held, or there is still no price for it."""
    given = body or Release()
    correction = Correction(kwh=_kwh(request), tariff_id=given.tariff)
    released = await records.release(context.store, context.clock, cdr_id, correction, given.reason)
    return answer(cdr_body(released))


@router.post("/{cdr_id}/discard", summary="Throw a held CDR away, with a reason")
async def discard_cdr(cdr_id: str, body: Discard, context: Context) -> Response:
    """It stays to be looked at; nobody is billed."""
    return answer(cdr_body(await records.discard(context.store, context.clock, cdr_id, body.reason)))


@router.post("/{cdr_id}/credit", status_code=201, summary="Take an issued CDR back by a credit CDR")
async def credit_cdr(cdr_id: str, context: Context) -> Response:
    """The same record with its total cost negated goes to the same partner."""
    return answer(cdr_body(await records.credit(context.store, context.clock, cdr_id)), 201)


@router.post("/{cdr_id}/correct", status_code=201, summary="Credit an issued CDR and issue a right one")
async def correct_cdr(request: Request, cdr_id: str, body: Correct, context: Context) -> Response:
    """Both go to the partner; `difference` says what changed, sum by sum and line by line."""
    correction = Correction(kwh=_kwh(request), tariff_id=body.tariff)
    credit, corrected, changes = await records.correct(
        context.store, context.clock, cdr_id, correction, body.reason
    )
    found = {"credit": cdr_body(credit), "corrected": cdr_body(corrected)}
    return answer(found | {"difference": difference_body(changes)}, 201)


def cdr_body(stored: StoredCdr) -> dict[str, Any]:
    """A CDR in OCPI's form as far as it has one, and what the house decided about it."""
    return record_body(stored.record) | {
        "state": str(stored.state),
        "reason": stored.reason,
        "note": stored.note,
        "transaction": stored.ref,
        "created_at": time_or_none(stored.created_at),
        "decided_at": time_or_none(stored.decided_at),
    }


def _kwh(request: Request) -> Decimal | None:
    """The energy with the digits it was given with."""
    given = (request.state.document or {}).get("kwh")
    if given is not None and (isinstance(given, bool) or not isinstance(given, int | Decimal)):
        raise invalid("kwh", "must be a number")
    return None if given is None else Decimal(given)


def parties_of(context: AdminContext, partner: str) -> list[Party]:
    """The parties of a partner; a party of its own is one."""
    found = context.desk.registry.find(partner)
    if found is not None:
        return [each.party for each in found.parties]
    country, _, party = partner.partition("-")
    return [Party(country, party)] if country and party else []
