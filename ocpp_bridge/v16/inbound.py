"""Calls of an OCPP 1.6 station: each becomes one report to the house, and its answer one payload."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from app.domain.charging.decisions import Answer, Report
from app.domain.metering import MeterSample
from app.domain.stations import (
    Acknowledged,
    AuthorizeReport,
    BootAnswer,
    BootReport,
    Heartbeat,
    Notice,
    Refused,
    StatusReport,
    TimeAnswer,
    Unreadable,
)
from app.domain.status import ConnectorStatus
from app.domain.tokens import Authorization
from app.domain.transactions import (
    StartAnswer,
    StopAnswer,
    TransactionEnded,
    TransactionMetered,
    TransactionStarted,
)
from ocpp_bridge import rpc
from ocpp_bridge.errors import Violation
from ocpp_bridge.rpc import CallFrame, ErrorCode, Fault
from ocpp_bridge.v16 import meter_values, timestamps
from ocpp_bridge.v16.schemas import ACTIONS
from ocpp_bridge.v16.types import loosely, strict
from ocpp_bridge.v16.vocabulary import AUTHORIZATION_STATUS, CONNECTOR_STATUS, MONEY

SMALL_FRAME = 4 * 2**20
"""Most bytes of a call that is not about a transaction."""
_LAST_CONNECTOR = 2**15 - 1
_LAST_NUMBER = 2**63 - 1
_NO_TRANSACTION = -1
_MONEY_NAMES = tuple(sorted(MONEY))

Notes = list[str]


class Translated(msgspec.Struct, gc=False):
    """A call in the words of the house; `payload` turns the answer back, `fault` answers with an error instead."""

    report: Report
    payload: Callable[[Answer], bytes]
    deviations: tuple[str, ...] = ()
    fault: Fault | None = None


class _Action(msgspec.Struct, frozen=True):
    """How one action is read and answered; `forgiven`: required fields whose absence is tolerated."""

    read: Callable[[Any, Notes], Report]
    answer: Callable[[Answer], bytes]
    forgiven: frozenset[str] = frozenset()
    by_neighbours: bool = False


def translate(frame: CallFrame, size: int) -> Translated:
    """What a call means. Never raises for anything a station can send.

    A transaction message that cannot be read becomes Unreadable (and is acknowledged), any other Refused with
    its fault. `size` is the length of the frame in bytes.
    """
    action = _ACTIONS.get(frame.action)
    if action is None:
        return _refused(_unknown(frame), frame)
    money = frame.action in MONEY
    if not money and frame.fault is not None:
        return _refused(frame.fault, frame)
    if not money and size > SMALL_FRAME:
        return _refused(Fault(ErrorCode.GENERIC, "the message is too large"), frame)
    notes = [*frame.oddities] if frame.fault is None else [*frame.oddities, frame.fault.text]
    try:
        report = _read(action, frame, notes)
    except Violation as violation:
        if money:
            return unreadable(frame, str(violation), tuple(dict.fromkeys(notes)))
        return _refused(violation.fault(), frame)
    return Translated(report, action.answer, tuple(dict.fromkeys(notes)) if notes else ())


def traces(data: bytes) -> CallFrame | None:
    """A transaction message in bytes that are no frame at all, by its name: it cannot be answered, but is kept."""
    action = next((name for name in _MONEY_NAMES if name.encode() in data), None)
    return None if action is None else CallFrame("", action, b"", None)


def unreadable(frame: CallFrame, reason: str, notes: tuple[str, ...] = ()) -> Translated:
    """A transaction message nobody can read: kept for a person, and answered so that the station goes on."""
    report = Unreadable(action=frame.action, reason=reason)
    return Translated(report, _ACTIONS[frame.action].answer, notes)


def _read(action: _Action, frame: CallFrame, notes: Notes) -> Report:
    try:
        payload = strict(frame.action).decode(frame.payload)
    except (msgspec.DecodeError, RecursionError):
        payload = loosely(
            frame.action, frame.payload, notes, money=action.by_neighbours, forgiven=action.forgiven
        )
    return action.read(payload, notes)


def _unknown(frame: CallFrame) -> Fault:
    if frame.fault is not None:
        return frame.fault
    if frame.action in ACTIONS:
        return Fault(ErrorCode.NOT_SUPPORTED, "this call is not supported from a station")
    return Fault(ErrorCode.NOT_IMPLEMENTED, "unknown action")


def _refused(fault: Fault, frame: CallFrame) -> Translated:
    return Translated(Refused(reason=f"{fault.code}: {fault.text}"), _nothing, frame.oddities, fault)


def _boot(payload: Any, _notes: Notes) -> Report:
    return BootReport(
        vendor=payload.chargePointVendor,
        model=payload.chargePointModel,
        serial_number=payload.chargePointSerialNumber,
        box_serial_number=payload.chargeBoxSerialNumber,
        firmware_version=payload.firmwareVersion,
        iccid=payload.iccid,
        imsi=payload.imsi,
        meter_type=payload.meterType,
        meter_serial_number=payload.meterSerialNumber,
    )


_HEARTBEAT = Heartbeat()


def _heartbeat(_payload: Any, _notes: Notes) -> Report:
    return _HEARTBEAT


def _authorize(payload: Any, _notes: Notes) -> Report:
    return AuthorizeReport(id_tag=payload.idTag)


def _status(payload: Any, notes: Notes) -> Report:
    number = payload.connectorId
    if not isinstance(number, int) or not 0 <= number <= _LAST_CONNECTOR:
        raise Violation(ErrorCode.PROPERTY, "connectorId", "is out of range")
    at = None
    if payload.timestamp is not None:
        at, note = timestamps.read(payload.timestamp)
        if note is not None:
            notes.append(note)
    return StatusReport(
        evse=number,
        connector=1 if number else 0,
        status=CONNECTOR_STATUS.get(payload.status, ConnectorStatus.UNKNOWN),
        error_code=payload.errorCode or "NoError",
        info=payload.info,
        vendor_id=payload.vendorId,
        vendor_error_code=payload.vendorErrorCode,
        at=at,
    )


def _start(payload: Any, notes: Notes) -> Report:
    at, note = timestamps.read(payload.timestamp)
    if note is not None:
        notes.append(note)
    evse, connector = _place(payload.connectorId, notes)
    reservation = payload.reservationId
    return TransactionStarted(
        evse=evse,
        connector=connector,
        id_tag=payload.idTag or "",
        at=at,
        stamp=payload.timestamp or "",
        meter_start=Decimal(payload.meterStart),
        reservation_id=reservation if reservation is None else _number(reservation, "reservationId", notes),
    )


def _metered(payload: Any, notes: Notes) -> Report:
    evse, connector = _place(payload.connectorId, notes)
    number = payload.transactionId
    return TransactionMetered(
        evse=evse,
        connector=connector,
        transaction_id=number if number is None else _number(number, "transactionId", notes),
        samples=meter_values.samples(payload.meterValue, notes),
    )


def _stop(payload: Any, notes: Notes) -> Report:
    at, note = timestamps.read(payload.timestamp)
    if note is not None:
        notes.append(note)
    data: tuple[MeterSample, ...] = meter_values.samples(payload.transactionData, notes)
    number = payload.transactionId
    return TransactionEnded(
        transaction_id=_NO_TRANSACTION if number is None else _number(number, "transactionId", notes),
        id_tag=payload.idTag,
        at=at,
        stamp=payload.timestamp or "",
        meter_stop=None if payload.meterStop is None else Decimal(payload.meterStop),
        reason=payload.reason or "Local",
        samples=data,
    )


def _place(number: Any, notes: Notes) -> tuple[int, int]:
    """Connector n of OCPP 1.6 is EVSE n, connector 1; what is no connector counts as the station as a whole."""
    if isinstance(number, int) and 0 < number <= _LAST_CONNECTOR:
        return number, 1
    if number != 0:
        notes.append("connectorId out of range")
    return 0, 0


def _number(number: Any, field: str, notes: Notes) -> int:
    if isinstance(number, int) and -_LAST_NUMBER <= number <= _LAST_NUMBER:
        return number
    notes.append(f"{field} out of range")
    return _NO_TRANSACTION


def _notice(kind: str) -> Callable[[Any, Notes], Report]:
    def read(payload: Any, notes: Notes) -> Report:
        given = {
            name: value for name in _properties(payload) if (value := getattr(payload, name)) is not None
        }
        at = None
        if "timestamp" in given:
            at, note = timestamps.read(given["timestamp"])
            if note is not None:
                notes.append(note)
        status = given.get("status")
        return Notice(kind=kind, status=status, at=at, text=meter_values.as_json(given))

    return read


def _properties(payload: Any) -> tuple[str, ...]:
    fields: tuple[str, ...] = getattr(payload, "__struct_fields__", ()) or tuple(vars(payload))
    return fields


def _nothing(_answer: Answer) -> bytes:
    return b"{}"


def _boot_answer(answer: Answer) -> bytes:
    if not isinstance(answer, BootAnswer):
        return b"{}"
    now = timestamps.written(answer.now)
    return msgspec.json.encode({"status": answer.status, "currentTime": now, "interval": answer.interval})


def _time(answer: Answer) -> bytes:
    if not isinstance(answer, TimeAnswer):
        return b"{}"
    return b'{"currentTime":"' + timestamps.written(answer.now).encode() + b'"}'


def _tag_info(authorization: Authorization) -> bytes:
    info: dict[str, str] = {"status": AUTHORIZATION_STATUS[authorization.verdict]}
    if authorization.expires_at is not None:
        info["expiryDate"] = timestamps.written(authorization.expires_at)
    if authorization.parent_id_tag is not None:
        info["parentIdTag"] = authorization.parent_id_tag
    return msgspec.json.encode(info)


def _authorize_answer(answer: Answer) -> bytes:
    return b'{"idTagInfo":' + _tag_info(answer) + b"}" if isinstance(answer, Authorization) else b"{}"


def _start_answer(answer: Answer) -> bytes:
    if not isinstance(answer, StartAnswer):
        return b"{}"
    number = str(answer.transaction_id).encode()
    return b'{"transactionId":' + number + b',"idTagInfo":' + _tag_info(answer.authorization) + b"}"


def _stop_answer(answer: Answer) -> bytes:
    if not isinstance(answer, StopAnswer) or answer.authorization is None:
        return b"{}"
    return b'{"idTagInfo":' + _tag_info(answer.authorization) + b"}"


def _data_transfer(answer: Answer) -> bytes:
    return b'{"status":"UnknownVendorId"}' if isinstance(answer, Acknowledged) else b"{}"


_ACTIONS: dict[str, _Action] = {
    "Authorize": _Action(_authorize, _authorize_answer),
    "BootNotification": _Action(_boot, _boot_answer),
    "DataTransfer": _Action(_notice("DataTransfer"), _data_transfer),
    "DiagnosticsStatusNotification": _Action(_notice("DiagnosticsStatusNotification"), _nothing),
    "FirmwareStatusNotification": _Action(_notice("FirmwareStatusNotification"), _nothing),
    "Heartbeat": _Action(_heartbeat, _time),
    "LogStatusNotification": _Action(_notice("LogStatusNotification"), _nothing),
    "MeterValues": _Action(_metered, _nothing, frozenset({"connectorId"}), by_neighbours=True),
    "SecurityEventNotification": _Action(_notice("SecurityEventNotification"), _nothing),
    "SignedFirmwareStatusNotification": _Action(_notice("SignedFirmwareStatusNotification"), _nothing),
    "StartTransaction": _Action(
        _start, _start_answer, frozenset({"connectorId", "idTag", "timestamp"}), by_neighbours=True
    ),
    "StatusNotification": _Action(_status, _nothing, frozenset({"errorCode"}), by_neighbours=True),
    "StopTransaction": _Action(
        _stop, _stop_answer, frozenset({"transactionId", "timestamp", "meterStop"}), by_neighbours=True
    ),
}


def reply_to(frame: CallFrame, translated: Translated) -> Callable[[Answer], bytes]:
    """The function that makes the answer's frame from the house's answer; empty bytes where none can be sent."""
    echo, fault, payload = frame.echo, translated.fault, translated.payload
    if echo is None:
        return lambda _answer: b""
    if fault is not None:
        return lambda _answer: rpc.error(echo, fault)
    return lambda answer: rpc.result(echo, payload(answer))
