"""What a batch of deliveries is about, read in one go: one reading transaction for many objects."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from urllib.parse import unquote

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.cdrs import ChargeDetailRecord
from app.domain.locations import Location
from app.domain.remote import Told
from app.domain.sessions import ChargingSession
from app.domain.status import EvseStatus
from app.domain.tariffs import Tariff
from app.outbox.outcomes import Claim
from app.store import cdrs, locations, remote, sessions, tariffs
from app.store.bulk.writer import Batch
from app.store.hub import clients as hub_clients
from app.store.hub import objects as hub
from app.store.hub.objects import HubClientRow, HubObjectRow, HubResultRow


class LiveEvse(msgspec.Struct, frozen=True, kw_only=True):
    """The status of one EVSE, without the location around it."""

    location_id: str
    uid: str
    status: EvseStatus
    last_updated: datetime
    roaming: bool


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A tariff that partners have to forget."""

    tariff: Tariff


Object = LiveEvse | Location | Tariff | Withdrawn | ChargingSession | ChargeDetailRecord
Thing = Object | Told | HubObjectRow | HubResultRow | HubClientRow


def evse_name(location_id: str, uid: str) -> str:
    """How an EVSE is named in a mark: `location/uid`, whatever characters the location's id has."""
    return f"{location_id.replace('%', '%25').replace('/', '%2F')}/{uid}"


def evse_of(name: str) -> tuple[str, str]:
    """Location id and EVSE uid of such a name."""
    location_id, _, uid = name.partition("/")
    return unquote(location_id), uid


async def live(batch: Batch, claims: Sequence[Claim]) -> dict[int, Thing]:
    """The status of the EVSEs among these claims, by the claim's id; what does not exist is left out."""
    of_evses: dict[tuple[str, str], list[int]] = {}
    for claim in claims:
        if claim.kind == "evse":
            of_evses.setdefault(evse_of(claim.object_id), []).append(claim.id)
    found: dict[int, Thing] = {}
    for location_id, uid, status, version, roaming in await locations.live_evses(batch, list(of_evses)):
        evse = LiveEvse(
            location_id=location_id, uid=uid, status=status, last_updated=version, roaming=roaming
        )
        found |= dict.fromkeys(of_evses[location_id, uid], evse)
    return found


async def load(session: AsyncSession, claims: Sequence[Claim]) -> dict[int, Thing]:
    """The objects of these claims that are no EVSEs, by the claim's id; what does not exist is left out."""
    found: dict[tuple[str, str], Thing] = {}
    for kind, read in _READERS.items():
        names = {claim.object_id for claim in claims if claim.kind == kind}
        if names:
            found |= {(kind, name): thing for name, thing in (await read(session, names)).items()}
    return {
        claim.id: thing for claim in claims if (thing := found.get((claim.kind, claim.object_id))) is not None
    }


async def _locations(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await locations.bodies(session, names))


async def _sessions(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await sessions.bodies(session, names))


async def _cdrs(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await cdrs.bodies(session, names))


async def _results(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await remote.told(session, list(names)))


async def _hub_results(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await hub.results(session, names))


async def _hub_objects(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await hub.objects(session, names))


async def _hub_clients(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    return dict(await hub_clients.by_id(session, names))


async def _tariffs(session: AsyncSession, names: Iterable[str]) -> dict[str, Thing]:
    found = await tariffs.bodies(session, names)
    gone = await tariffs.withdrawn_among(session, list(found))
    return {id_: Withdrawn(tariff=each) if id_ in gone else each for id_, each in found.items()}


_READERS = {
    "tariff": _tariffs,
    "location": _locations,
    "session": _sessions,
    "cdr": _cdrs,
    "command": _results,
    "hub_result": _hub_results,
    "hub_tariff": _hub_objects,
    "hub_location": _hub_objects,
    "hub_token": _hub_objects,
    "hub_client": _hub_clients,
}
