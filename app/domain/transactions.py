"""Transactions: what a station reports from plug-in to stop, in one vocabulary for every OCPP version."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.cdrs import SignedValue
from app.domain.metering import MeterSample
from app.domain.pricing import Activity
from app.domain.tokens import Authorization


class TransactionStarted(msgspec.Struct, frozen=True, kw_only=True):
    """StartTransaction. `at` None: the station's time was unusable; `meter_start` in Wh."""

    evse: int
    connector: int
    id_tag: str
    at: datetime | None
    stamp: str
    """The timestamp exactly as the station wrote it: part of the key that recognises a repetition."""
    meter_start: Decimal
    reservation_id: int | None = None


class TransactionMetered(msgspec.Struct, frozen=True, kw_only=True):
    """MeterValues, of a transaction or of a connector."""

    evse: int
    connector: int
    transaction_id: int | None
    samples: tuple[MeterSample, ...]


class TransactionEnded(msgspec.Struct, frozen=True, kw_only=True):
    """StopTransaction with its transaction data. `meter_stop` in Wh, None where the station gave no usable one."""

    transaction_id: int
    id_tag: str | None = None
    at: datetime | None
    stamp: str
    meter_stop: Decimal | None
    reason: str = "Local"
    samples: tuple[MeterSample, ...] = ()


class StartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The number we gave the transaction, and what the station is told about the id tag."""

    transaction_id: int
    authorization: Authorization


class StopAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The stop is kept; `authorization` only where the station named an id tag."""

    authorization: Authorization | None = None


class Flag(StrEnum):
    """What an operator should know about a transaction."""

    REPLAYED = "replayed"
    CLOCK = "clock"
    METER_RESET = "meter_reset"
    ABSURD_ENERGY = "absurd_energy"
    NO_STOP = "no_stop"
    CLOSED_BY_HAND = "closed_by_hand"
    ORPHAN = "orphan"
    OVERLAP = "overlap"
    MIXED_CLOCKS = "mixed_clocks"
    """Its start and its end are by different clocks, so nobody knows how long it took."""
    SEVERAL_OWNERS = "several_owners"
    """More than one eMSP gave out the uid: the valid one, then the newest, was taken."""
    TOLERATED = "tolerated"


class Cause(StrEnum):
    """Why a transaction delivered nothing for a while."""

    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    POWER_LOSS = "power loss"
    OFFLINE = "offline"
    FAULT = "fault"


class Interruption(msgspec.Struct, kw_only=True):
    """A stretch without charging inside a transaction; open while `until` is None."""

    cause: Cause
    since: datetime
    until: datetime | None = None


class Transaction(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One transaction as stored: all that is needed to go on after a restart, except its samples.

    `started_at` and `stopped_at` are the times that are billed; energy in Wh. `ocpp_id` is the number the
    station uses; `ref` is ours. An orphan is a stop whose start we never saw.
    """

    ref: str
    station_id: str
    start_key: str
    ocpp_id: int
    evse: int
    connector: int
    id_tag: str | None
    started_at: datetime | None
    received_at: datetime
    meter_start: Decimal | None
    ahead: bool = False
    """Whether the clock of the station was ahead when it started."""
    stopped_at: datetime | None = None
    meter_stop: Decimal | None = None
    stop_reason: str | None = None
    energy_wh: Decimal | None = None
    authorized: bool = False
    answer: StartAnswer | None = None
    session_id: str | None = None
    cdr_id: str | None = None
    flags: list[str] = []
    interruptions: list[Interruption] = []
    activity: list[tuple[datetime, Activity]] = []
    signed: list[SignedValue] = []
    """The first and the last signed value of the transaction."""
    told_at: datetime | None = None
    heard_at: datetime
    end_signed_at: datetime | None = None
    followed_at: datetime | None = None
    """When the next one began at its connector, where that was seen before the end of this one."""

    @property
    def active(self) -> bool:
        """Whether no end is known yet."""
        return self.stopped_at is None

    def flag(self, flag: Flag) -> None:
        """Note something once."""
        if flag not in self.flags:
            self.flags.append(flag)


def start_key(report: TransactionStarted) -> str:
    """What stays the same when a station sends a start again, whatever message id it uses."""
    return (
        f"{report.evse}.{report.connector}|{report.id_tag}|{report.stamp}|{report.meter_start.normalize():f}"
    )
