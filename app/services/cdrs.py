"""An operator's word about charge detail records: held ones released or thrown away, issued ones credited."""

from collections.abc import Sequence
from decimal import Decimal
from uuid import NAMESPACE_OID, uuid5

import msgspec
from msgspec.structs import replace

from app.domain.cdrs import CdrState, ChargeDetailRecord
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.events import CdrIssued, SessionChanged
from app.domain.locations import Place
from app.domain.parties import Party
from app.domain.pricing import CdrDimension, Cost, PeriodVolumes, periods_from, price, volumes_of
from app.domain.records.differences import Difference, difference
from app.domain.records.repricing import volumes_of_record, zone_of_record
from app.domain.sessions import ChargingPeriod, Dimension
from app.domain.tariffs import Price, Tariff
from app.kit.clock import Clock
from app.store import cdrs, locations, sessions, tariffs
from app.store.cdrs import StoredCdr
from app.store.database.engine import Store
from app.store.database.unit_of_work import UnitOfWork

MOST_KWH = Decimal(100_000)
"""No session of one vehicle comes near it."""

_CREDIT = "-C"
_FOUR_DECIMALS = Decimal("0.0001")
_REMARK = 255


class Correction(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator sets right in a held record: its energy in kWh, or the tariff it is priced by."""

    kwh: Decimal | None = None
    tariff_id: str | None = None


async def get(store: Store, cdr_id: str) -> StoredCdr:
    """The record, whatever its state. Raises NotFound."""
    async with store.reading() as session:
        found = await cdrs.get(session, cdr_id)
    return _there(found, cdr_id)


async def release(
    store: Store, clock: Clock, cdr_id: str, correction: Correction, note: str | None = None
) -> StoredCdr:
    """Issue a held record, corrected if need be; its session follows, and partners hear of both.

    Raises NotFound; Conflict for one that is not held, or that still lacks a price, a place or an EVSE id;
    Invalid for a correction that makes no sense.
    """
    async with store.unit_of_work(clock) as unit:
        held = _held(await cdrs.get(unit.session, cdr_id, to_change=True), cdr_id)
        record = await _corrected(unit, held.record, correction)
        record = replace(record, place=await _place(unit, record), last_updated=unit.now())
        await cdrs.decide(unit.session, cdr_id, CdrState.ISSUED, unit.now(), note=note, corrected=record)
        await _settle_session(unit, record, held.ref)
        unit.emit(CdrIssued(cdr_id=cdr_id, owner=_owner(record), at=unit.now()))
    return await get(store, cdr_id)


async def discard(store: Store, clock: Clock, cdr_id: str, reason: str) -> StoredCdr:
    """Throw a held record away; nobody is billed. Raises NotFound, and Conflict for one that is not held."""
    async with store.unit_of_work(clock) as unit:
        _held(await cdrs.get(unit.session, cdr_id, to_change=True), cdr_id)
        await cdrs.decide(unit.session, cdr_id, CdrState.DISCARDED, unit.now(), note=reason)
    return await get(store, cdr_id)


async def credit(store: Store, clock: Clock, cdr_id: str) -> StoredCdr:
    """Take an issued record back by a credit CDR (OCPI 2.2.1 mod_cdrs): the same with its total cost negated.

    Raises NotFound; Conflict for one that is not issued, is a credit itself, or was credited before.
    """
    async with store.unit_of_work(clock) as unit:
        _, credit_id = await _credit(unit, cdr_id)
    return await get(store, credit_id)


async def correct(
    store: Store, clock: Clock, cdr_id: str, correction: Correction, reason: str
) -> tuple[StoredCdr, StoredCdr, Difference]:
    """Take an issued record back and issue a right one; its session follows, and partners hear of all.

    Gives the credit, the corrected record and what is different. Raises as `credit` does, Invalid for a
    correction that makes no sense, and Conflict for one that changes nothing; then nothing is changed at all.
    """
    if correction.kwh is None and correction.tariff_id is None:
        raise Invalid("kwh or tariff says what is wrong", field="kwh")
    async with store.unit_of_work(clock) as unit:
        issued, credit_id = await _credit(unit, cdr_id)
        right = await _corrected(unit, issued.record, correction)
        changes = difference(issued.record, right)
        if not changes.sums and not changes.measured:
            raise Conflict(f"the correction changes nothing in CDR {cdr_id}")
        # A fresh id of normal length: a credit of this record needs the two characters that are left.
        right = replace(
            right,
            id=str(uuid5(NAMESPACE_OID, f"{cdr_id}|corrected")),
            remark=f"corrects {cdr_id}: {reason}"[:_REMARK],
            last_updated=unit.now(),
        )
        await cdrs.add(unit.session, right, ref=None, state=CdrState.ISSUED, reason=None, now=unit.now())
        await _settle_session(unit, right, await sessions.ref_of(unit.session, right.session_id))
        unit.emit(CdrIssued(cdr_id=right.id, owner=_owner(right), at=unit.now()))
    return await get(store, credit_id), await get(store, right.id), changes


async def _credit(unit: UnitOfWork, cdr_id: str) -> tuple[StoredCdr, str]:
    """The record, and the id of the credit that now takes it back."""
    issued = _there(await cdrs.get(unit.session, cdr_id, to_change=True), cdr_id)
    record, credit_id = issued.record, cdr_id + _CREDIT
    if issued.state is not CdrState.ISSUED or record.total_cost is None:
        raise Conflict(f"CDR {cdr_id} is {issued.state}: only an issued one can be credited")
    if record.credit:
        raise Conflict(f"CDR {cdr_id} is a credit itself")
    if await cdrs.get(unit.session, credit_id) is not None:
        raise Conflict(f"CDR {cdr_id} was credited before, by {credit_id}")
    opposite = replace(
        record,
        id=credit_id,
        total_cost=_negated(record.total_cost),
        credit=True,
        credit_reference_id=cdr_id,
        last_updated=unit.now(),
    )
    await cdrs.add(unit.session, opposite, ref=None, state=CdrState.ISSUED, reason=None, now=unit.now())
    unit.emit(CdrIssued(cdr_id=credit_id, owner=_owner(record), at=unit.now()))
    return issued, credit_id


def _there(found: StoredCdr | None, cdr_id: str) -> StoredCdr:
    if found is None:
        raise NotFound(f"there is no CDR {cdr_id}")
    return found


def _held(found: StoredCdr | None, cdr_id: str) -> StoredCdr:
    there = _there(found, cdr_id)
    if there.state is not CdrState.HELD:
        raise Conflict(f"CDR {cdr_id} is {there.state}, not held")
    return there


async def _corrected(
    unit: UnitOfWork, record: ChargeDetailRecord, correction: Correction
) -> ChargeDetailRecord:
    if correction.kwh is not None:
        _check_kwh(correction.kwh)
    named: Tariff | None = None
    if correction.tariff_id is not None:
        named = await tariffs.get(unit.session, correction.tariff_id)
        if named is None:
            raise Invalid(f"there is no tariff {correction.tariff_id}", field="tariff")
    if named is None and correction.kwh is None and record.total_cost is not None:
        return record
    tariff = named or next(iter(record.tariffs), None)
    if tariff is None:
        raise Conflict(f"CDR {record.id} has no tariff, so it has no price: name one to price it by")
    return _priced(record, tariff, correction.kwh)


def _check_kwh(kwh: Decimal) -> None:
    if not (kwh.is_finite() and 0 <= kwh <= MOST_KWH and kwh == kwh.quantize(_FOUR_DECIMALS)):
        raise Invalid(f"from 0 to {MOST_KWH} kWh with at most 4 decimals", field="kwh")


def _priced(record: ChargeDetailRecord, tariff: Tariff, kwh: Decimal | None) -> ChargeDetailRecord:
    volumes = [replace(each, tariff_id=tariff.id) for each in volumes_of_record(record)]
    if kwh is not None:
        volumes = _spread(volumes, kwh)
    try:
        periods = periods_from(volumes, start=record.start_date_time, end=record.end_date_time)
        cost = price(periods, [tariff], zone_of_record(record))
    except ValueError as error:
        raise Conflict(f"CDR {record.id} cannot be priced by tariff {tariff.id}: {error}") from None
    return _billed(record, tariff, cost)


def _spread(volumes: Sequence[PeriodVolumes], kwh: Decimal) -> list[PeriodVolumes]:
    """The same periods with another energy in all, each with its old share of it."""
    energy = [each.volumes.get(CdrDimension.ENERGY, Decimal(0)) for each in volumes]
    total = sum(energy, Decimal(0))
    if total <= 0:
        # Nothing tells where the energy went: into the first period in which the car charged.
        carrier = next((n for n, each in enumerate(volumes) if CdrDimension.TIME in each.volumes), 0)
        energy = [Decimal(number == carrier) for number in range(len(volumes))]
        total = Decimal(1)
    spread, reached, before = [], Decimal(0), Decimal(0)
    for each, share in zip(volumes, energy, strict=True):
        reached += share
        upto = (reached * kwh / total).quantize(_FOUR_DECIMALS)
        if share or CdrDimension.ENERGY in each.volumes:
            each = replace(each, volumes=each.volumes | {CdrDimension.ENERGY: upto - before})  # noqa: PLW2901
        before = upto
        spread.append(each)
    return spread


def _billed(record: ChargeDetailRecord, tariff: Tariff, cost: Cost) -> ChargeDetailRecord:
    return replace(
        record,
        currency=cost.currency,
        tariffs=(tariff,),
        periods=tuple(
            ChargingPeriod(
                start=each.start,
                dimensions=tuple(Dimension(kind.value, volume) for kind, volume in each.volumes.items()),
                tariff_id=each.tariff_id,
            )
            for each in volumes_of(cost.periods)
        ),
        total_cost=cost.total_cost,
        total_fixed_cost=cost.total_fixed_cost,
        total_energy=cost.total_energy,
        total_energy_cost=cost.total_energy_cost,
        total_time=cost.total_time,
        total_time_cost=cost.total_time_cost,
        total_parking_time=cost.total_parking_time,
        total_parking_cost=cost.total_parking_cost,
        total_reservation_cost=cost.total_reservation_cost,
    )


async def _place(unit: UnitOfWork, record: ChargeDetailRecord) -> Place:
    """Where the session was; an EVSE id that was missing then is taken from the location as it is now."""
    place = record.place
    if place is None:
        raise Conflict(f"CDR {record.id} is of a station without a location: it can only be discarded")
    if place.evse.evse_id is not None:
        return place
    location = await locations.get(unit.session, place.location.id)
    evse = location.evse(place.evse.uid) if location else None
    if evse is None or evse.evse_id is None:
        raise Conflict(
            f"EVSE {place.evse.uid} has no evse_id: put it into location {place.location.id} first"
        )
    return replace(place, evse=replace(place.evse, evse_id=evse.evse_id))


async def _settle_session(unit: UnitOfWork, record: ChargeDetailRecord, ref: str | None) -> None:
    """The session says what its record says."""
    session = await sessions.get(unit.session, record.session_id)
    snapshot = await sessions.snapshot_of(unit.session, record.session_id)
    if session is None or snapshot is None:
        return
    settled = replace(
        session,
        kwh=record.total_energy,
        periods=record.periods,
        total_cost=record.total_cost,
        currency=record.currency,
        let_in=True,
        last_updated=unit.now(),
    )
    await sessions.save(unit.session, settled, snapshot, ref, unit.now())
    if settled.published:
        unit.emit(SessionChanged(session_id=session.id, owner=_owner(record), whole=True, at=unit.now()))


def _owner(record: ChargeDetailRecord) -> Party:
    return Party(record.token.country_code, record.token.party_id).folded()


def _negated(cost: Price) -> Price:
    return Price(excl_vat=-cost.excl_vat, incl_vat=None if cost.incl_vat is None else -cost.incl_vat)
