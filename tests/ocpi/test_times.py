"""DateTime: what is read, what is refused, what is written."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.times import read_time, write_time

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-01-31T12:00:00Z", NOON),
        ("2026-01-31T12:00:00", NOON),
        ("2026-01-31t12:00:00z", NOON),
        ("2026-01-31T12:00:00+00:00", NOON),
        ("2026-01-31T13:30:00+01:30", NOON),
        ("2026-01-31T07:00:00-0500", NOON),
        ("2026-01-31T12:00:00.5Z", NOON + timedelta(milliseconds=500)),
        ("2026-01-31T12:00:00.123456789Z", NOON + timedelta(microseconds=123456)),
    ],
)
def test_reads_every_usual_form_as_utc(text: str, moment: datetime) -> None:
    assert read_time(text) == moment
    assert read_time(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    ["", "1769860800", "2026-01-31", "2026-02-30T12:00:00Z", "2026-01-31T25:00:00Z", "31.01.2026 12:00:00",
     "2026-01-31T12:00:00 CET", "0001-01-01T00:00:00+10:00", "2026-01-31T12:00:00+99:00", "٢٠٢٦-01-31T12:00:00Z",
     "222222017-10-27T12:00:00Z"],
)  # fmt: skip
def test_refuses_what_is_no_moment(text: str) -> None:
    with pytest.raises(ValueError):
        read_time(text)


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (NOON, "2026-01-31T12:00:00Z"),
        (NOON + timedelta(microseconds=999), "2026-01-31T12:00:00Z"),
        (NOON + timedelta(microseconds=123999), "2026-01-31T12:00:00.123Z"),
        (NOON.astimezone(timezone(timedelta(hours=-8))), "2026-01-31T12:00:00Z"),
    ],
)
def test_writes_utc_with_z_to_the_millisecond(moment: datetime, text: str) -> None:
    assert write_time(moment) == text


def test_refuses_to_write_a_moment_without_zone() -> None:
    with pytest.raises(ValueError, match="time zone"):
        write_time(datetime(2026, 1, 31, 12))  # noqa: DTZ001 - that is the point


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_reads_back_to_the_millisecond_in_25_characters(moment: datetime) -> None:
    text = write_time(moment)
    assert len(text) <= 25
    assert read_time(text) == moment.replace(microsecond=moment.microsecond // 1000 * 1000)


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert read_time(text).tzinfo is UTC
