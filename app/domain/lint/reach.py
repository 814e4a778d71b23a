"""What elements leave to each other: those that can never apply, and the moments that nobody prices."""

from collections.abc import Iterator, Sequence
from datetime import date

from msgspec.structs import replace

from app.domain.lint.examples import described, example, plain_session, session_at, with_elements
from app.domain.lint.findings import Finding, Level
from app.domain.lint.space import Box, Space, TooManyCases, empty, without
from app.domain.pricing.prepared import Choice, Group, Prepared, Priced, Rule
from app.domain.tariffs import Tariff, TariffDimension

_CHARGING = (TariffDimension.ENERGY, TariffDimension.TIME)
_NARROW = 60
_SHOWN = 3


def reach(tariff: Tariff, ready: Prepared, today: date) -> Iterator[Finding]:
    """Elements and components that nothing is left for, and holes in time, kWh, power and duration."""
    try:
        yield from _unreachable(tariff, ready, today)
        yield from _holes(tariff, ready.session, today)
    except TooManyCases:
        words = "the elements overlap in so many ways that not all of them were told apart"
        yield Finding(level=Level.INFO, kind="too_many_cases", where="elements", words=words)


def _unreachable(tariff: Tariff, ready: Prepared, today: date) -> Iterator[Finding]:
    reached: set[tuple[int, TariffDimension]] = set()
    offered: dict[int, list[Priced]] = {}
    for group in (ready.session, ready.used, ready.expired):
        space = Space(group.rules, today)
        boxes = [space.box(rule) for rule in group.rules]
        for number, rule in enumerate(group.rules):
            for priced in _offered(rule.offers):
                if priced not in offered.setdefault(priced.element, []):
                    offered[priced.element].append(priced)
                before = _boxes(group.rules[:number], boxes, priced.dimension)
                if without(boxes[number], before):
                    reached.add((priced.element, priced.dimension))
    for element, components in sorted(offered.items()):
        lost = [each for each in components if (element, each.dimension) not in reached]
        if lost:
            yield _lost(tariff, ready, today, lost, whole=len(lost) == len(components))


def _lost(tariff: Tariff, ready: Prepared, today: date, lost: Sequence[Priced], *, whole: bool) -> Finding:
    element, component = lost[0].element, lost[0].component
    mine = tariff.elements[element]
    rest = [each for each in tariff.elements if each is not mine]
    groups = (ready.session, ready.used, ready.expired)
    group = next(g for g in groups if any(lost[0] in _offered(rule.offers) for rule in g.rules))
    space = Space(group.rules, today)
    box = next(space.box(rule) for rule in group.rules if lost[0] in _offered(rule.offers))
    reserved = group is not ready.session
    if empty(box):
        kind, words = "impossible", "its restrictions can never hold together"
        freed = replace(mine, restrictions=None)
        periods, otherwise = plain_session(parking=True), with_elements(tariff, [freed, *rest])
        meaning = "if the element always held, before all others"
    else:
        kind, words = "unreachable", "earlier elements already price every moment at which it holds"
        periods = session_at(space, box, lost[0].dimension, reserved=reserved)
        otherwise = with_elements(tariff, [mine, *rest])
        meaning = "if the element stood before all others"
    names = ", ".join(each.dimension for each in lost)
    where = f"elements[{element}]" if whole else f"elements[{element}].price_components[{component}]"
    return Finding(
        level=Level.ERROR if whole else Level.WARNING,
        kind=kind,
        where=where,
        words=f"the price for {names} never applies: {words}",
        example=example(tariff, otherwise, periods, meaning, expired=group is ready.expired),
    )


def _holes(tariff: Tariff, group: Group, today: date) -> Iterator[Finding]:
    space = Space(group.rules, today)
    boxes = [space.box(rule) for rule in group.rules]
    charging = [box for each in _CHARGING for box in _boxes(group.rules, boxes, each)]
    free = without(space.everything, charging) if charging else []
    if free:
        yield _hole(tariff, space, free, TariffDimension.ENERGY, "charging costs nothing")
    for dimension in (*_CHARGING, TariffDimension.PARKING_TIME):
        priced = _boxes(group.rules, boxes, dimension)
        left = without(space.everything, priced) if priced else []
        narrow = [box for box in (_narrow(space, each) for each in left) if box is not None]
        if narrow and not (free and dimension in _CHARGING):
            yield _hole(tariff, space, narrow, dimension, f"{dimension} costs nothing")


def _narrow(space: Space, box: Box) -> Box | None:
    """The part of a box that lies in slots of less than an hour: a window that was meant to be closed."""
    cells = sum(
        1 << n
        for n, slot in enumerate(space.slots)
        if box[0] >> n & 1 and slot.end - slot.start < _NARROW and _alone(space, box, n)
    )
    return (cells, *box[1:]) if cells else None


def _alone(space: Space, box: Box, number: int) -> bool:
    """Whether the slots before and after are none of the hole's."""
    around = (number - 1, number + 1)
    return not any(0 <= n < len(space.slots) and box[0] >> n & 1 for n in around)


def _hole(
    tariff: Tariff, space: Space, left: Sequence[Box], dimension: TariffDimension, what: str
) -> Finding:
    box = left[0]
    periods = session_at(space, box, dimension)
    kinds = (*_CHARGING, dimension) if dimension in _CHARGING else (dimension,)
    nearest = next(
        each for each in tariff.elements if any(part.type in kinds for part in each.price_components)
    )
    always = replace(nearest, restrictions=None)
    return Finding(
        level=Level.WARNING,
        kind="hole",
        where="elements",
        words=f"{what} {_when(space, box)}",
        example=example(
            tariff,
            with_elements(tariff, [*tariff.elements, always]),
            periods,
            f"if element {tariff.elements.index(nearest)} went on there",
        ),
    )


def _when(space: Space, box: Box) -> str:
    said = []
    if box[0] != space.everything[0]:
        slots = [slot for n, slot in enumerate(space.slots) if box[0] >> n & 1]
        shown = list(dict.fromkeys(described(slot, dated=space.dated) for slot in slots))
        more = f" and {len(shown) - _SHOWN} more times" if len(shown) > _SHOWN else ""
        said.append(f"on {', '.join(shown[:_SHOWN])}{more}")
    for axis, scale, unit in ((1, 1_000_000, "s"), (2, 1000, "kWh"), (3, 1, "kW"), (4, 1, "A")):
        if box[axis] != space.everything[axis]:
            low, high = space.interval(axis, box[axis])
            upper = "" if high is None else f" below {(high / scale).normalize():f} {unit}"
            said.append(f"from {(low / scale).normalize():f} {unit} on{upper}")
    return " and ".join(said) or "at any time"


def _boxes(rules: Sequence[Rule], boxes: Sequence[Box], dimension: TariffDimension) -> list[Box]:
    return [
        box
        for rule, box in zip(rules, boxes, strict=False)
        if any(priced.dimension is dimension for priced in _offered(rule.offers))
    ]


def _offered(offers: Choice) -> list[Priced]:
    return [each for each in offers if each is not None]
