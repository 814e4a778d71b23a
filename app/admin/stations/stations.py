"""Charging stations: set up, let in, and what they say of themselves."""

import asyncio
from typing import Annotated, Any, Literal, Self

import msgspec
from fastapi import APIRouter, Depends, Query, Response
from pydantic import Field, model_validator

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Form, Paging, Plain
from app.admin.stations.bodies import STATUS_FIELDS, station_body, url_of
from app.domain.errors import Conflict
from app.domain.stations import Admission, ConnectorLink, SetUp, Silent
from app.domain.status import ConnectorStatus
from app.domain.upkeep.uid_order import UidOrder
from app.services import references
from app.store import station_settings, stations, transactions
from app.store.stations import StoredStation
from app.store.views import availability_days
from app.store.views.station_search import SORTS, StationQuery

router = APIRouter(prefix="/stations", tags=["stations"], dependencies=[Plain])

Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Id = Annotated[str, Field(min_length=1, max_length=36)]

_OUR_WORD = (
    "id", "state", "online", "url", "url_without_id", "has_password", "ocpp_version", "boot", "booted_at", "whole",
    "commissioning", "connection_timeout", "triggers", "uid_hint", "refused",
    "firmware_status", "diagnostics_status", "tolerated", "connected_at", "disconnected_at", "last_seen",
    "adopt_until", "created_at", "last_updated",
)  # fmt: skip


class Link(Form):
    """Which of our connectors a station's connector is (OCPP 1.6: connector n is `evse` n, `connector` 1)."""

    evse: Number
    connector: Number = 1
    evse_uid: Id
    connector_id: Id


class Station(Form):
    """A station as the operator wants it; everything may be left out. What our answers add is passed over.

    `uid_order`: how its reader tells the bytes of a card's uid.
    """

    location_id: Id | None = None
    connectors: list[Link] = Field(default_factory=list, max_length=200)
    security_profile: Annotated[int, Field(ge=0, le=3)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    uid_order: Literal["as_read", "reversed"] = "as_read"

    @model_validator(mode="before")
    @classmethod
    def _without_our_word(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        wanted = {name: given for name, given in value.items() if name not in _OUR_WORD}
        if isinstance(links := wanted.get("connectors"), list):
            wanted["connectors"] = [_plain_link(link) for link in links if not _unlinked(link)]
        return wanted

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.security_profile == 0 and self.password is not None:
            raise ValueError("security profile 0 has no password")
        return self

    def set_up(self) -> SetUp:
        """The same in the house's words."""
        return SetUp(
            location_id=self.location_id,
            connectors=tuple(ConnectorLink(**link.model_dump()) for link in self.connectors),
            security_profile=self.security_profile,
            uid_order=UidOrder(self.uid_order),
        )


class Acceptance(Form):
    """How a station is taken in; with `adopt_minutes` it may come once without a password and is given one."""

    adopt_minutes: int | None = None


class RemoteStart(Form):
    """Who shall charge where: the station's connector, and the uid of the token."""

    connector: Number
    token: Annotated[str, Field(min_length=1, max_length=36)]


def _wanted(
    *,
    state: Admission | None = None,
    location: Annotated[str | None, Query(description="id of a location")] = None,
    online: bool | None = None,
    status: Annotated[ConnectorStatus | None, Query(description="that a connector of it has")] = None,
    model: str | None = None,
    firmware: str | None = None,
    version: Annotated[str | None, Query(description="of OCPP, such as 1.6")] = None,
    search: Annotated[
        str | None, Query(max_length=100, description="part of an id, model, serial number")
    ] = None,
    sort: Annotated[
        str, Query(description=f"{', '.join(SORTS)}; with - before it the other way round")
    ] = "id",
) -> StationQuery:
    """What is looked for."""
    if sort.removeprefix("-") not in SORTS:
        raise invalid("sort", f"must be one of {', '.join(SORTS)}, with - before it for the other way round")
    return StationQuery(state, location, online, status, model, firmware, version, search, sort)


@router.get("", summary="Charging stations by id, those that wait to be let in included", responses=LIST)
async def list_stations(
    context: Context,
    page: Paging,
    wanted: Annotated[StationQuery, Depends(_wanted)],
) -> Response:
    """With their connectors' last reports, and how those came last that were refused."""
    found, total = await context.stations.search(wanted, limit=page.limit, offset=page.offset)
    names = [each.station.id for each in found]
    reports, knocks = await context.stations.connectors(names), await context.inbox.shown(names)
    return page_answer(
        [
            station_body(each, reports.get(each.station.id, []), context, knocks.get(each.station.id))
            for each in found
        ],
        total,
    )


@router.get("/{station_id}", summary="One charging station")
async def get_station(station_id: str, context: Context) -> Response:
    """How it is set up, whether it is connected, what it said of itself."""
    return answer(await _shown(context, await context.stations.get(station_id)))


@router.put(
    "/{station_id}",
    summary="Create (201) or replace (200) a station, and let it in",
    responses={201: {"description": "Created"}},
)
async def put_station(station_id: str, context: Context, body: Station | None = None) -> Response:
    """A station without a location works; its sessions are kept, priced by no tariff, and not published."""
    wanted = body or Station()
    async with context.store.unit_of_work(context.clock) as unit:
        set_up = await references.check_set_up(unit, station_id, wanted.set_up())
    stored, created = await context.stations.put(station_id, set_up, wanted.password)
    if set_up.location_id is not None:
        async with context.store.unit_of_work(context.clock) as unit:
            await references.complete_capabilities(unit, set_up.location_id)
    return put_answer(await _shown(context, stored), created=created)


@router.patch("/{station_id}", summary="Change some of what is set up of a station")
async def change_station(station_id: str, body: Station, context: Context) -> Response:
    """What is not named stays; a station that waits to be let in goes on waiting."""
    stored = await context.stations.get(station_id)
    station, named = stored.station, body.model_fields_set
    wanted = body.set_up()
    kept = {
        name: getattr(station, name)
        for name in SetUp.__struct_fields__
        if name != "state" and name not in named
    }
    if station.security_profile == 0 and body.password is not None and "security_profile" in kept:
        raise invalid("password", "security profile 0 has no password")
    async with context.store.unit_of_work(context.clock) as unit:
        set_up = await references.check_set_up(unit, station_id, msgspec.structs.replace(wanted, **kept))
    changed = await context.stations.change(station_id, set_up, body.password)
    if set_up.location_id is not None:
        async with context.store.unit_of_work(context.clock) as unit:
            await references.complete_capabilities(unit, set_up.location_id)
    return answer(await _shown(context, changed))


@router.delete("/{station_id}", status_code=204, summary="Forget a station and close its socket")
async def delete_station(station_id: str, context: Context) -> Response:
    """409 while a transaction is under way: close it first. What it charged stays."""
    await context.stations.get(station_id)
    async with context.store.reading() as session:
        _, open_ones = await transactions.find(session, station_id=station_id, active=True, limit=1)
    if open_ones:
        raise Conflict(f"station {station_id} has {open_ones} transactions under way: close them first")
    # Its EVSEs have nobody to speak for them, and whatever it says from here on finds a door that is shut.
    await context.intake.report(station_id, Silent())
    await context.intake.report(station_id, SetUp(state=Admission.REJECTED))
    async with context.store.unit_of_work(context.clock) as unit:
        await stations.remove(unit.session, station_id)
        await station_settings.forget(unit.session, station_id)
        await availability_days.forget_station(unit.session, station_id)
    context.intake.forget(station_id)
    context.hang_up(station_id)
    return nothing()


@router.post("/{station_id}/accept", summary="Let a pending station in")
async def accept_station(station_id: str, context: Context, body: Acceptance | None = None) -> Response:
    """A password is made where the station needs one and has none; it is shown only here."""
    accepted = await context.stations.accept(station_id, body.adopt_minutes if body else None)
    told: dict[str, Any] = {
        "id": accepted.id,
        "url": url_of(context, accepted.id),
        "url_without_id": f"{context.ocpp_url}/ocpp",
    }
    if accepted.password is not None:
        told["password"] = accepted.password
    if accepted.adopt_until is not None:
        told["adopt_until"] = time_or_none(accepted.adopt_until)
    return answer(told)


@router.post("/{station_id}/start", summary="Start a transaction remotely, with a token we know")
async def start_remotely(station_id: str, body: RemoteStart, context: Context) -> Response:
    """`result` in OCPI's CommandResult words. 409: not connected; 422: unknown token."""
    started = context.wishes.start_here(station_id, body.connector, body.token)
    # The command goes on, and its result is recorded, also if whoever asked has gone.
    command_id, result = await asyncio.shield(started)
    return answer({"command_id": command_id, "result": str(result)})


def _plain_link(link: Any) -> Any:
    if not isinstance(link, dict):
        return link
    return {name: given for name, given in link.items() if name not in STATUS_FIELDS}


def _unlinked(link: Any) -> bool:
    """A connector of our answer that reported and was never set up."""
    return isinstance(link, dict) and "status" in link and link.get("evse_uid", link) is None


async def _shown(context: AdminContext, stored: StoredStation) -> dict[str, Any]:
    reports = await context.stations.connectors([stored.station.id])
    knocks = await context.inbox.shown([stored.station.id])
    return station_body(stored, reports.get(stored.station.id, []), context, knocks.get(stored.station.id))
