"""Local time: the instants between two moments at which a site's wall clock shows a given time or jumps."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


def clock_edges(start: datetime, end: datetime, minutes: tuple[int, ...], zone: ZoneInfo) -> list[datetime]:
    """The instants strictly between, where the local clock reaches one of the minutes or is put forward or back.

    A local time that happens twice gives both instants; one that is skipped gives the jump itself.
    """
    found = {at for at in _jumps(start, end, zone) if start < at < end}
    day = start.astimezone(zone).date() - _DAY
    last = end.astimezone(zone).date() + _DAY
    while day <= last:
        for minute in minutes:
            for fold in (0, 1):
                local = datetime(
                    day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=zone, fold=fold
                )
                at = local.astimezone(UTC)
                if start < at < end:
                    found.add(at)
        day += _DAY
    return sorted(found)


def _jumps(start: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The instants at which the zone's offset changes, found between days whose offsets differ."""
    jumps = []
    at = start
    while at < end:
        after = min(at + _DAY, end)
        if at.astimezone(zone).utcoffset() != after.astimezone(zone).utcoffset():
            jumps.append(_jump(at, after, zone))
        at = after
    return jumps


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second with the later offset."""
    old = before.astimezone(zone).utcoffset()
    before = before.replace(microsecond=0)
    seconds = (after - before) // _SECOND + 1
    low, high = 0, seconds
    while high - low > 1:
        middle = (low + high) // 2
        if (before + middle * _SECOND).astimezone(zone).utcoffset() == old:
            low = middle
        else:
            high = middle
    return (before + high * _SECOND).astimezone(UTC)
