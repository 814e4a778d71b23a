"""OCPI's DateTime: read tolerantly, written strictly."""

import re
from datetime import UTC, datetime, timedelta, timezone

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,12}))?\s*(?:([Zz])|([+-])(\d\d):?(\d\d))?",
    re.ASCII,
)


def write_time(moment: datetime) -> str:
    """Write an aware moment as UTC with `Z`, to the second, or to the millisecond where it has a fraction.

    Digits below a millisecond are cut off, so that no more than 25 characters result (OCPI 2.2.1 types, DateTime).
    """
    if moment.tzinfo is None:
        raise ValueError("a moment without time zone cannot be written")
    utc = moment.astimezone(UTC).replace(tzinfo=None)
    return utc.isoformat(timespec="milliseconds" if utc.microsecond >= 1000 else "seconds") + "Z"


def read_time(text: str) -> datetime:
    """Read a moment as aware UTC: `Z`, no designator (which means UTC) or any offset, with or without fraction.

    Raises ValueError for everything else, numbers included.
    """
    match = _RFC3339.fullmatch(text.strip())
    if match is None:
        raise ValueError("not a DateTime such as 2026-01-31T12:00:00Z")
    *calendar, fraction, _, sign, hours, minutes = match.groups()
    year, month, day, hour, minute, second = map(int, calendar)
    zone = _zone(sign, hours, minutes)
    micros = int((fraction or "")[:6].ljust(6, "0"))
    try:
        return datetime(year, month, day, hour, minute, second, micros, zone).astimezone(UTC)
    except OverflowError:
        raise ValueError("a DateTime outside of the calendar") from None


def time_in(document: object, name: str) -> datetime | None:
    """The moment that a member of a parsed JSON object says; None where there is none, or it cannot be read."""
    given = document.get(name) if isinstance(document, dict) else None
    if not isinstance(given, str):
        return None
    try:
        return read_time(given)
    except ValueError:
        return None


def _zone(sign: str | None, hours: str, minutes: str) -> timezone:
    if sign is None:
        return UTC
    offset = timedelta(hours=int(hours), minutes=int(minutes))
    return timezone(-offset if sign == "-" else offset)
