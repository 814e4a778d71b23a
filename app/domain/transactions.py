"""Transactions: what a station reports from plug-in to stop, in one vocabulary for every OCPP version."""

from datetime import datetime
from decimal import Decimal

import msgspec

from app.domain.metering import MeterSample
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
    """StopTransaction with its transaction data. `meter_stop` in Wh."""

    transaction_id: int
    id_tag: str | None = None
    at: datetime | None
    stamp: str
    meter_stop: Decimal
    reason: str = "Local"
    samples: tuple[MeterSample, ...] = ()


class StartAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The number we gave the transaction, and what the station is told about the id tag."""

    transaction_id: int
    authorization: Authorization


class StopAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The stop is kept; `authorization` only where the station named an id tag."""

    authorization: Authorization | None = None
