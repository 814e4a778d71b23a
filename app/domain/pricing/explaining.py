"""A cost explained: each line with its time, the component that applied, and why earlier elements did not."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal, localcontext
from zoneinfo import ZoneInfo

import msgspec

from app.domain.pricing.choosing import period_tariff
from app.domain.pricing.cutting import stretch_of
from app.domain.pricing.policies import POLICIES, Policy
from app.domain.pricing.prepared import State
from app.domain.pricing.reasons import why_not
from app.domain.pricing.tally import Cost, Line, LineKind
from app.domain.pricing.usage import EXACT, MICROSECOND, Activity
from app.domain.pricing.volumes import Period
from app.domain.tariffs import Tariff, TariffDimension

_TIMED = {
    Activity.CHARGING: TariffDimension.TIME,
    Activity.PARKING: TariffDimension.PARKING_TIME,
    Activity.RESERVED: TariffDimension.TIME,
}


class PassedOver(msgspec.Struct, frozen=True, kw_only=True):
    """An element that stands before the one that applied, and why it did not."""

    element: int
    why: str


class ExplainedLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the bill, when it was, and why just this component."""

    line: Line
    start: datetime | None
    end: datetime | None
    passed_over: tuple[PassedOver, ...]
    why: str


class Unpriced(msgspec.Struct, frozen=True, kw_only=True):
    """A use that nothing was asked for: kWh or seconds of a period, and why no element applied."""

    period: int
    start: datetime
    end: datetime
    dimension: TariffDimension
    measured: Decimal
    passed_over: tuple[PassedOver, ...]


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """A cost with reasons: every line of it, what was free, and the choices of the house."""

    cost: Cost
    zone: str
    lines: tuple[ExplainedLine, ...]
    unpriced: tuple[Unpriced, ...]
    policies: tuple[Policy, ...] = POLICIES


def explain(
    cost: Cost, tariffs: Sequence[Tariff], zone: ZoneInfo, *, reservation_expired: bool = False
) -> Explanation:
    """The reasons behind a cost that these tariffs gave."""
    with localcontext(EXACT):
        moments = _Moments(cost, tariffs, zone, expired=reservation_expired)
        return Explanation(
            cost=cost,
            zone=zone.key,
            lines=tuple(_explained(line, moments) for line in cost.lines),
            unpriced=tuple(_unpriced(cost, moments)),
        )


class _Moments:
    """What held at the beginning of each period of a cost."""

    def __init__(self, cost: Cost, tariffs: Sequence[Tariff], zone: ZoneInfo, *, expired: bool) -> None:
        self.periods = cost.periods
        self._zone = zone
        self._expired = expired
        self._tariffs = tariffs
        self._used = {line.period: line.tariff_id for line in cost.lines if line.period is not None}
        self._only = next((line.tariff_id for line in cost.lines if line.tariff_id), tariffs[0].id)
        self._states = self._walk()

    def passed_over(
        self, period: int, dimension: TariffDimension, before: int | None
    ) -> tuple[PassedOver, ...]:
        """The elements before one (all, where none applied) and why they do not price this dimension."""
        elements = self._tariff(period).elements[:before]
        reserved = self.periods[period].activity is Activity.RESERVED
        reasons = (
            (
                number,
                why_not(element, dimension, self._states[period], reserved=reserved, expired=self._expired),
            )
            for number, element in enumerate(elements)
        )
        return tuple(PassedOver(element=number, why=why) for number, why in reasons if why is not None)

    def _tariff(self, period: int) -> Tariff:
        began = next((each.start for each in self.periods if each.activity is not Activity.RESERVED), None)
        named = self.periods[period].tariff_id or self._used.get(period) or self._only
        return period_tariff(self._tariffs, named or "", began or self.periods[0].start, "tariff_id")

    def _walk(self) -> list[State]:
        states, began, energy = [], dict[bool, datetime](), Decimal(0)
        for period in self.periods:
            reserved = period.activity is Activity.RESERVED
            elapsed = period.start - began.setdefault(reserved, period.start)
            states.append(self._state(period, elapsed // MICROSECOND, Decimal(0) if reserved else energy))
            energy += Decimal(0) if reserved else period.energy_wh
        return states

    def _state(self, period: Period, elapsed: int, energy: Decimal) -> State:
        local = period.start.astimezone(self._zone)
        stretch = stretch_of(period, None)
        return State(
            minute=local.hour * 60 + local.minute,
            day=local.toordinal(),
            elapsed=elapsed,
            energy_wh=energy,
            power=stretch.power,
            current=stretch.current,
        )


def _explained(line: Line, moments: _Moments) -> ExplainedLine:
    if line.period is None or line.dimension is None or line.element is None:
        return ExplainedLine(line=line, start=None, end=None, passed_over=(), why=_why_no_use(line))
    period = moments.periods[line.period]
    return ExplainedLine(
        line=line,
        start=period.start,
        end=period.end,
        passed_over=moments.passed_over(line.period, line.dimension, line.element),
        why=f"the first element that prices {line.dimension} and whose restrictions hold",
    )


def _why_no_use(line: Line) -> str:
    if line.kind is LineKind.STEP:
        return f"{line.dimension} is billed in whole steps of {line.step_size}, once per session"
    more = line.cost.excl_vat > 0 or (line.cost.incl_vat or 0) > 0
    return "raised to min_price" if more else "lowered to max_price"


def _unpriced(cost: Cost, moments: _Moments) -> list[Unpriced]:
    """What was used and not asked for; fees are not used."""
    priced = {(line.period, line.dimension) for line in cost.lines}
    free = []
    for number, period in enumerate(cost.periods):
        for dimension, measured in _uses(period):
            # Energy or time at a price of 0 has no line only where there was none of it.
            if measured and (number, dimension) not in priced:
                free.append(
                    Unpriced(
                        period=number,
                        start=period.start,
                        end=period.end,
                        dimension=dimension,
                        measured=measured,
                        passed_over=moments.passed_over(number, dimension, None),
                    )
                )
    return free


def _uses(period: Period) -> list[tuple[TariffDimension, Decimal]]:
    uses = [(TariffDimension.ENERGY, period.energy_wh / 1000)]
    timed = _TIMED.get(period.activity)
    if timed is not None:
        seconds = Decimal((period.end - period.start) // MICROSECOND) / 1_000_000
        uses.append((timed, seconds))
    return uses
