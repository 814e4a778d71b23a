"""What stations of real life send, and what the house understands."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft6Validator

from app.domain.metering import SampledValue
from app.domain.stations import (
    Acknowledged,
    AuthorizeReport,
    BootAnswer,
    BootReport,
    Notice,
    StatusReport,
    TimeAnswer,
    Unreadable,
)
from app.domain.status import ConnectorStatus
from app.domain.tokens import Authorization, Verdict
from app.domain.transactions import (
    StartAnswer,
    StopAnswer,
    TransactionEnded,
    TransactionMetered,
    TransactionStarted,
    start_key,
)
from ocpp_bridge import rpc
from ocpp_bridge.v16.inbound import Translated, reply_to, translate
from ocpp_bridge.v16.schemas import schema

AT = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
STAMP = "2026-11-20T10:00:00Z"


def read(action: str, payload: Any) -> Translated:
    data = json.dumps([2, "m", action, payload]).encode()
    frame = rpc.parse(data)
    assert isinstance(frame, rpc.CallFrame)
    return translate(frame, len(data))


def answer(action: str, payload: Any, given: Any) -> Any:
    data = json.dumps([2, "m", action, payload]).encode()
    frame = rpc.parse(data)
    assert isinstance(frame, rpc.CallFrame)
    kind, message_id, body = json.loads(reply_to(frame, translate(frame, len(data)))(given))
    assert (kind, message_id) == (3, "m")
    Draft6Validator(schema(f"{action}Response")).validate(body)
    return body


START = {"connectorId": 2, "idTag": "ABC", "meterStart": 1000, "timestamp": STAMP}
STOP = {"transactionId": 7, "meterStop": 2000, "timestamp": STAMP, "idTag": "ABC", "reason": "Remote"}


def test_a_plain_transaction_has_no_deviations() -> None:
    start, stop = read("StartTransaction", START | {"reservationId": 4}), read("StopTransaction", STOP)
    assert start.report == TransactionStarted(
        evse=2, connector=1, id_tag="ABC", at=AT, stamp=STAMP, meter_start=Decimal(1000), reservation_id=4
    )
    assert stop.report == TransactionEnded(
        transaction_id=7, id_tag="ABC", at=AT, stamp=STAMP, meter_stop=Decimal(2000), reason="Remote"
    )
    assert start.deviations == stop.deviations == ()


def test_starts_at_two_connectors_are_two_starts_even_with_the_same_card_time_and_meter() -> None:
    # A station that lost its clock and has meters at zero tells its connectors apart by their number only.
    start = START | {"meterStart": 0, "timestamp": "1970-01-01T00:00:00Z"}
    first, second = (read("StartTransaction", start | {"connectorId": number}).report for number in (1, 2))
    again = read("StartTransaction", start | {"connectorId": 1, "meterStart": 0.0}).report
    assert isinstance(first, TransactionStarted)
    assert isinstance(second, TransactionStarted)
    assert isinstance(again, TransactionStarted)
    assert start_key(first) == start_key(again) != start_key(second)


TOLERATED = [
    ({"vendorThing": {"a": [1]}}, {}, "unknown property"),
    ({"meterStart": 1000.0}, {}, "meterStart is not an integer"),
    ({"meterStart": 1000.5}, {"meter_start": Decimal("1000.5")}, "meterStart is not an integer"),
    ({"meterStart": "1000"}, {}, "meterStart is a text"),
    ({"meterStart": -5}, {"meter_start": Decimal(-5)}, None),
    ({"connectorId": "2"}, {}, "connectorId is a text"),
    ({"connectorId": None}, {"evse": 0, "connector": 0}, "connectorId is null"),
    ({"connectorId": -3}, {"evse": 0, "connector": 0}, "connectorId out of range"),
    ({"connectorId": 10**30}, {"evse": 0, "connector": 0}, "connectorId unreadable"),
    ({"connectorId": 0}, {"evse": 0, "connector": 0}, None),
    ({"idTag": "X" * 21}, {"id_tag": "X" * 21}, "idTag longer than 20"),
    ({"idTag": 4711}, {"id_tag": "4711"}, "idTag is a number"),
    ({"idTag": None}, {"id_tag": ""}, "idTag missing"),
    ({"idTag": ["A"]}, {"id_tag": ""}, "idTag unreadable"),
    ({"reservationId": "none"}, {}, "reservationId unreadable"),
    ({"reservationId": None}, {}, "reservationId is null"),
    ({"timestamp": "2026-11-20T10:00:00"}, {"stamp": "2026-11-20T10:00:00"}, "timestamp without zone"),
    ({"timestamp": "1970-01-01T00:00:00Z"}, {"at": None, "stamp": "1970-01-01T00:00:00Z"}, "timestamp out of range"),
    ({"timestamp": "soon"}, {"at": None, "stamp": "soon"}, "timestamp unreadable"),
    ({"timestamp": None}, {"at": None, "stamp": ""}, "timestamp missing"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected", "note"), TOLERATED, ids=[str(case[0]) for case in TOLERATED])
def test_oddities_never_cost_a_session(
    change: dict[str, Any], expected: dict[str, Any], note: str | None
) -> None:
    translated = read("StartTransaction", START | change)
    report = translated.report
    assert isinstance(report, TransactionStarted)
    plain = {
        "evse": 2,
        "connector": 1,
        "id_tag": "ABC",
        "at": AT,
        "stamp": STAMP,
        "meter_start": Decimal(1000),
    }
    assert {name: getattr(report, name) for name in plain} == plain | expected
    assert (note in translated.deviations) if note else translated.deviations == ()


@pytest.mark.parametrize(
    ("change", "expected", "note"),
    [
        ({"reason": "Bored"}, {"reason": "Bored"}, "reason has an unknown value"),
        ({"transactionId": "7"}, {}, "transactionId is a text"),
        ({"transactionId": None}, {"transaction_id": -1}, "transactionId missing"),
        ({"transactionId": 10**19}, {"transaction_id": -1}, "transactionId out of range"),
        ({"transactionData": None}, {}, "the list of meter values is null"),
        ({"transactionData": "none"}, {}, "a meter value that cannot be read"),
        ({"meterStop": 2000.0}, {}, "meterStop is not an integer"),
    ],
)
def test_oddities_never_cost_a_stop(change: dict[str, Any], expected: dict[str, Any], note: str) -> None:
    translated = read("StopTransaction", STOP | change)
    report = translated.report
    assert isinstance(report, TransactionEnded)
    plain = {"transaction_id": 7, "id_tag": "ABC", "at": AT, "meter_stop": Decimal(2000), "reason": "Remote"}
    assert {name: getattr(report, name) for name in plain} == plain | expected
    assert report.samples == ()
    assert note in translated.deviations


_NO_NUMBERS = ("full", None, [], 10**400, "NaN", "1e999999")


def test_a_start_without_a_meter_is_for_a_person_to_look_at() -> None:
    for given in _NO_NUMBERS:
        assert isinstance(read("StartTransaction", START | {"meterStart": given}).report, Unreadable)


def _plain(value: SampledValue) -> SampledValue:
    """Without what a type of the wire adds to it."""
    return SampledValue(**{name: getattr(value, name) for name in SampledValue.__struct_fields__})


def test_a_stop_without_a_meter_still_ends_its_transaction() -> None:
    for given in _NO_NUMBERS:
        translated = read("StopTransaction", STOP | {"meterStop": given})
        assert isinstance(translated.report, TransactionEnded)
        assert translated.report.meter_stop is None
        assert "meterStop missing" in translated.deviations


def test_sampled_values_of_all_kinds() -> None:
    good = {"value": "12.5", "unit": "kWh", "measurand": "Energy.Active.Import.Register", "phase": "L1"}
    values = [
        {"timestamp": STAMP, "sampledValue": [good]},
        {"timestamp": STAMP, "sampledValue": [good, {"value": 5, "context": None, "x": 1}, {"unit": "W"}, 7]},
        {
            "timestamp": STAMP,
            "sampledValue": {"value": "1", "format": "SignedData", "measurand": "New.Thing"},
        },
        {"sampledValue": []},
        "nothing",
    ]
    translated = read("MeterValues", {"connectorId": 1, "transactionId": 9, "meterValue": values})
    report = translated.report
    assert isinstance(report, TransactionMetered)
    assert (report.evse, report.connector, report.transaction_id) == (1, 1, 9)
    first = SampledValue(value="12.5", unit="kWh", phase="L1")
    assert [tuple(map(_plain, sample.values)) for sample in report.samples] == [
        (first,),
        (first, SampledValue(value="5")),
        (SampledValue(value="1", measurand="New.Thing", signed=True),),
        (),
    ]
    assert [sample.at for sample in report.samples] == [AT, AT, AT, None]
    assert [json.loads(sample.document) for sample in report.samples] == [
        value["sampledValue"] for value in values[:4] if isinstance(value, dict)
    ]
    assert set(translated.deviations) == {
        "value is a number", "unknown property", "a sampled value that cannot be read", "timestamp missing",
        "an object in place of a list", "measurand has an unknown value", "a meter value that cannot be read",
        "a field of a sampled value is null",
    }  # fmt: skip


def test_the_document_of_a_sample_is_kept_byte_for_byte() -> None:
    sampled = '[ {"value" : "1.50",  "format":"SignedData"} ]'
    data = f'[2,"m","MeterValues",{{"connectorId":1,"meterValue":[{{"timestamp":"{STAMP}","sampledValue":{sampled}}}]}}]'
    frame = rpc.parse(data.encode())
    assert isinstance(frame, rpc.CallFrame)
    report = translate(frame, len(data)).report
    assert isinstance(report, TransactionMetered)
    assert report.samples[0].document == sampled


def test_many_samples_are_taken_and_noted() -> None:
    value = {"timestamp": STAMP, "sampledValue": [{"value": "1"}] * 401}
    assert read("MeterValues", {"connectorId": 1, "meterValue": [value]}).deviations == (
        "more than 400 samples",
    )


def test_status_words() -> None:
    plain = {"connectorId": 1, "errorCode": "NoError", "status": "SuspendedEV", "timestamp": STAMP}
    assert read("StatusNotification", plain).report == StatusReport(
        evse=1, connector=1, status=ConnectorStatus.SUSPENDED_EV, at=AT
    )
    whole = read(
        "StatusNotification", {"connectorId": 0, "errorCode": "NoError", "status": "Available"}
    ).report
    assert whole == StatusReport(evse=0, connector=0, status=ConnectorStatus.AVAILABLE)
    odd = read(
        "StatusNotification",
        plain
        | {"errorCode": "PowerLimitExceeded", "status": "Dreaming", "info": "i" * 60, "vendorErrorCode": 7},
    )
    assert odd.report == StatusReport(
        evse=1, connector=1, status=ConnectorStatus.UNKNOWN, error_code="PowerLimitExceeded", info="i" * 60,
        vendor_error_code="7", at=AT,
    )  # fmt: skip
    assert len(odd.deviations) == 4


def test_boot_with_texts_that_are_too_long() -> None:
    translated = read(
        "BootNotification", {"chargePointVendor": "V" * 30, "chargePointModel": "M", "extra": 1}
    )
    assert translated.report == BootReport(vendor="V" * 30, model="M")
    assert translated.deviations == ("chargePointVendor longer than 20", "unknown property")


@pytest.mark.parametrize(
    ("action", "payload", "status", "at"),
    [
        ("FirmwareStatusNotification", {"status": "Installed"}, "Installed", None),
        ("DiagnosticsStatusNotification", {"status": "Uploading"}, "Uploading", None),
        ("LogStatusNotification", {"status": "Uploaded", "requestId": 3}, "Uploaded", None),
        ("SignedFirmwareStatusNotification", {"status": "InvalidSignature"}, "InvalidSignature", None),
        ("SecurityEventNotification", {"type": "TamperDetectionActivated", "timestamp": STAMP}, None, AT),
        ("DataTransfer", {"vendorId": "org.example", "data": "x"}, None, None),
    ],
)
def test_notices_are_kept_with_their_words(
    action: str, payload: Any, status: str | None, at: datetime | None
) -> None:
    report = read(action, payload).report
    assert isinstance(report, Notice)
    assert (report.kind, report.status, report.at) == (action, status, at)
    assert json.loads(report.text) == payload
    assert answer(action, payload, Acknowledged()) in ({}, {"status": "UnknownVendorId"})


def test_answers_fit_their_schemas() -> None:
    allowed = Authorization(verdict=Verdict.ACCEPTED, expires_at=AT, parent_id_tag="GROUP")
    info = {"status": "Accepted", "expiryDate": "2026-11-20T10:00:00.000Z", "parentIdTag": "GROUP"}
    boot = BootAnswer(status="Pending", now=AT, interval=30)
    assert answer("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"}, boot) == {
        "status": "Pending",
        "currentTime": "2026-11-20T10:00:00.000Z",
        "interval": 30,
    }
    assert answer("Heartbeat", {}, TimeAnswer(now=AT)) == {"currentTime": "2026-11-20T10:00:00.000Z"}
    assert answer("Authorize", {"idTag": "A"}, allowed) == {"idTagInfo": info}
    assert read("Authorize", {"idTag": "A"}).report == AuthorizeReport(id_tag="A")
    started = StartAnswer(transaction_id=5, authorization=allowed)
    assert answer("StartTransaction", START, started) == {"transactionId": 5, "idTagInfo": info}
    assert answer("StopTransaction", STOP, StopAnswer(authorization=allowed)) == {"idTagInfo": info}
    assert answer("StopTransaction", STOP, StopAnswer()) == {}
    assert answer("MeterValues", {"connectorId": 1, "meterValue": []}, Acknowledged()) == {}
    for verdict, status in (
        (Verdict.BLOCKED, "Blocked"),
        (Verdict.EXPIRED, "Expired"),
        (Verdict.INVALID, "Invalid"),
    ):
        assert answer("Authorize", {"idTag": "A"}, Authorization(verdict=verdict)) == {
            "idTagInfo": {"status": status}
        }
