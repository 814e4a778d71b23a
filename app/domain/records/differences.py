"""Two records of one session side by side: which sums and which lines changed, and by how much."""

from decimal import Decimal

import msgspec

from app.domain.cdrs import ChargeDetailRecord
from app.domain.pricing import Line
from app.domain.records.repricing import repriced
from app.domain.tariffs import Price

_SUMS = (
    "total_cost",
    "total_fixed_cost",
    "total_energy_cost",
    "total_time_cost",
    "total_parking_cost",
    "total_reservation_cost",
)
_MEASURED = ("total_energy", "total_time", "total_parking_time")
_NOTHING = Price(excl_vat=Decimal(0))


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """A sum before and after; None where nothing of its kind was billed."""

    before: Price | None
    after: Price | None

    @property
    def change(self) -> Price:
        """What was added."""
        before, after = self.before or _NOTHING, self.after or _NOTHING
        incl = None
        if before.incl_vat is not None or after.incl_vat is not None:
            incl = (after.incl_vat or Decimal(0)) - (before.incl_vat or Decimal(0))
        return Price(excl_vat=after.excl_vat - before.excl_vat, incl_vat=incl)


class ChangedLine(msgspec.Struct, frozen=True, kw_only=True):
    """All lines of one component together: kWh, seconds or fees, and what they cost, before and after."""

    kind: str
    dimension: str | None
    tariff_id: str | None
    element: int | None
    unit_price: Decimal | None
    billed_before: Decimal
    billed_after: Decimal
    cost: Changed


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What is not the same in two records."""

    sums: dict[str, Changed]
    measured: dict[str, tuple[Decimal | None, Decimal | None]]
    lines: tuple[ChangedLine, ...]


def difference(before: ChargeDetailRecord, after: ChargeDetailRecord) -> Difference:
    """What changed from one record to the other. Raises ValueError for one that cannot be priced."""
    sums = {name: Changed(before=getattr(before, name), after=getattr(after, name)) for name in _SUMS}
    measured = {name: (getattr(before, name), getattr(after, name)) for name in _MEASURED}
    return Difference(
        sums={name: each for name, each in sums.items() if each.before != each.after},
        measured={name: each for name, each in measured.items() if each[0] != each[1]},
        lines=_lines(before, after),
    )


def _lines(before: ChargeDetailRecord, after: ChargeDetailRecord) -> tuple[ChangedLine, ...]:
    old, new = (_together(repriced(each).lines) if each.tariffs else {} for each in (before, after))
    changed = []
    for key in dict.fromkeys((*old, *new)):
        (billed_before, cost_before), (billed_after, cost_after) = (
            each.get(key, (Decimal(0), None)) for each in (old, new)
        )
        if (billed_before, cost_before) == (billed_after, cost_after):
            continue
        kind, dimension, tariff_id, element, _, unit_price = key
        changed.append(
            ChangedLine(
                kind=kind,
                dimension=dimension,
                tariff_id=tariff_id,
                element=element,
                unit_price=unit_price,
                billed_before=billed_before,
                billed_after=billed_after,
                cost=Changed(before=cost_before, after=cost_after),
            )
        )
    return tuple(changed)


Key = tuple[str, str | None, str | None, int | None, int | None, Decimal | None]


def _together(lines: tuple[Line, ...]) -> dict[Key, tuple[Decimal, Price | None]]:
    found: dict[Key, tuple[Decimal, Price | None]] = {}
    for line in lines:
        dimension = None if line.dimension is None else str(line.dimension)
        key = (str(line.kind), dimension, line.tariff_id, line.element, line.component, line.unit_price)
        billed, cost = found.get(key, (Decimal(0), None))
        found[key] = (billed + line.billed, line.cost if cost is None else _sum(cost, line.cost))
    return found


def _sum(one: Price, other: Price) -> Price:
    incl = None
    if one.incl_vat is not None and other.incl_vat is not None:
        incl = one.incl_vat + other.incl_vat
    return Price(excl_vat=one.excl_vat + other.excl_vat, incl_vat=incl)
