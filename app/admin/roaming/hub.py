"""The hub: who is behind it, and who may reach whom."""

from typing import Any

from fastapi import APIRouter, Response
from pydantic import Field

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Form, Paging, Plain
from app.domain.parties import Party
from app.store.hub.objects import HubAgreementRow, HubClientRow
from ocpi.headers import read_party
from ocpi.hub import our_tokens
from ocpi.hub.clients import OURS
from ocpi.push import newly_behind

router = APIRouter(prefix="/hub", tags=["hub"], dependencies=[Plain])


class Agreement(Form):
    """In which modules two parties may reach each other; none named: in all."""

    modules: list[str] = Field(default_factory=list)


@router.get("/agreements", summary="Which parties may reach each other", responses=LIST)
async def list_agreements(context: Context, page: Paging) -> Response:
    """In order of their parties. With VOLTBRIDGE_HUB_AGREEMENTS=open nobody needs one."""
    found = await context.hub.agreements.all()
    wanted = found[page.offset : page.offset + page.limit]
    return page_answer([_body(each) for each in wanted], len(found))


@router.put("/agreements/{one}/{other}", summary="Let two parties reach each other")
async def put_agreement(one: str, other: str, body: Agreement, context: Context) -> Response:
    """Parties are written `NL-ABC`; the order does not matter. What was told to everybody is told to the two now."""
    parties = party_named("one", one), party_named("other", other)
    row, created = await context.hub.agreements.put(*parties, body.modules)
    if context.ours.folded() in parties:
        await our_tokens.take_all(context.hub, parties)
    for partner in newly_behind.platforms_of(context.desk, *parties):
        await newly_behind.tell(context.desk, context.reach, partner, anew=False)
    context.wake()
    return put_answer(_body(row), created=created)


@router.delete("/agreements/{one}/{other}", status_code=204, summary="End an agreement")
async def end_agreement(one: str, other: str, context: Context) -> Response:
    """Nothing passes between the two from now on; what they know of each other they keep."""
    await context.hub.agreements.end(party_named("one", one), party_named("other", other))
    return nothing()


@router.get("/parties", summary="Who is behind the hub", responses=LIST)
async def list_parties(context: Context, page: Paging) -> Response:
    """Our own CPO first, then the others by name, those who have left included; `partner` null is ours.

    `status` is what OCPI's HubClientInfo tells those who have an agreement with a party.
    """
    found = [_client(row, context) for row in await context.hub.clients.all()]
    found.sort(key=lambda each: (each["partner"] is not None, each["party"], each["role"]))
    return page_answer(found[page.offset : page.offset + page.limit], len(found))


@router.get("/agreements/{one}/{other}", summary="One agreement")
async def get_agreement(one: str, other: str, context: Context) -> Response:
    """404 where there is none."""
    return answer(
        _body(await context.hub.agreements.get(party_named("one", one), party_named("other", other)))
    )


def _client(row: HubClientRow, context: AdminContext) -> dict[str, Any]:
    partner = context.desk.registry.find(row.partner_id)
    return {
        "party": f"{row.country_code}-{row.party_id}",
        "role": row.role,
        "partner": row.partner_id or None,
        "state": "registered" if row.partner_id == OURS else str(partner.state) if partner else "removed",
        "status": row.status,
        "last_updated": time_or_none(row.last_updated),
    }


def _body(row: HubAgreementRow) -> dict[str, Any]:
    return {
        "parties": [row.one, row.other],
        "modules": row.modules,
        "created_at": time_or_none(row.created_at),
        "last_updated": time_or_none(row.last_updated),
    }


def party_named(field: str, text: str) -> Party:
    """A party as operators write it. Raises Invalid, naming the field."""
    party = read_party(text)
    if party is None:
        raise invalid(field, "a party is written as country code and party id, such as NL-ABC")
    return Party(*party.key)
