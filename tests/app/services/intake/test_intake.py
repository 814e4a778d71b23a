"""The intake on a real database: a session from start to CDR, repetitions, restarts, refused rows, a store away."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.domain.cdrs import CdrState
from app.domain.charging.state import Names
from app.domain.errors import Conflict
from app.domain.locations import Connector, Evse, GeoPoint, Location
from app.domain.metering import MeterSample, SampledValue
from app.domain.sessions import SessionStatus
from app.domain.stations import BootReport, ConnectorLink, Refused, SetUp, Silent, StatusReport
from app.domain.status import ConnectorStatus, EvseStatus
from app.domain.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from app.domain.tokens import Token, TokenType, Verdict, Whitelist
from app.domain.transactions import (
    StartAnswer,
    TransactionEnded,
    TransactionMetered,
    TransactionStarted,
)
from app.outbox import tables as outbox_tables
from app.services import cdrs as records
from app.services.intake.intake import Call, Intake, Line, Unanswered
from app.store import cdrs, frames, locations, sessions, stations, tariffs, tokens, transactions
from app.store.bulk.writer import Writer
from app.store.database.errors import StoreUnavailable

_numbers = itertools.count(1)


class House:
    """An intake over a store with one location, one tariff, one token and one station."""

    def __init__(self, store: Any, clock: Any) -> None:
        self.store, self.clock = store, clock
        store.keep_marks(outbox_tables.keep) if hasattr(store, "keep_marks") else None
        self.open()

    def open(self) -> None:
        names = Names(
            number=lambda: 1000 + next(_numbers),
            id=lambda: f"id-{next(_numbers)}",
            country_code="NL",
            party_id="VBR",
        )
        self.writer = Writer(self.store, self.clock)
        self.intake = Intake(self.store, self.writer, self.clock, names)
        self.intake.start()

    async def close(self) -> None:
        await self.intake.stop()
        await self.writer.close()

    async def restart(self) -> Line:
        await self.close()
        self.open()
        return await self.intake.connect("CP1", "1.6")

    def say(
        self, line: Line, report: Any, action: str = "X", request: bytes = b"[]"
    ) -> "asyncio.Future[bytes]":
        self.answers: list[Any] = getattr(self, "answers", [])

        def reply(answer: Any) -> bytes:
            self.answers.append(answer)
            return repr(answer).encode()

        heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        def done(call: Call, error: Exception | None) -> None:
            if heard.cancelled():
                return
            if error is not None:
                heard.set_exception(error)
            else:
                heard.set_result(call.answer or b"")

        self.intake.take(
            Call(
                line=line,
                report=report,
                request=request,
                message_id="m",
                action=action,
                reply=reply,
                done=done,
            )
        )
        return heard

    async def heard(self, line: Line, report: Any, action: str = "X") -> Any:
        await self.say(line, report, action)
        return self.answers[-1]


@pytest.fixture
async def house(store: Any, clock: Any) -> AsyncIterator[House]:
    now = clock.now()
    async with store.unit_of_work(clock) as unit:
        connector = Connector(
            id="1", standard="IEC_62196_T2", format="SOCKET", power_type="AC_3_PHASE",
            max_voltage=230, max_amperage=32, tariff_ids=("T1",), last_updated=now,
        )  # fmt: skip
        evse = Evse(uid="E1", evse_id="NL*VBR*E1", connectors=(connector,), last_updated=now)
        await locations.save(
            unit.session,
            Location(
                country_code="NL", party_id="VBR", id="LOC1", publish=True, address="Straat 1", city="Utrecht",
                country="NLD", coordinates=GeoPoint(latitude="52.1", longitude="5.1"),
                time_zone="Europe/Amsterdam", evses=(evse,), last_updated=now,
            ),
            now,
        )  # fmt: skip
        energy = PriceComponent(
            type=TariffDimension.ENERGY, price=Decimal("0.25"), vat=Decimal(21), step_size=1
        )
        await tariffs.save(
            unit.session,
            Tariff(
                country_code="NL", party_id="VBR", id="T1", currency="EUR",
                elements=(TariffElement(price_components=(energy,)),), last_updated=now,
            ),
            now,
        )  # fmt: skip
        await tokens.save(
            unit.session,
            Token(
                country_code="DE", party_id="EMP", uid="TAG1", type=TokenType.RFID, contract_id="DE-EMP-1",
                issuer="EMP", valid=True, whitelist=Whitelist.ALLOWED, last_updated=now,
            ),
        )  # fmt: skip
    house = House(store, clock)
    await house.intake.report(
        "CP1",
        SetUp(location_id="LOC1", connectors=(ConnectorLink(evse=1, evse_uid="E1", connector_id="1"),)),
    )
    yield house
    await house.close()


def begins(at: datetime, tag: str = "TAG1", meter: int = 1000) -> TransactionStarted:
    return TransactionStarted(
        evse=1, connector=1, id_tag=tag, at=at, stamp=at.isoformat(), meter_start=Decimal(meter)
    )


def ends(number: int, at: datetime, meter: int, tag: str | None = "TAG1") -> TransactionEnded:
    return TransactionEnded(
        transaction_id=number, id_tag=tag, at=at, stamp=at.isoformat(), meter_stop=Decimal(meter)
    )


def metered(number: int | None, at: datetime, wh: int) -> TransactionMetered:
    sample = MeterSample(at=at, values=(SampledValue(value=str(wh)),), document="[]")
    return TransactionMetered(evse=1, connector=1, transaction_id=number, samples=(sample,))


async def all_cdrs(house: House) -> list[cdrs.StoredCdr]:
    async with house.store.reading() as session:
        return (await cdrs.find(session, limit=50))[0]


async def test_a_session_from_plug_to_cdr(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    clock, began = house.clock, house.clock.now()
    answer = await house.heard(line, begins(began))
    assert answer.authorization.verdict is Verdict.ACCEPTED
    for minute in range(1, 31):
        clock.advance(60)
        await house.heard(line, metered(answer.transaction_id, clock.now(), 1000 + minute * 100))
    await house.heard(line, ends(answer.transaction_id, clock.now(), 4000))
    (found,) = await all_cdrs(house)
    assert found.state is CdrState.ISSUED
    assert found.record.total_energy == Decimal(3)
    assert found.record.total_cost.excl_vat == Decimal("0.75")
    assert found.record.total_time == Decimal("0.5")
    assert sum(d.volume for p in found.record.periods for d in p.dimensions if d.type == "ENERGY") == 3
    assert len(found.record.periods) == 2, "cut for the driver's information after a quarter of an hour"
    async with house.store.reading() as session:
        charging = await sessions.get(session, found.record.session_id)
    assert charging is not None
    assert (charging.status, charging.kwh) == (SessionStatus.COMPLETED, Decimal(3))
    assert charging.periods == found.record.periods


async def test_the_same_start_again_gets_its_first_answer(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    start = begins(house.clock.now())
    first = await house.heard(line, start)
    again = await house.heard(line, start)
    line = await house.restart()
    after_restart = await house.heard(line, start)
    await house.heard(line, ends(first.transaction_id, house.clock.now(), 1500))
    after_stop = await house.heard(line, start)
    line = await house.restart()
    long_after = await house.heard(line, start)
    assert first == again == after_restart == after_stop == long_after
    async with house.store.reading() as session:
        assert (await transactions.find(session, limit=10))[1] == 1
    assert len(await all_cdrs(house)) == 1


async def test_a_session_survives_a_restart_with_its_curve(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    clock, began = house.clock, house.clock.now()
    number = (await house.heard(line, begins(began))).transaction_id
    for minute in range(1, 21):
        clock.advance(60)
        await house.heard(line, metered(number, clock.now(), 1000 + minute * 10))
        if minute == 10:
            line = await house.restart()
    clock.advance(60)
    await house.heard(line, ends(number, clock.now(), 1300))
    (found,) = await all_cdrs(house)
    energies = [d.volume for p in found.record.periods for d in p.dimensions if d.type == "ENERGY"]
    assert energies == [Decimal("0.15"), Decimal("0.15")], "cut at minute 15, where the meter stood at 1150"


@pytest.mark.parametrize("restarts", [False, True])
async def test_late_samples_count_the_same_after_a_restart(house: House, restarts: bool) -> None:
    line = await house.intake.connect("CP1", "1.6")
    clock, began = house.clock, house.clock.now()
    number = (await house.heard(line, begins(began))).transaction_id
    clock.advance(1800)
    for minute, wh in ((10, 1100), (20, 1900), (12, 1800)):
        await house.heard(line, metered(number, began + timedelta(minutes=minute), wh))
    second = await house.heard(line, begins(clock.now(), meter=2400))
    await house.heard(line, metered(number, began + timedelta(minutes=25), 2300))
    if restarts:
        line = await house.restart()
    await house.heard(line, ends(number, clock.now(), 2400))
    (found,) = await all_cdrs(house)
    energies = [d.volume for p in found.record.periods for d in p.dimensions if d.type == "ENERGY"]
    assert energies == [Decimal("0.5"), Decimal("0.9")], "cut at minute 15, between 1100 Wh and 1900 Wh"
    assert second.transaction_id != number


async def test_the_running_cost_goes_on_after_a_restart_and_ends_as_the_record(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    clock = house.clock
    number = (await house.heard(line, begins(clock.now()))).transaction_id
    told = []
    for minute in range(1, 21):
        clock.advance(60)
        await house.heard(line, metered(number, clock.now(), 1000 + minute * 100))
        if minute == 10:
            line = await house.restart()
        async with house.store.reading() as session:
            ((charging, *_), _) = await sessions.find(session, limit=1)
        told.append(charging.total_cost.excl_vat)
    assert told == [Decimal("0.025") * minute for minute in range(1, 21)]
    await house.heard(line, ends(number, clock.now(), 3000))
    (found,) = await all_cdrs(house)
    assert found.record.total_cost.excl_vat == told[-1]


async def test_a_second_stop_changes_nothing(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = (await house.heard(line, begins(house.clock.now()))).transaction_id
    house.clock.advance(600)
    await house.heard(line, ends(number, house.clock.now(), 2000))
    before = await all_cdrs(house)
    await house.heard(line, ends(number, house.clock.now(), 9000))
    line = await house.restart()
    await house.heard(line, ends(number, house.clock.now(), 9500))
    assert await all_cdrs(house) == before


async def test_a_late_stop_settles_a_session_that_was_closed_without_one(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = (await house.heard(line, begins(house.clock.now()))).transaction_id
    house.clock.advance(600)
    await house.heard(line, metered(number, house.clock.now(), 2000))
    ended = house.clock.now() + timedelta(seconds=60)
    house.clock.advance(3600)
    second = await house.heard(line, begins(house.clock.now(), meter=2500))
    (held,) = await all_cdrs(house)
    assert (held.state, held.reason, held.record.total_energy) == (CdrState.HELD, "no_stop", Decimal(1))
    line = await house.restart()
    await house.heard(line, ends(number, ended, 2400))
    (issued,) = await all_cdrs(house)
    assert (issued.state, issued.reason, issued.record.total_energy) == (
        CdrState.ISSUED,
        None,
        Decimal("1.4"),
    )
    assert issued.record.id == held.record.id
    assert second.transaction_id != number


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_stop_repeated_under_another_number_ends_nobody_else(house: House, restarts: bool) -> None:
    line = await house.intake.connect("CP1", "1.6")
    first = (await house.heard(line, begins(house.clock.now()))).transaction_id
    elsewhere = msgspec.structs.replace(begins(house.clock.now()), evse=2)
    await house.heard(line, elsewhere)
    house.clock.advance(600)
    stop = ends(first, house.clock.now(), 2000)
    await house.heard(line, stop)
    if restarts:
        line = await house.restart()
    await house.heard(line, msgspec.structs.replace(stop, transaction_id=-1))
    assert len(await all_cdrs(house)) == 1
    async with house.store.reading() as session:
        everything, _ = await transactions.find(session, limit=9)
    assert sorted((each.evse, each.active) for each in everything) == [(1, False), (2, True)]


async def test_a_stop_with_its_tag_needs_no_number_where_there_is_one_connector(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, begins(house.clock.now()))
    house.clock.advance(600)
    await house.heard(line, ends(-1, house.clock.now(), 2000))
    (issued,) = await all_cdrs(house)
    assert (issued.state, issued.record.total_energy) == (CdrState.ISSUED, Decimal(1))


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_late_stop_after_the_next_session_is_an_overlap(house: House, restarts: bool) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = (await house.heard(line, begins(house.clock.now()))).transaction_id
    house.clock.advance(600)
    second = (await house.heard(line, begins(house.clock.now(), meter=1200))).transaction_id
    house.clock.advance(600)
    await house.heard(line, ends(second, house.clock.now(), 1400))
    if restarts:
        line = await house.restart()
    await house.heard(line, ends(number, house.clock.now(), 1400))
    reasons = {each.record.total_energy: each.reason for each in await all_cdrs(house)}
    assert reasons == {Decimal("0.2"): None, Decimal("0.4"): "overlap"}


@pytest.mark.parametrize("restarts", [False, True])
async def test_a_late_stop_changes_nothing_once_an_operator_has_decided(house: House, restarts: bool) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = (await house.heard(line, begins(house.clock.now()))).transaction_id
    house.clock.advance(600)
    await house.heard(line, metered(number, house.clock.now(), 2000))
    house.clock.advance(600)
    await house.heard(line, begins(house.clock.now(), meter=2400))
    (held,) = await all_cdrs(house)
    correction = records.Correction(kwh=Decimal("1.2"))
    released = await records.release(house.store, house.clock, held.record.id, correction)
    if restarts:
        line = await house.restart()
    await house.heard(line, ends(number, house.clock.now(), 2400))
    assert await all_cdrs(house) == [released]
    async with house.store.reading() as session:
        charging = await sessions.get(session, released.record.session_id)
    assert charging is not None
    assert (charging.kwh, charging.status) == (Decimal("1.2"), SessionStatus.COMPLETED)


async def test_of_two_operators_who_release_at_once_one_is_told_so(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, begins(house.clock.now()))
    house.clock.advance(600)
    await house.heard(line, begins(house.clock.now(), meter=2400))
    (held,) = await all_cdrs(house)
    both = [
        records.release(house.store, house.clock, held.record.id, records.Correction(kwh=Decimal(kwh)))
        for kwh in (1, 2)
    ]
    found = await asyncio.gather(*both, return_exceptions=True)
    (released,) = [each for each in found if isinstance(each, cdrs.StoredCdr)]
    (told,) = [each for each in found if isinstance(each, Exception)]
    assert isinstance(told, Conflict)
    async with house.store.reading() as session:
        charging = await sessions.get(session, held.record.session_id)
    assert charging is not None
    assert charging.kwh == released.record.total_energy


async def test_status_becomes_the_evse_status(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.CHARGING))
    await house.heard(
        line,
        StatusReport(
            evse=1, connector=1, status=ConnectorStatus.AVAILABLE, at=house.clock.now() - timedelta(hours=2)
        ),
    )
    async with house.store.reading() as session:
        location = await locations.get(session, "LOC1")
    assert location is not None
    assert location.evses[0].status is EvseStatus.CHARGING, "an older report does not overwrite a newer one"
    assert location.last_updated >= location.evses[0].last_updated


async def test_a_station_that_was_given_up_stays_unknown_until_it_is_back(house: House) -> None:
    async def shown() -> EvseStatus:
        async with house.store.reading() as session:
            location = await locations.get(session, "LOC1")
        assert location is not None
        return location.evses[0].status

    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.AVAILABLE))
    await house.intake.disconnect(line)
    await house.intake.report("CP1", Silent())
    assert await shown() is EvseStatus.UNKNOWN
    await house.close()
    house.open()
    link = ConnectorLink(evse=1, evse_uid="E1", connector_id="1")
    await house.intake.report("CP1", SetUp(location_id="LOC1", connectors=(link,)))
    assert await shown() is EvseStatus.UNKNOWN, (
        "the operator's word about the station says nothing of its socket"
    )
    await house.intake.connect("CP1", "1.6")
    assert await shown() is EvseStatus.AVAILABLE


async def test_a_stop_of_nothing_known_is_parked(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    for _ in range(2):
        await house.heard(line, ends(-1, house.clock.now(), 500))
    async with house.store.reading() as session:
        (orphan,), _ = await transactions.find(session, limit=10)
    assert orphan.flags == ["orphan"]
    assert await all_cdrs(house) == []


async def test_a_tag_nobody_knows_is_told_so_and_its_energy_is_held(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    answer = await house.heard(line, begins(house.clock.now(), tag="STRANGER"))
    assert isinstance(answer, StartAnswer)
    assert answer.authorization.verdict is Verdict.INVALID
    house.clock.advance(60)
    await house.heard(line, ends(answer.transaction_id, house.clock.now(), 1000))
    assert await all_cdrs(house) == [], "nothing delivered, nothing to bill"
    answer = await house.heard(line, begins(house.clock.now(), tag="STRANGER"))
    house.clock.advance(60)
    await house.heard(line, ends(answer.transaction_id, house.clock.now(), 1200))
    (held,) = await all_cdrs(house)
    assert (held.state, held.reason) == (CdrState.HELD, "token_invalid")
    async with house.store.reading() as session:
        kept = await sessions.get(session, held.record.session_id)
    assert kept is not None
    assert not kept.published, "what no partner is told, no partner reads in a list either"


async def test_a_refused_row_never_stops_another_station(house: House) -> None:
    for name in ("CP2", "CP3"):
        await house.intake.report(name, SetUp())
    lines = [await house.intake.connect(name, "1.6") for name in ("CP1", "CP2", "CP3")]
    bad = begins(house.clock.now(), tag="BAD\0TAG")
    answers = [house.say(line, BootReport(vendor="V", model="M"), "BootNotification") for line in lines]
    answers.insert(1, house.say(lines[1], bad, "StartTransaction", b"the bad frame"))
    rendered = await asyncio.gather(*answers)
    assert all(rendered)
    async with house.store.reading() as session:
        kept = await frames.quarantined(session, "CP2", limit=10)
        boots = [(await stations.get(session, name)).station.boot for name in ("CP1", "CP2", "CP3")]
    assert [each.frame for each in kept[0]] == [b"the bad frame"]
    assert all(boot is not None and boot.vendor == "V" for boot in boots)


async def test_with_the_store_away_nothing_is_answered(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    line = await house.intake.connect("CP1", "1.6")

    def away(*_: object) -> None:
        raise StoreUnavailable("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("app.store.bulk.writer.Batch.commit", away)
        with pytest.raises(Unanswered):
            await house.say(line, begins(house.clock.now()))
    answer = await house.heard(line, begins(house.clock.now()))
    house.clock.advance(60)
    await house.heard(line, ends(answer.transaction_id, house.clock.now(), 1100))
    assert len(await all_cdrs(house)) == 1


async def test_only_the_newest_socket_is_listened_to(house: House) -> None:
    old = await house.intake.connect("CP1", "1.6")
    new = await house.intake.connect("CP1", "1.6")
    assert new.epoch == old.epoch + 1
    with pytest.raises(Unanswered):
        await house.say(old, begins(house.clock.now()))
    await house.intake.disconnect(old)
    async with house.store.reading() as session:
        stored = await stations.get(session, "CP1")
    assert stored is not None
    assert stored.online, "the end of an older socket does not take the station offline"
    await house.intake.disconnect(new)
    async with house.store.reading() as session:
        stored = await stations.get(session, "CP1")
    assert stored is not None
    assert not stored.online


async def test_every_call_is_in_the_wire_log(house: House) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.say(line, Refused(reason="unknown action"), "Nonsense", b'[2,"m","Nonsense",{}]')
    async with house.store.reading() as session:
        found, total = await frames.find(session, "CP1", limit=10)
    assert total == 1
    assert (found[0].action, found[0].request) == ("Nonsense", b'[2,"m","Nonsense",{}]')
