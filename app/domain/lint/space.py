"""All moments a tariff can tell apart, as a space of few cells: calendar, elapsed time, kWh, power, current.

A set of moments is a union of boxes; a box has one set of cells per axis, kept as the bits of a whole number.
So what one element leaves to the next is worked out exactly, however many elements stand before it.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from app.domain.pricing.prepared import DAY_MINUTES, Rule

MOST_BOXES = 5000
"""More than this is not worked out."""

Box = tuple[int, ...]
"""Cells of calendar, elapsed time, kWh, power and current."""

_BOUNDED = ("elapsed", "energy", "power", "current")


class TooManyCases(Exception):
    """The elements of a tariff overlap in more ways than are worth telling apart."""


class Slot(NamedTuple):
    """A cell of the calendar: the day numbers of one stretch of dates, a weekday (1 is Monday), and minutes."""

    first_day: int
    end_day: int
    weekday: int
    start: int
    end: int

    def day(self) -> int:
        """The first day of the slot."""
        return self.first_day + (self.weekday - self.first_day) % 7


class Space:
    """The cells between all bounds that a group of rules names."""

    def __init__(self, rules: Sequence[Rule], today: date) -> None:
        self.slots = _slots(rules, today)
        self.bounds = tuple(_bounds(getattr(rule, name) for rule in rules) for name in _BOUNDED)
        self.everything: Box = (
            (1 << len(self.slots)) - 1,
            *((1 << (len(bounds) + 1)) - 1 for bounds in self.bounds),
        )

    @property
    def dated(self) -> bool:
        """Whether dates tell moments apart."""
        return len({slot.first_day for slot in self.slots}) > 1

    def box(self, rule: Rule) -> Box:
        """Where a rule holds; an axis without a cell means nowhere."""
        calendar = sum(1 << n for n, slot in enumerate(self.slots) if _in_slot(rule, slot))
        limits = (getattr(rule, name) for name in _BOUNDED)
        return (
            calendar,
            *(_cells(limit, bounds) for limit, bounds in zip(limits, self.bounds, strict=True)),
        )

    def interval(self, axis: int, cells: int) -> tuple[Decimal, Decimal | None]:
        """The bounds of the first of some cells of an axis (1: elapsed time, 2: Wh, 3: kW, 4: A)."""
        bounds = self.bounds[axis - 1]
        cell = first(cells)
        low = Decimal(bounds[cell - 1]) if cell else Decimal(0)
        return low, Decimal(bounds[cell]) if cell < len(bounds) else None


def first(cells: int) -> int:
    """The number of the first cell of a set."""
    return (cells & -cells).bit_length() - 1


def empty(box: Box) -> bool:
    """Whether a box has no moment in it."""
    return not all(box)


def without(box: Box, others: Iterable[Box]) -> list[Box]:
    """What is left of a box, as boxes that do not overlap. Raises TooManyCases."""
    left = [] if empty(box) else [box]
    for other in others:
        left = [part for each in left for part in _minus(each, other)]
        if len(left) > MOST_BOXES:
            raise TooManyCases
    return left


def _minus(box: Box, other: Box) -> list[Box]:
    if any(not mine & theirs for mine, theirs in zip(box, other, strict=True)):
        return [box]
    parts = []
    rest = list(box)
    for axis, theirs in enumerate(other):
        beyond = rest[axis] & ~theirs
        if beyond:
            parts.append((*rest[:axis], beyond, *rest[axis + 1 :]))
        rest[axis] &= theirs
    return parts


def _slots(rules: Sequence[Rule], today: date) -> list[Slot]:
    minutes = sorted({0, *(edge % DAY_MINUTES for rule in rules for edge in rule.minutes or ())})
    ends = [*minutes[1:], DAY_MINUTES]
    days = sorted({day for rule in rules for day in rule.days or () if day is not None})
    # Before the first date and after the last a year is as good as eternity.
    year = timedelta(days=366)
    low = min([today.toordinal(), *days]) - year.days
    high = max([today.toordinal(), *days]) + year.days
    stretches = list(zip([low, *days], [*days, high], strict=True))
    return [
        Slot(begin, end, weekday, start, until)
        for begin, end in stretches
        for weekday in range(7)
        if begin + (weekday - begin) % 7 < end
        for start, until in zip(minutes, ends, strict=True)
    ]


def _in_slot(rule: Rule, slot: Slot) -> bool:
    if rule.minutes is not None:
        start, end = rule.minutes
        inside = start <= slot.start < end if start < end else slot.start >= start or slot.start < end
        if not inside:
            return False
    if rule.weekdays is not None and slot.weekday not in rule.weekdays:
        return False
    low, high = rule.days or (None, None)
    return (low is None or slot.first_day >= low) and (high is None or slot.first_day < high)


def _bounds(
    limits: Iterable[tuple[Decimal | int | None, Decimal | int | None] | None],
) -> tuple[Decimal, ...]:
    found = {Decimal(bound) for limit in limits if limit for bound in limit if bound is not None}
    return tuple(sorted(bound for bound in found if bound > 0))


def _cells(
    limit: tuple[Decimal | int | None, Decimal | int | None] | None, bounds: tuple[Decimal, ...]
) -> int:
    everything = (1 << (len(bounds) + 1)) - 1
    low, high = limit or (None, None)
    cells = everything
    if low is not None:
        cells &= ~((1 << bisect_right(bounds, Decimal(low))) - 1)
    if high is not None:
        below = 0 if high <= 0 else bisect_right(bounds, Decimal(high))
        cells &= (1 << below) - 1
    return cells
