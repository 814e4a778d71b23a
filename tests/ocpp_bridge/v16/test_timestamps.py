"""Times as stations write them."""

from datetime import UTC, datetime, timedelta

import pytest

from ocpp_bridge.v16 import timestamps

AT = datetime(2026, 11, 20, 10, 21, 49, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "at", "note"),
    [
        ("2026-11-20T10:21:49Z", AT, None),
        ("2026-11-20T10:21:49.123Z", AT + timedelta(milliseconds=123), None),
        ("2026-11-20T10:21:49.1234567Z", AT + timedelta(microseconds=123456), None),
        ("2026-11-20T11:21:49+01:00", AT, None),
        ("2026-11-20T11:21:49+0100", AT, None),
        ("2026-11-20T10:21:49", AT, "timestamp without zone"),
        ("2026-11-20 10:21:49Z", AT, "timestamp in an odd form"),
        (" 2026-11-20T10:21:49Z ", AT, "timestamp in an odd form"),
        ("2026-11-20T10:21:60Z", AT + timedelta(seconds=10), None),
        ("2027-11-20T10:21:49Z", AT + timedelta(days=365), None),
        ("1970-01-01T00:00:00Z", None, "timestamp out of range"),
        ("2014-12-31T23:59:59Z", None, "timestamp out of range"),
        ("9999-12-31T23:59:59-14:00", None, "timestamp out of range"),
        ("0001-01-01T00:00:00+14:00", None, "timestamp out of range"),
        ("222222017-10-27T19:10:11.000Z", None, "timestamp unreadable"),
        ("2026-13-40T25:61:61Z", None, "timestamp unreadable"),
        ("2026-11-20", None, "timestamp unreadable"),
        ("2026-W47-5T10:21:49Z", None, "timestamp unreadable"),
        ("yesterday", None, "timestamp unreadable"),
        ("", None, "timestamp unreadable"),
        ("1763634109", None, "timestamp unreadable"),
        (None, None, "timestamp missing"),
    ],
)
def test_a_time_is_read_once_into_utc_or_given_up(
    text: str | None, at: datetime | None, note: str | None
) -> None:
    assert timestamps.read(text) == (at, note)


def test_our_own_times_have_milliseconds_and_a_z() -> None:
    assert timestamps.written(AT + timedelta(microseconds=5999)) == "2026-11-20T10:21:49.005Z"
