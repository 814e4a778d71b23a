"""Column types: one form of every value on both databases, written alike by both doors.

Time is a BIGINT of microseconds UTC, a document is the JSON text of a domain value, a decimal is exact text.
"""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import BigInteger, Column, Integer, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator, TypeEngine

T = TypeVar("T")

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ENCODER = msgspec.json.Encoder(decimal_format="string")


class NaiveTime(ValueError):
    """A time without a zone was to be stored: nobody could tell later what it meant."""


def micros(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC of an aware time; NaiveTime for one without zone."""
    if moment.tzinfo is None:
        raise NaiveTime(f"{moment.isoformat()} has no time zone")
    delta = moment - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds


def micros_or_none(moment: datetime | None) -> int | None:
    """`micros`, passing None through."""
    return None if moment is None else micros(moment)


def moment(stored: int) -> datetime:
    """The aware UTC time of stored microseconds."""
    return _EPOCH + timedelta(microseconds=stored)


def moment_or_none(stored: int | None) -> datetime | None:
    """`moment`, passing None through."""
    return None if stored is None else moment(stored)


def document(value: Any) -> str:
    """The JSON text under which a domain value is stored (Decimal as text)."""
    return _ENCODER.encode(value).decode()


def exact(value: Decimal) -> str:
    """A decimal as text without exponent: every digit as it is."""
    return format(value, "f")


class UtcMicros(TypeDecorator[datetime]):
    """An aware datetime, stored as microseconds UTC; naive ones are refused."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Python to database."""
        return micros_or_none(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:
        """Database to Python."""
        return moment_or_none(value)


class Exact(TypeDecorator[Decimal]):
    """A Decimal (Wh, money) as exact text."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        """Python to database."""
        return None if value is None else exact(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        """Database to Python."""
        return None if value is None else Decimal(value)


class Document(TypeDecorator[T], Generic[T]):
    """A domain value as JSON text; `kind` is its type."""

    impl = Text
    cache_ok = True

    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.kind = kind
        self._decoder: msgspec.json.Decoder[T] = msgspec.json.Decoder(kind)

    def process_bind_param(self, value: T | None, dialect: Dialect) -> str | None:
        """Python to database."""
        return None if value is None else document(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> T | None:
        """Database to Python."""
        return None if value is None else self._decoder.decode(value)


# SQLite counts up by itself only in a column declared INTEGER.
Serial: TypeEngine[int] = BigInteger().with_variant(Integer(), "sqlite")


def identity() -> Column[int]:
    """The primary key of a table whose rows are numbered by the database."""
    return Column("id", Serial, primary_key=True, autoincrement=True)
