"""Partners: invited, registered, renewed, paused, and how far behind each one is."""

from collections.abc import Sequence
from typing import Annotated, Any, NamedTuple

import msgspec
from fastapi import APIRouter, Response
from pydantic import StringConstraints

from app.admin.answers import LIST, answer, page_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Document, Form, Paging, Plain, object_body
from app.outbox import inspect, lanes
from app.outbox.inspect import Backlog
from app.outbox.lanes import Lane
from app.store import messages
from app.store.messages import Tally
from ocpi.client import Peer
from ocpi.headers import is_token
from ocpi.partners import handshake, invitations, probe
from ocpi.partners.arrival import MESSAGES, arrival
from ocpi.partners.desk import PLATFORM
from ocpi.partners.partner import Partner, PartnerSettings
from ocpi.push import prices

router = APIRouter(prefix="/partners", tags=["partners"], dependencies=[Plain])

LOOKED_AT = 100
"""By so many of a partner's newest requests it is told how often they fail."""


class _Known(NamedTuple):
    """What is known of partners besides themselves, by their ids."""

    backlogs: dict[str, Backlog]
    lanes: dict[str, Lane]
    traffic: dict[str, Tally]


class Invitation(Form):
    """A partner we expect."""

    name: str
    platform: str = PLATFORM


VersionsUrl = Annotated[
    str, StringConstraints(pattern=r"^https?://[^\s/@?#][^\s@]*$", min_length=1, max_length=255)
]


class Registration(Form):
    """What a partner gave us to begin with."""

    versions_url: VersionsUrl
    token_a: str


class Probing(Form):
    """Where to look, with the token A that a partner gave us if there is one."""

    versions_url: VersionsUrl
    token_a: str | None = None
    raw_token: bool = False
    allow_private_url: bool = False


@router.get("", summary="Partners with their state and how far behind they are", responses=LIST)
async def list_partners(context: Context, page: Paging) -> Response:
    """Oldest first; never a token."""
    partners = sorted(context.desk.registry.all(), key=lambda each: (each.created_at, each.id))
    found = partners[page.offset : page.offset + page.limit]
    known = await _known(context, found)
    return page_answer([partner_body(each, context, known) for each in found], len(partners))


@router.post("", status_code=201, summary="Invite a partner; its token A is shown only here")
async def invite(body: Invitation, context: Context) -> Response:
    """The partner registers by POST to our credentials endpoint with this token."""
    partner, token = await invitations.invite(context.desk, body.name, body.platform)
    return answer(_invited(context, partner, token), 201)


@router.post("/probe", summary="Look for what would fail in a handshake; nothing is changed")
async def look_at(body: Probing, context: Context) -> Response:
    """Each step with `ok` true, false or null (not reached), what was found, and what to do about it."""
    if body.token_a is not None and not is_token(body.token_a):
        raise invalid("token_a", "1 to 64 printable ASCII characters without spaces")
    peer = Peer(
        token=body.token_a or "",
        name="probe",
        raw_token=body.raw_token,
        allow_private=context.desk.allow_private or body.allow_private_url,
    )
    checks = await probe.probe(context.desk.client, body.versions_url, peer, context.clock.now)
    usable = all(each.ok is not False for each in checks)
    return answer({"ok": usable, "checks": checks})


@router.get("/{partner_id}", summary="One partner")
async def get_partner(partner_id: str, context: Context) -> Response:
    """State, version, roles, endpoints, last contact, delivery lag."""
    return await _shown(context, context.desk.partner(partner_id))


@router.patch(
    "/{partner_id}",
    summary="Change settings of a partner",
    openapi_extra=object_body(
        "authorize_unknown, broadcast, empty_ack, raw_token, allow_private_url, page_limit, pace, and clearing: pass, warn or "
        "refuse for duplicate, overlap, price, unpriced and late, and late_days; rate, at_once and largest_body: requests per second, "
        "requests under way and bytes of a body that it may ask of us, null as for everybody; both_platforms: its parties "
        "may be registered on our other platform too",
        {"empty_ack": True, "pace": 10, "clearing": {"price": "refuse"}},
    ),
)
async def change_settings(partner_id: str, changes: Document, context: Context) -> Response:
    """Settings that are not named stay as they are."""
    _check_settings(changes)
    partner = await invitations.set_settings(context.desk, partner_id, changes)
    return await _shown(context, partner)


@router.put(
    "/{partner_id}/tariffs",
    summary="Give a partner prices of its own",
    openapi_extra=object_body(
        "`map`: for each tariff of ours the special one that this partner gets in its place; {} takes all back",
        {"map": {"STANDARD": "STANDARD-EMP"}},
    ),
)
async def set_prices(partner_id: str, document: Document, context: Context) -> Response:
    """Its lists and pushes name the special tariffs, and its drivers' sessions are priced by them from now on."""
    partner = await prices.set_prices(context.desk, partner_id, _price_map(document))
    context.wake()
    return await _shown(context, partner)


@router.delete("/{partner_id}", summary="Unregister a partner, or take an invitation back")
async def unregister(partner_id: str, context: Context) -> Response:
    """The partner is told by DELETE; `trouble` says what went wrong there, our side ends in any case."""
    trouble = await handshake.unregister(context.desk, partner_id)
    left = context.desk.registry.find(partner_id)
    body: dict[str, Any] = {"id": partner_id, "state": str(left.state) if left else "removed"}
    return answer(body | ({"trouble": trouble} if trouble else {}))


@router.get("/{partner_id}/handshake", summary="How far a partner that we invited has come, step by step")
async def get_handshake(partner_id: str, context: Context) -> Response:
    """Each step with `ok` true, false or null (not reached), what was seen, when, and what to do about it."""
    partner = context.desk.partner(partner_id)
    async with context.store.reading() as session:
        found, _ = await messages.find(session, partner_id=partner_id, limit=MESSAGES)
    steps = [
        {"step": each.step, "ok": each.ok, "found": each.found, "advice": each.advice, "at": time_or_none(each.at)}
        for each in arrival(partner, found)
    ]  # fmt: skip
    return answer({"state": str(partner.state), "steps": steps})


@router.post("/{partner_id}/register", summary="We start the handshake, with the partner's URL and token A")
async def register(partner_id: str, body: Registration, context: Context) -> Response:
    """502 names the step that failed; then nothing has changed."""
    if not is_token(body.token_a):
        raise invalid("token_a", "1 to 64 printable ASCII characters without spaces")
    partner = await handshake.register(context.desk, partner_id, body.versions_url, body.token_a)
    return await _shown(context, partner)


@router.post("/{partner_id}/rotate", summary="New credentials in both directions, by PUT")
async def rotate(partner_id: str, context: Context) -> Response:
    """502 names the step that failed; then the old credentials work on."""
    return await _shown(context, await handshake.renew(context.desk, partner_id))


@router.post("/{partner_id}/reinvite", summary="A new token A for a partner that lost its credentials")
async def reinvite(partner_id: str, context: Context) -> Response:
    """What we know of it stays; its old tokens end."""
    token = await invitations.reinvite(context.desk, partner_id)
    return answer(_invited(context, context.desk.partner(partner_id), token))


@router.post("/{partner_id}/pause", summary="Send nothing for now")
async def pause(partner_id: str, context: Context) -> Response:
    """What the partner must be told is remembered."""
    return await _shown(context, await invitations.pause(context.desk, partner_id))


@router.post("/{partner_id}/resume", summary="Go on sending")
async def resume(partner_id: str, context: Context) -> Response:
    """What was remembered travels now."""
    partner = await invitations.resume(context.desk, partner_id)
    context.wake()
    return await _shown(context, partner)


def partner_body(partner: Partner, context: AdminContext, known: _Known) -> dict[str, Any]:
    """A partner for the operator's eyes; no token in any form. `traffic` counts its newest requests, both ways."""
    settings = partner.settings
    traffic = known.traffic.get(partner.id, Tally(0, 0))
    return {
        "id": partner.id,
        "platform": partner.platform,
        "name": partner.name,
        "state": str(partner.state),
        "version": partner.version,
        "versions_url": partner.versions_url,
        "roles": [
            {
                "role": str(each.role),
                "country_code": each.country_code,
                "party_id": each.party_id,
                "business_details": each.business_details,
            }
            | ({"learned": True} if each.learned else {})
            for each in partner.parties
        ],
        "endpoints": [
            {"identifier": each.module, "role": str(each.role), "url": each.url} for each in partner.endpoints
        ],
        "tariffs": partner.prices,
        "settings": {name: getattr(settings, name) for name in settings.__struct_fields__}
        | {"authorize_unknown": partner.asked_of_unknown},
        "delivery": _delivery(partner.id, context, known),
        "traffic": traffic._asdict(),
        "last_contact": time_or_none(partner.last_contact),
        "created_at": time_or_none(partner.created_at),
        "last_updated": time_or_none(partner.last_updated),
    }


def _check_settings(changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        if name not in PartnerSettings.__struct_fields__:
            raise invalid(name, "there is no such setting")
        try:
            msgspec.convert({name: value}, PartnerSettings)
        except msgspec.ValidationError as error:
            raise invalid(name, str(error).partition(" - at ")[0]) from None


def _price_map(document: dict[str, Any]) -> dict[str, str]:
    given = document.get("map")
    if not isinstance(given, dict) or not all(isinstance(each, str) for each in given.values()):
        raise invalid("map", "must be an object of tariff ids")
    if unknown := next((name for name in document if name != "map"), None):
        raise invalid(unknown, "there is no such field")
    return given


def _invited(context: AdminContext, partner: Partner, token: str) -> dict[str, Any]:
    return {
        "id": partner.id,
        "name": partner.name,
        "platform": partner.platform,
        "state": str(partner.state),
        "token_a": token,
        "versions_url": context.desk.versions_url(partner.platform),
    }


def _delivery(partner_id: str, context: AdminContext, known: _Known) -> dict[str, Any]:
    backlog = known.backlogs.get(partner_id, Backlog(0, None))
    lane = known.lanes.get(partner_id, Lane(partner_id=partner_id))
    since = backlog.oldest
    lag = 0.0 if since is None else max(0.0, (context.clock.now() - since).total_seconds())
    return {
        "depth": backlog.depth,
        "oldest": time_or_none(since),
        "lag_seconds": round(lag, 3),
        "failures": lane.failures,
        "retry_at": time_or_none(lane.retry_at) if lane.failures else None,
        "stopped": lane.paused,
        "last_error": lane.last_error,
    }


async def _known(context: AdminContext, partners: Sequence[Partner]) -> _Known:
    async with context.store.reading() as session:
        return _Known(
            backlogs=await inspect.backlogs(session),
            lanes=await lanes.read(session),
            traffic=await messages.tallies(session, [each.id for each in partners], LOOKED_AT),
        )


async def _shown(context: AdminContext, partner: Partner) -> Response:
    return answer(partner_body(partner, context, await _known(context, [partner])))
