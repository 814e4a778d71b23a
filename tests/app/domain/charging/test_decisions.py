"""What messages decide, in memory: parking, interruptions, clocks, ends without a stop, connector zero."""

import itertools
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from app.domain.cdrs import CdrState
from app.domain.charging.decisions import FORGOTTEN_AFTER, STOP_GRACE, decide, needs, tolerate
from app.domain.charging.state import BilledRecord, Changes, Known, Names, StationState
from app.domain.events import EvseStatusChanged, SessionChanged
from app.domain.locations import Connector, Evse, GeoPoint, Location
from app.domain.metering import MeterSample, SampledValue
from app.domain.stations import (
    Admission,
    BootReport,
    ChargingStation,
    CloseOverdue,
    CloseTransaction,
    Connected,
    ConnectorLink,
    Disconnected,
    Silent,
    StatusReport,
    Unreadable,
)
from app.domain.status import ConnectorStatus, EvseStatus
from app.domain.tariffs import PriceComponent, Tariff, TariffDimension, TariffElement
from app.domain.tokens import Token, TokenType, Verdict, Whitelist
from app.domain.transactions import TransactionEnded, TransactionMetered, TransactionStarted

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def component(kind: TariffDimension, price: str) -> PriceComponent:
    return PriceComponent(type=kind, price=Decimal(price), step_size=1)


class Desk:
    """One station with two connectors of one EVSE and a third of another, a tariff, a token, and the time."""

    def __init__(self) -> None:
        self.now = NOON
        connector = Connector(
            id="1", standard="IEC_62196_T2", format="SOCKET", power_type="AC_3_PHASE", max_voltage=230,
            max_amperage=32, tariff_ids=("T1",), last_updated=NOON,
        )  # fmt: skip
        evses = tuple(
            Evse(uid=uid, evse_id=f"NL*VBR*{uid}", connectors=(connector,), last_updated=NOON)
            for uid in ("E1", "E2")
        )
        self.location = Location(
            country_code="NL", party_id="VBR", id="LOC1", publish=True, address="A", city="B", country="NLD",
            coordinates=GeoPoint(latitude="52.1", longitude="5.1"), time_zone="Europe/Amsterdam", evses=evses,
            last_updated=NOON,
        )  # fmt: skip
        self.tariff: Tariff | None = Tariff(
            country_code="NL", party_id="VBR", id="T1", currency="EUR", last_updated=NOON,
            elements=(
                TariffElement(
                    price_components=(
                        component(TariffDimension.ENERGY, "0.30"),
                        component(TariffDimension.PARKING_TIME, "6.00"),
                    )
                ),
            ),
        )  # fmt: skip
        self.token = Token(
            country_code="DE", party_id="EMP", uid="TAG1", type=TokenType.RFID, contract_id="C1", issuer="E",
            valid=True, whitelist=Whitelist.ALLOWED, last_updated=NOON,
        )  # fmt: skip
        links = tuple(
            ConnectorLink(evse=n, evse_uid=uid, connector_id="1")
            for n, uid in ((1, "E1"), (2, "E1"), (3, "E2"))
        )
        station = ChargingStation(
            id="CP1", state=Admission.ACCEPTED, location_id="LOC1", connectors=links, last_updated=NOON
        )
        self.state = StationState(station, [], [], {})
        numbers = itertools.count(100)
        self.names = Names(
            number=lambda: next(numbers), id=lambda: f"id{next(numbers)}", country_code="NL", party_id="VBR"
        )
        self.records: list[BilledRecord] = []

    def after(self, **time: float) -> "Desk":
        self.now += timedelta(**time)
        return self

    def say(self, report: Any) -> Any:
        needs(self.state, report)
        known = Known(
            tokens={"TAG1": [self.token]},
            locations={"LOC1": self.location},
            tariffs={"T1": self.tariff} if self.tariff else {},
        )
        answer, self.changes = decide(self.state, report, known=known, now=self.now, names=self.names)
        self.records += self.changes.records
        return answer

    def status(
        self, status: str, connector: int = 1, error: str = "NoError", at: datetime | None = None
    ) -> Changes:
        self.say(
            StatusReport(
                evse=connector, connector=1 if connector else 0, status=ConnectorStatus(status), error_code=error,
                at=at or self.now,
            )
        )  # fmt: skip
        return self.changes

    def start(self, at: datetime | None = None, meter: int = 0, connector: int = 1) -> int:
        at = at or self.now
        answer = self.say(
            TransactionStarted(
                evse=connector, connector=1, id_tag="TAG1", at=at, stamp=str(at), meter_start=Decimal(meter)
            )
        )
        return int(answer.transaction_id)

    def meter(self, number: int | None, wh: int, at: datetime | None = None) -> Changes:
        sample = MeterSample(at=at or self.now, values=(SampledValue(value=str(wh)),), document="[]")
        self.say(TransactionMetered(evse=1, connector=1, transaction_id=number, samples=(sample,)))
        return self.changes

    def stop(
        self, number: int, wh: int, at: datetime | None = None, tag: str | None = None
    ) -> BilledRecord | None:
        at = at or self.now
        before = len(self.records)
        meter = Decimal(wh)
        self.say(TransactionEnded(transaction_id=number, id_tag=tag, at=at, stamp=str(at), meter_stop=meter))
        return self.records[-1] if len(self.records) > before else None


@pytest.fixture
def desk() -> Desk:
    return Desk()


def shown(desk: Desk) -> dict[str, str]:
    return {uid: status.value for uid, status in desk.state.shown.items()}


def test_only_suspended_by_the_vehicle_is_parking(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=30).meter(number, 10_000)
    desk.status("SuspendedEV")
    desk.after(minutes=20).status("SuspendedEVSE")
    desk.after(minutes=10).status("Charging")
    desk.after(minutes=30)
    billed = desk.stop(number, 20_000)
    assert billed is not None
    record = billed.record
    assert record.total_parking_time == Decimal("0.3333")
    assert record.total_time == Decimal("1.5")
    assert record.total_energy_cost is not None
    assert record.total_energy_cost.excl_vat == Decimal("6.00")
    assert record.total_parking_cost is not None
    assert record.total_parking_cost.excl_vat == Decimal("2.00")
    kinds = [sorted(d.type for d in p.dimensions) for p in record.periods]
    assert ["PARKING_TIME"] in kinds
    assert sum(d.volume for p in record.periods for d in p.dimensions if d.type == "TIME") == 1


def test_interruptions_are_listed(desk: Desk) -> None:
    number = desk.start()
    transaction = desk.state.running[number].transaction
    desk.after(minutes=5).status("SuspendedEVSE")
    desk.after(minutes=5).status("Charging")
    desk.after(minutes=5).say(Disconnected())
    desk.after(minutes=5).say(Connected(version="1.6"))
    desk.after(minutes=5).status("Faulted", error="GroundFailure")
    desk.after(minutes=5)
    desk.stop(number, 10)
    found = [
        (i.cause.value, int((i.until - i.since).total_seconds() / 60))
        for i in transaction.interruptions
        if i.until
    ]
    assert found == [("SuspendedEVSE", 5), ("offline", 5), ("fault", 5)]


def test_a_session_is_told_once_a_minute_unless_periods_change(desk: Desk) -> None:
    number = desk.start()
    assert [event.whole for event in desk.changes.events if isinstance(event, SessionChanged)] == [True]
    assert not desk.after(seconds=30).meter(number, 100).events
    (told,) = desk.after(seconds=30).meter(number, 200).events
    assert isinstance(told, SessionChanged)
    assert not told.whole
    (told,) = (
        e for e in desk.after(seconds=10).status("SuspendedEV").events if isinstance(e, SessionChanged)
    )
    assert told.whole, "a new charging period: the whole session travels"
    assert not [e for e in desk.after(minutes=2).meter(number, 200).events if isinstance(e, SessionChanged)]


def test_an_offline_transaction_is_billed_by_station_time(desk: Desk) -> None:
    began = NOON - timedelta(hours=6)
    number = desk.start(at=began)
    for hour in (1, 2):
        desk.meter(number, hour * 5000, at=began + timedelta(hours=hour))
    billed = desk.stop(number, 10_000, at=began + timedelta(hours=2))
    assert billed is not None
    assert (billed.record.start_date_time, billed.record.total_time) == (began, Decimal(2))
    assert billed.state is CdrState.ISSUED


def test_a_station_without_a_clock_is_billed_by_ours(desk: Desk) -> None:
    future = NOON + timedelta(days=365)
    number = desk.start(at=future)
    transaction = desk.state.running[number].transaction
    desk.after(minutes=30)
    billed = desk.stop(number, 1000, at=future + timedelta(minutes=30))
    assert billed is not None
    assert (billed.record.start_date_time, billed.record.total_time) == (NOON, Decimal("0.5"))
    assert transaction.flags == ["clock"]


def test_a_station_without_a_clock_has_more_than_one_session(desk: Desk) -> None:
    """It writes 1970 into every start, and its meter begins at 0 each time."""
    billed = []
    for _ in range(3):
        report = TransactionStarted(
            evse=1, connector=1, id_tag="TAG1", at=None, stamp="1970-01-01T00:00:00Z", meter_start=Decimal(0)
        )
        first = desk.say(report).transaction_id
        assert desk.say(report).transaction_id == first, "the same start again while it charges"
        desk.after(minutes=30)
        stop = TransactionEnded(
            transaction_id=first, at=None, stamp="1970-01-01T00:30:00Z", meter_stop=Decimal(900)
        )
        desk.say(stop)
        billed.append(desk.records[-1].record)
    assert len({record.id for record in billed}) == 3
    assert [record.total_energy for record in billed] == [Decimal("0.9")] * 3


def test_a_late_stop_by_a_clock_that_ran_ahead_is_looked_at_by_a_person(desk: Desk) -> None:
    """It stopped after an hour; its clock is two hours ahead, or was until somebody corrected it."""
    number = desk.start(at=NOON + timedelta(hours=2))
    desk.after(hours=6)
    billed = desk.stop(number, 1000, at=NOON + timedelta(hours=3))
    assert billed is not None
    assert (billed.state, billed.reason) == (CdrState.HELD, "mixed_clocks")


def test_a_prompt_stop_by_a_corrected_clock_is_billed(desk: Desk) -> None:
    number = desk.start(at=NOON + timedelta(hours=2))
    desk.after(hours=1)
    billed = desk.stop(number, 1000, at=NOON + timedelta(minutes=58))
    assert billed is not None
    assert (billed.state, billed.record.total_time) == (CdrState.ISSUED, Decimal("0.9667"))


@pytest.mark.parametrize("at", [None, NOON + timedelta(days=90)])
def test_a_stop_without_time_of_a_start_kept_offline_is_looked_at_by_a_person(
    desk: Desk, at: datetime | None
) -> None:
    number = desk.start(at=NOON - timedelta(hours=5))
    desk.say(TransactionEnded(transaction_id=number, at=at, stamp=str(at), meter_stop=Decimal(1000)))
    (billed,) = desk.records
    assert (billed.state, billed.reason) == (CdrState.HELD, "mixed_clocks")


def test_a_stop_before_its_start_ends_when_it_was_received(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=30)
    billed = desk.stop(number, 1000, at=NOON - timedelta(hours=1))
    assert billed is not None
    assert billed.record.end_date_time == NOON + timedelta(minutes=30)


def test_a_newer_start_ends_what_was_under_way(desk: Desk) -> None:
    first = desk.start()
    desk.after(minutes=10).meter(first, 1000)
    desk.after(minutes=50).start(meter=1000)
    (billed,) = desk.records
    assert (billed.state, billed.reason) == (CdrState.HELD, "no_stop")
    assert billed.record.end_date_time == NOON + timedelta(minutes=10), "the last good reading"
    assert list(desk.state.running) != [first]


def test_a_replayed_older_start_leaves_the_running_one_alone(desk: Desk) -> None:
    live = desk.start()
    replayed = desk.start(at=NOON - timedelta(hours=3))
    assert {live, replayed} == set(desk.state.running)
    assert not desk.records


@pytest.mark.parametrize("sign", ["Available", "boot"])
def test_a_sign_of_the_end_closes_after_a_grace(desk: Desk, sign: str) -> None:
    number = desk.start()
    desk.after(minutes=10).meter(number, 1000)
    if sign == "boot":
        desk.after(minutes=1).say(BootReport(vendor="V", model="M"))
    else:
        desk.after(minutes=1).status(sign)
    desk.say(CloseOverdue())
    assert not desk.records
    desk.after(seconds=STOP_GRACE.total_seconds()).say(CloseOverdue())
    (billed,) = desk.records
    assert (billed.reason, billed.record.total_energy) == ("no_stop", 1)


def test_meter_values_take_back_a_sign_of_the_end(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=1).say(BootReport(vendor="V", model="M"))
    desk.after(minutes=1).meter(number, 100)
    desk.after(minutes=20).say(CloseOverdue())
    assert not desk.records
    desk.after(seconds=FORGOTTEN_AFTER.total_seconds()).say(CloseOverdue())
    assert len(desk.records) == 1


def test_closed_by_hand_is_billed_from_the_last_good_reading(desk: Desk) -> None:
    number = desk.start()
    transaction = desk.state.running[number].transaction
    desk.after(minutes=10).meter(number, 2000)
    desk.after(minutes=30).say(CloseTransaction(ref=transaction.ref))
    (billed,) = desk.records
    assert (billed.state, billed.record.total_energy) == (CdrState.ISSUED, 2)
    assert transaction.flags == ["closed_by_hand"]


def test_meter_values_without_a_number_belong_to_what_charges_there(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=1).meter(None, 500)
    assert desk.state.running[number].register.energy_wh == 500
    desk.meter(424242, 9000)
    assert desk.state.running[number].register.energy_wh == 500, "another number is another transaction"


def test_a_stop_with_an_unknown_number_means_the_only_one_it_can(desk: Desk) -> None:
    desk.start()
    desk.after(minutes=5)
    guessed = desk.stop(-7, 1000, tag="TAG1")
    assert guessed is not None
    assert (guessed.state, guessed.reason) == (CdrState.HELD, "no_stop"), "another connector may be meant"
    desk.start(connector=1, meter=1000)
    desk.start(connector=3)
    assert desk.stop(-8, 5000) is None
    assert [orphan.flags for orphan in desk.changes.orphans] == [["orphan"]]


def test_a_stop_without_number_and_tag_is_looked_at_unless_the_true_one_comes(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=5)
    guessed = desk.stop(-7, 900)
    assert guessed is not None
    assert (guessed.state, guessed.reason, guessed.record.total_energy) == (
        CdrState.HELD,
        "no_stop",
        Decimal("0.9"),
    )
    billed = desk.after(minutes=5).stop(number, 1000)
    assert billed is not None
    assert (billed.state, billed.record.id, billed.record.total_energy) == (
        CdrState.ISSUED,
        guessed.record.id,
        1,
    )


def test_a_stop_without_a_meter_is_billed_from_the_last_reading_by_a_person(desk: Desk) -> None:
    number = desk.start()
    desk.after(minutes=10).meter(number, 2000)
    report = TransactionEnded(transaction_id=number, at=desk.now, stamp="x", meter_stop=None)
    desk.say(report)
    (billed,) = desk.records
    assert (billed.state, billed.reason, billed.record.total_energy) == (CdrState.HELD, "meter_reset", 2)


def test_without_a_tariff_nothing_is_free(desk: Desk) -> None:
    desk.tariff = None
    number = desk.start()
    desk.after(minutes=5)
    billed = desk.stop(number, 1000)
    assert billed is not None
    assert (billed.state, billed.reason, billed.record.total_cost) == (CdrState.HELD, "no_tariff", None)


def test_several_connectors_of_one_evse(desk: Desk) -> None:
    desk.status("Available", 1)
    desk.status("Available", 2)
    assert shown(desk) == {"E1": "AVAILABLE"}
    desk.status("Charging", 2)
    assert shown(desk)["E1"] == "CHARGING"
    desk.after(seconds=1).status("Available", 2)
    desk.status("Faulted", 1)
    assert shown(desk)["E1"] == "OUTOFORDER", "a free connector must not hide a broken one"


def test_connector_zero_speaks_for_the_station_only_when_it_is_out(desk: Desk) -> None:
    desk.status("Charging", 3)
    desk.after(seconds=1).status("Available", 0)
    assert shown(desk)["E2"] == "CHARGING"
    desk.after(seconds=1).status("Unavailable", 0)
    assert shown(desk) == {"E1": "INOPERATIVE", "E2": "INOPERATIVE"}
    desk.after(seconds=1).status("Available", 3)
    assert shown(desk)["E2"] == "AVAILABLE", "newer than the station's own word"


def test_a_fault_without_faulted(desk: Desk) -> None:
    desk.status("Available", 3, error="ConnectorLockFailure")
    assert shown(desk)["E2"] == "OUTOFORDER"
    desk.status("Available", 3, error="WeakSignal")
    assert shown(desk)["E2"] == "AVAILABLE"


def test_a_lost_station_is_unknown_until_it_is_back(desk: Desk) -> None:
    desk.status("Available", 3)
    desk.say(Silent())
    assert shown(desk)["E2"] == EvseStatus.UNKNOWN
    desk.say(Connected(version="1.6"))
    assert shown(desk)["E2"] == "AVAILABLE"
    assert any(isinstance(event, EvseStatusChanged) for event in desk.changes.events)


def test_a_clock_that_ran_ahead_does_not_silence_later_reports(desk: Desk) -> None:
    desk.status("Charging", 3, at=NOON + timedelta(minutes=4))
    desk.after(seconds=30).status("Available", 3)
    assert shown(desk)["E2"] == "AVAILABLE"


def test_what_cannot_be_read_is_answered_and_kept(desk: Desk) -> None:
    answer = desk.say(Unreadable(action="StartTransaction", reason="no payload"))
    assert answer.transaction_id > 0
    assert answer.authorization.verdict is Verdict.INVALID
    assert desk.changes.quarantine == "StartTransaction: no payload"


def test_signed_values_travel_byte_for_byte(desk: Desk) -> None:
    number = desk.start()
    for n, context in enumerate(("Transaction.Begin", "Sample.Periodic", "Transaction.End")):
        value = SampledValue(value=f'OCMF|{{"n": {n}}}|{{"SD":"x{n}"}}', signed=True, context=context)
        sample = MeterSample(at=desk.now, values=(value,), document="[]")
        desk.say(TransactionMetered(evse=1, connector=1, transaction_id=number, samples=(sample,)))
        desk.after(minutes=5)
    billed = desk.stop(number, 1000)
    assert billed is not None
    signed = billed.record.signed_data
    assert signed is not None
    assert signed.encoding_method == "OCMF"
    assert [(v.nature, v.plain_data, v.signed_data) for v in signed.signed_values] == [
        ("Start", '{"n": 0}', 'OCMF|{"n": 0}|{"SD":"x0"}'),
        ("End", '{"n": 2}', 'OCMF|{"n": 2}|{"SD":"x2"}'),
    ]


def test_the_key_of_a_meter_travels_with_its_values(desk: Desk) -> None:
    number = desk.start()
    text = '{"signedMeterData": "T0NNRnx7fXx7fQ==", "encodingMethod": "OCMF", "publicKey": "KEY"}'
    value = SampledValue(value=text, signed=True, context="Transaction.End")
    sample = MeterSample(at=desk.now, values=(value,), document="[]")
    desk.say(TransactionMetered(evse=1, connector=1, transaction_id=number, samples=(sample,)))
    desk.after(minutes=5)
    billed = desk.stop(number, 1000)
    assert billed is not None
    assert billed.record.signed_data is not None
    assert (billed.record.signed_data.encoding_method, billed.record.signed_data.public_key) == (
        "OCMF",
        "KEY",
    )


def test_what_is_forgiven_is_counted_and_flagged(desk: Desk) -> None:
    number = desk.start()
    transaction = desk.state.running[number].transaction
    tolerate(desk.state, desk.changes, ["timestamp without zone"], desk.now)
    tolerate(desk.state, desk.changes, ["timestamp without zone", *map(str, range(60))], desk.now)
    counts = desk.state.station.tolerated
    assert counts["timestamp without zone"] == 2
    assert sum(counts.values()) == 62
    assert len(counts) <= 41, "a station cannot make its own row grow without bound"
    assert transaction.flags == ["tolerated"]
