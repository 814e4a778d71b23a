"""Local time: the instants at which a site's wall clock shows a given minute, or is put forward or back."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from app.domain.pricing.usage import MICROSECOND, moment

_SECOND = 1_000_000
_MINUTE = 60 * _SECOND
_DAY = 1440 * _MINUTE


def clock_edges(start: int, end: int, minutes: tuple[int, ...], zone: ZoneInfo) -> list[int]:
    """Instants (us since 1970) strictly between two, at which the local day reaches one of its `minutes` or jumps.

    A local time that happens twice gives both instants; one that is skipped gives the jump itself.
    """
    edges: list[int] = []
    at = start
    for until in [*_jumps(start, end, zone), end]:
        edges.extend(_regular(at, until, minutes, _offset(at, zone)))
        if until < end:
            edges.append(until)
        at = until
    return edges


def _regular(start: int, end: int, minutes: tuple[int, ...], offset: int) -> Iterator[int]:
    """The edges strictly inside a span in which the clock runs evenly."""
    midnight = (start + offset) // _DAY * _DAY - offset
    while midnight < end:
        first = bisect_right(minutes, (start - midnight) // _MINUTE)
        last = bisect_left(minutes, -((midnight - end) // _MINUTE))
        for minute in minutes[first:last]:
            yield midnight + minute * _MINUTE
        midnight += _DAY


def _offset(at: int, zone: ZoneInfo) -> int:
    offset = moment(at).astimezone(zone).utcoffset()
    return 0 if offset is None else offset // MICROSECOND


def _jumps(start: int, end: int, zone: ZoneInfo) -> Iterator[int]:
    """The instants strictly inside at which the zone's offset changes, found between days that differ."""
    at, before = start, _offset(start, zone)
    while at < end:
        later = min(at + _DAY, end)
        after = _offset(later, zone)
        if before != after:
            jump = _jump(at, later, zone)
            if start < jump < end:
                yield jump
        at, before = later, after


def _jump(low: int, high: int, zone: ZoneInfo) -> int:
    """The first whole second with another offset than at `low`."""
    old = _offset(low, zone)
    low, high = low // _SECOND, -(-high // _SECOND)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle * _SECOND, zone) == old:
            low = middle
        else:
            high = middle
    return high * _SECOND
