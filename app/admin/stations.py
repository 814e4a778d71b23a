"""Charging stations: set up, let in, and what they say of themselves."""

import asyncio
from typing import Annotated, Any, Self
from urllib.parse import quote

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.requests import Form, Paging, Plain
from app.domain.errors import Conflict
from app.domain.stations import Admission, ConnectorLink, ConnectorReport, SetUp, Silent
from app.services import references
from app.store import stations, transactions
from app.store.stations import StoredStation

router = APIRouter(prefix="/stations", tags=["stations"], dependencies=[Plain])

Number = Annotated[int, Field(ge=1, le=2**31 - 1)]
Id = Annotated[str, Field(min_length=1, max_length=36)]

_STATUS = ("status", "error_code", "info", "vendor_id", "vendor_error_code", "status_at", "received_at")
_OUR_WORD = (
    "id", "state", "online", "url", "has_password", "ocpp_version", "boot", "booted_at", "whole",
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
    """A station as the operator wants it; everything may be left out. What our answers add is passed over."""

    location_id: Id | None = None
    connectors: list[Link] = Field(default_factory=list, max_length=200)
    security_profile: Annotated[int, Field(ge=0, le=3)] | None = None
    password: Annotated[str, Field(min_length=1, max_length=255)] | None = None

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
        )


class Acceptance(Form):
    """How a station is taken in; with `adopt_minutes` it may come once without a password and is given one."""

    adopt_minutes: int | None = None


class RemoteStart(Form):
    """Who shall charge where: the station's connector, and the uid of the token."""

    connector: Number
    token: Annotated[str, Field(min_length=1, max_length=36)]


@router.get("", summary="Charging stations by id, those that wait to be let in included", responses=LIST)
async def list_stations(
    context: Context,
    page: Paging,
    state: Admission | None = None,
    location: Annotated[str | None, Query(description="id of a location")] = None,
) -> Response:
    """With their connectors' last reports."""
    found, total = await context.stations.find(
        limit=page.limit, offset=page.offset, state=state, location_id=location
    )
    reports = await context.stations.connectors([each.station.id for each in found])
    return page_answer(
        [station_body(each, reports.get(each.station.id, []), context) for each in found], total
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
    context.intake.forget(station_id)
    context.hang_up(station_id)
    return nothing()


@router.post("/{station_id}/accept", summary="Let a pending station in")
async def accept_station(station_id: str, context: Context, body: Acceptance | None = None) -> Response:
    """A password is made where the station needs one and has none; it is shown only here."""
    accepted = await context.stations.accept(station_id, body.adopt_minutes if body else None)
    told: dict[str, Any] = {"id": accepted.id, "url": _url(context, accepted.id)}
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


def station_body(
    stored: StoredStation, reports: list[ConnectorReport], context: AdminContext
) -> dict[str, Any]:
    """A station for the operator's eyes; that it has a password, never which."""
    station = stored.station
    boot = station.boot
    whole = next((each for each in reports if each.evse == 0), None)
    return {
        "id": station.id,
        "state": str(station.state),
        "online": stored.online,
        "url": _url(context, station.id),
        "location_id": station.location_id,
        "connectors": _connectors(stored, reports),
        "whole": None if whole is None else _status(whole),
        "security_profile": station.security_profile,
        "has_password": stored.has_password,
        "ocpp_version": station.ocpp_version,
        "boot": None if boot is None else {name: getattr(boot, name) for name in boot.__struct_fields__},
        "booted_at": time_or_none(station.booted_at),
        "firmware_status": station.firmware_status,
        "diagnostics_status": station.diagnostics_status,
        "tolerated": station.tolerated,
        "connected_at": time_or_none(stored.connected_at),
        "disconnected_at": time_or_none(stored.disconnected_at),
        "last_seen": time_or_none(stored.last_seen if stored.connected_at else None),
        "adopt_until": time_or_none(stored.adopt_until),
        "created_at": time_or_none(stored.created_at),
        "last_updated": time_or_none(station.last_updated),
    }


def _connectors(stored: StoredStation, reports: list[ConnectorReport]) -> list[dict[str, Any]]:
    """Connectors that were set up, that reported, or both."""
    links = {(link.evse, link.connector): link for link in stored.station.connectors}
    said = {(each.evse, each.connector): each for each in reports if each.evse != 0}
    found = []
    for evse, connector in sorted(links.keys() | said.keys()):
        link, report = links.get((evse, connector)), said.get((evse, connector))
        found.append(
            {
                "evse": evse,
                "connector": connector,
                "evse_uid": link.evse_uid if link else None,
                "connector_id": link.connector_id if link else None,
                **(_status(report) if report else dict.fromkeys(_STATUS)),
            }
        )
    return found


def _status(report: ConnectorReport) -> dict[str, Any]:
    return {
        "status": str(report.status),
        "error_code": report.error_code,
        "info": report.info,
        "vendor_id": report.vendor_id,
        "vendor_error_code": report.vendor_error_code,
        "status_at": time_or_none(report.at),
        "received_at": time_or_none(report.received_at),
    }


def _plain_link(link: Any) -> Any:
    if not isinstance(link, dict):
        return link
    return {name: given for name, given in link.items() if name not in _STATUS}


def _unlinked(link: Any) -> bool:
    """A connector of our answer that reported and was never set up."""
    return isinstance(link, dict) and "status" in link and link.get("evse_uid", link) is None


def _url(context: AdminContext, station_id: str) -> str:
    return f"{context.ocpp_url}/ocpp/{quote(station_id, safe='')}"


async def _shown(context: AdminContext, stored: StoredStation) -> dict[str, Any]:
    reports = await context.stations.connectors([stored.station.id])
    return station_body(stored, reports.get(stored.station.id, []), context)
