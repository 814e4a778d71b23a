"""Times as stations write them, read once: into UTC, or given up."""

import re
from datetime import UTC, datetime
from functools import lru_cache

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_FIRST_YEAR = 2015
_LAST_YEAR = 2200
_SHORTEST = len("2026-01-01T00:00:00")


@lru_cache(maxsize=512)
def read(text: str | None) -> tuple[datetime | None, str | None]:
    """A station's time in UTC, with what had to be tolerated; None where it cannot be a real time.

    Without a zone it is UTC (OCPP 1.6, 3.1 recommends UTC). Before 2015 a station's clock has lost its time.
    A time in the future is left to whoever knows what time it is now.
    """
    if text is None:
        return None, "timestamp missing"
    try:
        at = _parsed(text.strip())
    except (ValueError, OverflowError):
        return None, "timestamp unreadable"
    if not _FIRST_YEAR <= at.year <= _LAST_YEAR:
        return None, "timestamp out of range"
    if at.tzinfo is None:
        return at.replace(tzinfo=UTC), "timestamp without zone"
    note = None if text[10:11] == "T" and text == text.strip() else "timestamp in an odd form"
    return at.astimezone(UTC), note


def _parsed(text: str) -> datetime:
    # datetime reads more than dates and times of this form: weeks, and digits without separators.
    if len(text) < _SHORTEST or text[10] not in "Tt " or not _DATE.match(text):
        raise ValueError("not a date and time")
    if text[17:19] == "60":  # a leap second has no place of its own in datetime
        text = text[:17] + "59" + text[19:]
    return datetime.fromisoformat(text.replace(" Z", "Z"))


def written(at: datetime) -> str:
    """A UTC time as OCPP writes it: milliseconds and `Z`."""
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
