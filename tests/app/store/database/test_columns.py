"""Column types: exact there and back, the same text for the same value, nothing without a zone."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from app.store.bulk.writer import Writer
from app.store.database.columns import NaiveTime, document, exact, micros, moment
from app.store.database.engine import Store
from app.store.frames import Quarantined, QuarantineRow, quarantine_row


@given(st.datetimes(min_value=datetime(1900, 1, 1), max_value=datetime(2999, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_times_come_back_to_the_microsecond(at: datetime) -> None:
    assert moment(micros(at)) == at


def test_a_time_elsewhere_is_stored_as_utc() -> None:
    there = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    assert micros(there) == 1_774_747_800_000_000
    assert moment(micros(there)).tzinfo is UTC


def test_times_before_1970_and_at_it() -> None:
    assert micros(datetime(1970, 1, 1, tzinfo=UTC)) == 0
    assert micros(datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)) == -1


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6))
def test_decimals_come_back_exactly(value: Decimal) -> None:
    assert Decimal(exact(value)).as_tuple() == value.as_tuple()


def test_decimals_have_no_exponent() -> None:
    assert exact(Decimal("1E+3")) == "1000"
    assert exact(Decimal("0.10")) == "0.10"
    assert document({"kwh": Decimal("0.10"), "at": datetime(2026, 1, 1, tzinfo=UTC)}) == (
        '{"kwh":"0.10","at":"2026-01-01T00:00:00Z"}'
    )


async def test_naive_times_are_refused_at_both_doors(store: Store, writer: Writer, clock: Any) -> None:
    naive = clock.now().replace(tzinfo=None)
    with pytest.raises(NaiveTime):
        quarantine_row(Quarantined("CP1", naive, b"", "r"))
    with pytest.raises(StatementError, match="no time zone"):
        async with store.unit_of_work(clock) as unit:
            unit.session.add(QuarantineRow(station_id="CP1", at=naive, frame=b"", reason="r"))
