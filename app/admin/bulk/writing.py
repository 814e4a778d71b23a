"""Objects of one kind put as a whole: all are checked against each other and the store, then all are kept or none."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

from pydantic import ValidationError

from app.admin.bulk.forms import SET_BY_US, Subject
from app.admin.bulk.sheets import Fault, Item
from app.admin.context import AdminContext
from app.admin.locations import no_special_prices
from app.admin.problems import Problem, invalid, problem_of
from app.admin.requests import refuse_controls_in
from app.admin.stations.stations import Station
from app.admin.tokens import own_token
from app.domain.errors import DomainError
from app.domain.stations import SetUp
from app.services import locations as sites
from app.services import references
from app.services import stations as station_rules
from app.services import tariffs as prices
from app.services import tokens as issued
from app.store import stations as station_rows
from app.store.database.unit_of_work import UnitOfWork
from ocpi.errors import OcpiError
from ocpi.mapping.locations import location_from
from ocpi.mapping.tariffs import tariff_from

MOST = 5000
"""Objects of one import: while they are kept, stations wait."""

_MOST_FAULTS = 100


class Result(NamedTuple):
    """How many objects were new, and how many replaced one."""

    created: int
    replaced: int


class Refused(Exception):
    """Nothing was kept; `faults` says why."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(f"{len(faults)} faults")
        self.faults = list(faults)


class _OnlyTried(Exception):
    """Takes back what was written to see whether it can be."""


Put = Callable[[UnitOfWork, AdminContext, Item], Awaitable[bool]]
"""Keeps one object; True where it is new."""


async def put_all(context: AdminContext, subject: Subject, items: Sequence[Item], *, dry_run: bool) -> Result:
    """Keep all objects, or with `dry_run` none. Raises Refused, and StoreError."""
    if len(items) > MOST:
        raise Refused([Fault(items[MOST].line, "", f"more than {MOST} objects: split the file")])
    faults = list(_named_twice(subject, items))
    for item in items:
        try:
            refuse_controls_in(item.document)
        except Problem as error:
            faults += _faults(item, error)
    if faults:
        raise Refused(faults)
    if subject is Subject.STATIONS:
        return await _put_stations(context, items, dry_run=dry_run)
    return await _put_in_one_unit(context, _PUTS[subject], items, dry_run=dry_run)


async def _put_in_one_unit(
    context: AdminContext, put: Put, items: Sequence[Item], *, dry_run: bool
) -> Result:
    created = 0
    faults: list[Fault] = []
    try:
        async with context.store.unit_of_work(context.clock) as unit:
            for item in items:
                try:
                    created += await put(unit, context, item)
                except (Problem, DomainError, OcpiError) as error:
                    faults += _faults(item, error)
                if len(faults) >= _MOST_FAULTS:
                    break
            _end(faults, dry_run=dry_run)
    except _OnlyTried:
        pass
    return Result(created, len(items) - created)


def _end(faults: Sequence[Fault], *, dry_run: bool) -> None:
    """Take everything back that shall not stay."""
    if faults:
        raise Refused(faults)
    if dry_run:
        raise _OnlyTried


async def _location(unit: UnitOfWork, context: AdminContext, item: Item) -> bool:
    document = item.document
    roaming = document.get("roaming", True)
    if not isinstance(roaming, bool):
        raise invalid("roaming", "must be true or false")
    location = location_from(
        document, ours=context.ours, location_id=_id(document, "id"), now=unit.now(), roaming=roaming
    )
    await references.check_location(unit, location)
    no_special_prices(location, context)
    attached = await references.attached(unit, location.id)
    _, created = await sites.put(unit, location, attached=attached)
    return created


async def _tariff(unit: UnitOfWork, context: AdminContext, item: Item) -> bool:
    document = {name: value for name, value in item.document.items() if name not in SET_BY_US}
    tariff = tariff_from(document, ours=context.ours, tariff_id=_id(document, "id"), now=unit.now())
    _, created = await prices.put(unit, tariff)
    return created


async def _token(unit: UnitOfWork, context: AdminContext, item: Item) -> bool:
    token = own_token(_id(item.document, "uid"), item.document, context, unit)
    return await issued.put(unit, token, own=True)


_PUTS: dict[Subject, Put] = {
    Subject.LOCATIONS: _location,
    Subject.TARIFFS: _tariff,
    Subject.TOKENS: _token,
}


async def _put_stations(context: AdminContext, items: Sequence[Item], *, dry_run: bool) -> Result:
    """Each by the one writer of stations, once all were found good."""
    wanted = await _checked(context, items)
    async with context.store.reading() as session:
        known = await station_rows.credentials(session, list(wanted))
    if not dry_run:
        await _set_up(context, wanted)
    return Result(len(wanted) - len(known), len(known))


async def _checked(context: AdminContext, items: Sequence[Item]) -> dict[str, tuple[SetUp, str | None]]:
    wanted: dict[str, tuple[SetUp, str | None]] = {}
    taken: dict[tuple[str, str], str] = {}
    faults: list[Fault] = []
    async with context.store.unit_of_work(context.clock) as unit:
        for item in items:
            try:
                station_id, station = _station(item.document)
                set_up = await references.check_set_up(unit, station_id, station.set_up())
                _take_places(station_id, set_up, taken)
                wanted[station_id] = (set_up, station.password)
            except (Problem, DomainError, ValidationError) as error:
                faults += _faults(item, error)
    if faults:
        raise Refused(faults[:_MOST_FAULTS])
    return wanted


async def _set_up(context: AdminContext, wanted: dict[str, tuple[SetUp, str | None]]) -> None:
    await context.stations.put_all(wanted)
    async with context.store.unit_of_work(context.clock) as unit:
        for location_id in sorted({s.location_id for s, _ in wanted.values() if s.location_id is not None}):
            await references.complete_capabilities(unit, location_id)


def _station(document: dict[str, Any]) -> tuple[str, Station]:
    station_id = _id(document, "id")
    if not station_rules.valid_id(station_id):
        raise invalid("id", "1 to 48 printable ASCII characters, no space, no slash")
    rest = {name: value for name, value in document.items() if name != "id"}
    return station_id, Station.model_validate(rest)


def _take_places(station_id: str, set_up: SetUp, taken: dict[tuple[str, str], str]) -> None:
    for number, link in enumerate(set_up.connectors):
        place = (link.evse_uid.upper(), link.connector_id.upper())
        if (holder := taken.setdefault(place, station_id)) != station_id:
            raise invalid(
                f"connectors[{number}].connector_id",
                f"connector {link.connector_id} of EVSE {link.evse_uid} belongs to station {holder}",
            )


def _id(document: dict[str, Any], name: str) -> str:
    given = document.get(name)
    if not isinstance(given, str) or not given.strip():
        raise invalid(name, "must say something")
    return given


def _named_twice(subject: Subject, items: Sequence[Item]) -> list[Fault]:
    seen: dict[tuple[str, str], int] = {}
    faults = []
    for item in items:
        name = str(item.document.get("uid" if subject is Subject.TOKENS else "id"))
        kind = str(item.document.get("type")) if subject is Subject.TOKENS else ""
        # Ids of stations are told apart by case, all others are not.
        key = (name if subject is Subject.STATIONS else name.upper(), kind)
        if (first := seen.setdefault(key, item.line)) != item.line:
            faults.append(Fault(item.line, "", f"{name} is on line {first} already"))
    return faults


def _faults(item: Item, error: Exception) -> list[Fault]:
    if isinstance(error, ValidationError):
        return [
            Fault(item.line_of(path := _path(each["loc"])), path, each["msg"].removeprefix("Value error, "))
            for each in error.errors()
        ]
    problem = problem_of(error)
    found = problem.errors or [{"field": "", "message": problem.detail}]
    return [Fault(item.line_of(each["field"]), each["field"], each["message"]) for each in found]


def _path(location: Sequence[int | str]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location).removeprefix(
        "."
    )
