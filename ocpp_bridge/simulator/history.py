"""What a station kept of earlier visits: the messages it would have sent, with its own timestamps and registers."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from ocpp_bridge.simulator.meter import Meter
from ocpp_bridge.simulator.offline import Message, Queue, Transaction
from ocpp_bridge.simulator.scenario import PastVisit, Visit

Stamp = Callable[[datetime], str]

_MINUTE = timedelta(minutes=1)
_BEFORE_METER_CHANGE = 20
_WANTED = ["Energy.Active.Import.Register", "Power.Active.Import", "SoC"]


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as messages in order, each with its moment; `at`: until when; `full`: the car takes no more."""

    messages: list[tuple[datetime, Message]]
    transaction: Transaction
    begun: dict[str, Any]
    at: datetime
    full: bool


def record(
    meter: Meter,
    past: PastVisit,
    stamp: Stamp,
    *,
    until: datetime | None = None,
    every: int = 15,
    kept: bool = True,
) -> Recording:
    """Charge a car in the past, until it is full or until a moment; the meter stands where it ended.

    `every`: minutes between meter values. `kept`: the messages are history, sent at the queue's pace.
    """
    number, visit, began = past.connector, past.visit, past.began
    transaction = Transaction(number, visit.id_tag)
    meter.arrive(visit.arrives_at)
    messages: list[tuple[datetime, Message]] = []

    def note(at: datetime, action: str, payload: dict[str, Any], of: Transaction | None) -> None:
        messages.append((at, Message(action, payload, of, past=kept)))

    start = {"connectorId": number, "idTag": visit.id_tag, "meterStart": meter.register()}
    note(began, "StartTransaction", start | {"timestamp": stamp(began)}, transaction)
    begun = boundary(meter, "Transaction.Begin", stamp(began), visit.id_tag)
    minutes, most = 0, visit.longest_seconds / 60
    while meter.soc < visit.leaves_at and minutes < most and _before(began + minutes * _MINUTE, until):
        if past.meter_changed and minutes == _BEFORE_METER_CHANGE:
            meter.register_wh = 0.0
        meter.charge(60)
        minutes += 1
        if minutes % every == 0:
            at = began + minutes * _MINUTE
            value = {"timestamp": stamp(at), "sampledValue": meter.sampled(_WANTED)}
            note(at, "MeterValues", {"connectorId": number, "meterValue": [value]}, transaction)
    at, full = began + minutes * _MINUTE, meter.soc >= visit.leaves_at or minutes >= most
    meter.rest()
    if full and visit.stays_seconds > 0:
        note(at, "StatusNotification", suspended(number, stamp(at)), None)
    return Recording(messages=messages, transaction=transaction, begun=begun, at=at, full=full)


def finish(meter: Meter, recording: Recording, visit: Visit, stamp: Stamp) -> tuple[datetime, Message]:
    """The stop of a recorded visit, when the car has stayed on as long as it wanted, and its moment."""
    at = recording.at + timedelta(minutes=round(visit.stays_seconds / 60))
    end = boundary(meter, "Transaction.End", stamp(at), visit.id_tag)
    stop: dict[str, Any] = {
        "meterStop": meter.register(),
        "timestamp": stamp(at),
        "idTag": visit.id_tag,
        "reason": "EVDisconnected" if visit.stays_seconds > 0 else "Local",
        "transactionData": [recording.begun, end],
    }
    return at, Message("StopTransaction", stop, recording.transaction, past=True)


def boundary(meter: Meter, context: str, stamp: str, id_tag: str) -> dict[str, Any]:
    """The register at the beginning or the end of a transaction, and the signed reading where the meter signs."""
    values = meter.sampled(["Energy.Active.Import.Register"], context)
    return {"timestamp": stamp, "sampledValue": values + meter.signed(context, stamp, id_tag)}


def suspended(connector: int, stamp: str) -> dict[str, Any]:
    """The report of a full car that stays on."""
    return {"connectorId": connector, "errorCode": "NoError", "status": "SuspendedEV", "timestamp": stamp}


class History:
    """All messages of a station's earlier time in their order, and how many of them are acknowledged."""

    def __init__(self, meters: Sequence[Meter], visits: Sequence[PastVisit], stamp: Stamp) -> None:
        told: list[tuple[datetime, Message]] = []
        for past in visits:
            meter = meters[past.connector - 1]
            every = 5 if meter.profile.direct_current else 15
            recording = record(meter, past, stamp, every=every)
            told += [*recording.messages, finish(meter, recording, past.visit, stamp)]
        self._messages = [message for _, message in sorted(told, key=lambda each: each[0])]

    def __len__(self) -> int:
        return len(self._messages)

    def fill(self, queue: Queue, told: int = 0, numbers: dict[str, int] | None = None) -> None:
        """Put what is not acknowledged yet into the queue; `told` and `numbers` as `progress` gave them."""
        for place, number in (numbers or {}).items():
            transaction = self._messages[int(place)].transaction
            if transaction is not None:
                transaction.number = number
        queue.keep(self._messages[told:])

    def progress(self, queue: Queue) -> tuple[int, dict[str, int]]:
        """How many messages are acknowledged, and the server's numbers of transactions of which more will come."""
        told = len(self._messages) - queue.past
        coming = {id(message.transaction) for message in self._messages[told:]}
        numbers = {
            str(place): message.transaction.number
            for place, message in enumerate(self._messages[:told])
            if message.action == "StartTransaction"
            and message.transaction is not None
            and message.transaction.number is not None
            and id(message.transaction) in coming
        }
        return told, numbers


def _before(at: datetime, until: datetime | None) -> bool:
    return until is None or at + _MINUTE <= until
