"""Cutting stretches of a session at every moment at which another price component could apply."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

import msgspec

from app.domain.pricing.clock import clock_edges
from app.domain.pricing.prepared import Choice, Group, Prepared, Priced, State
from app.domain.pricing.usage import Activity, instant, moment
from app.domain.pricing.volumes import HOUR, Period

FINE = Decimal("1e-9")
"""Energy between two readings is known to the billionth of a Wh; sums stay exact whatever the rounding."""

_WATT = Decimal("0.000001")
_NOTHING = Decimal(0)


class Stretch(msgspec.Struct, kw_only=True, eq=False):
    """A part of a session in which energy grows evenly and one activity and one tariff last; times in us."""

    start: int
    end: int
    energy_wh: Decimal
    activity: Activity
    ready: Prepared | None
    tariff_id: str | None
    min_power: Decimal | None = None
    max_power: Decimal | None = None
    min_current: Decimal | None = None
    max_current: Decimal | None = None
    choice: Choice = Choice()
    energy_price: Priced | None = None
    """What a kWh costs here, whether any flows or not."""
    bands: tuple[int, int, int] = (0, 0, 0)
    """In which band of kWh, power and current it lies: bands are never mixed in one period."""
    source: Period | None = None
    """The charging period it is, where it is a whole one."""

    @property
    def power(self) -> Decimal | None:
        """The power that restrictions are held against: the peak (A4), else the mean."""
        if self.max_power is not None:
            return self.max_power
        return self.min_power if self.min_power is not None else mean_power(self)

    @property
    def current(self) -> Decimal | None:
        """The current that restrictions are held against: the peak (A4)."""
        return self.max_current if self.max_current is not None else self.min_current

    def period(self) -> Period:
        """The stretch as a charging period."""
        if self.source is not None:
            return self.source
        return Period(
            start=moment(self.start),
            end=moment(self.end),
            energy_wh=self.energy_wh,
            activity=self.activity,
            tariff_id=self.tariff_id,
            min_power=self.min_power,
            max_power=self.max_power,
            min_current=self.min_current,
            max_current=self.max_current,
        )


def stretch_of(period: Period, ready: Prepared | None) -> Stretch:
    """A charging period as a stretch priced by this tariff."""
    return Stretch(
        start=instant(period.start),
        end=instant(period.end),
        energy_wh=period.energy_wh,
        activity=period.activity,
        ready=ready,
        tariff_id=period.tariff_id,
        min_power=period.min_power,
        max_power=period.max_power,
        min_current=period.min_current,
        max_current=period.max_current,
        source=period,
    )


def mean_power(stretch: Stretch) -> Decimal | None:
    """Mean power in kW, to the milliwatt; None for a stretch without length."""
    if stretch.start == stretch.end:
        return None
    return (stretch.energy_wh * HOUR / (1000 * (stretch.end - stretch.start))).quantize(_WATT, ROUND_HALF_UP)


class Cutter:
    """Cuts the stretches of one session, in order; keeps what restrictions look back on.

    `began` (when the session and the reservation began) and `energy` (Wh so far) say what was before `start`,
    where a session is cut in parts. A cut at a threshold of kWh lies on a multiple of `grain` us.
    """

    def __init__(
        self,
        start: int,
        end: int,
        zone: ZoneInfo,
        *,
        reservation_expired: bool,
        began: Mapping[bool, int] | None = None,
        energy: Decimal = _NOTHING,
        grain: int = 1,
    ) -> None:
        self._start = start
        self._end = end
        self._zone = zone
        self._expired = reservation_expired
        self.began = dict(began or {})
        self.energy = energy
        self._grain = grain
        self._edges: dict[int, list[int]] = {}

    def cut(self, stretch: Stretch) -> list[Stretch]:
        """The stretch in pieces with their choices; joins pieces between which nothing changes."""
        reserved = stretch.activity is Activity.RESERVED
        began = self.began.setdefault(reserved, stretch.start)
        before = Decimal(0) if reserved else self.energy
        if not reserved:
            self.energy += stretch.energy_wh
        if stretch.ready is None:
            return [stretch]
        group = stretch.ready.group(stretch.activity, reservation_expired=self._expired)
        if group.fixed is not None:
            stretch.choice = relevant(group.fixed, stretch)
            stretch.energy_price = group.fixed.energy
            return [stretch]
        pieces = self._pieces(stretch, group, began, before)
        return pieces if len(pieces) == 1 else joined(pieces)

    def times(self, stretches: Iterable[Stretch]) -> Iterator[int]:
        """All instants inside the stretches of the session at which the clock or the elapsed time matters."""
        began = dict(self.began)
        for stretch in stretches:
            start = began.setdefault(stretch.activity is Activity.RESERVED, stretch.start)
            if stretch.ready is not None:
                group = stretch.ready.group(stretch.activity, reservation_expired=self._expired)
                yield from self._times(stretch, group, start)

    def _pieces(self, stretch: Stretch, group: Group, began: int, before: Decimal) -> list[Stretch]:
        times = self._times(stretch, group, began)
        energies = _energy_marks(stretch, group, before, self._grain) if group.energies else []
        power = stretch.power if group.powers else None
        current = stretch.current
        if not times and not energies:
            self._settle(
                stretch, group, self._state(stretch.start, stretch.start - began, before, power, current)
            )
            return [stretch]
        pieces = []
        at, used = stretch.start, Decimal(0)
        marks = [*((mark, None) for mark in times), *energies]
        for until, energy in [*_sorted(stretch, marks), (stretch.end, stretch.energy_wh)]:
            piece = msgspec.structs.replace(
                stretch, start=at, end=until, energy_wh=energy - used, source=None
            )
            self._settle(piece, group, self._state(at, at - began, before + used, power, current))
            pieces.append(piece)
            at, used = until, energy
        return pieces

    def _settle(self, piece: Stretch, group: Group, state: State) -> None:
        """Note which components apply to a piece."""
        piece.bands = group.bands(state)
        choice = group.choose(state, piece.bands)
        piece.energy_price = choice.energy
        piece.choice = relevant(choice, piece)

    def _state(
        self, at: int, elapsed: int, energy: Decimal, power: Decimal | None, current: Decimal | None
    ) -> State:
        local = moment(at).astimezone(self._zone)
        return State(
            minute=local.hour * 60 + local.minute,
            day=local.toordinal(),
            elapsed=elapsed,
            energy_wh=energy,
            power=power,
            current=current,
        )

    def _times(self, stretch: Stretch, group: Group, began: int) -> list[int]:
        """Instants inside the stretch at which the clock or the elapsed time meets a restriction."""
        inside = []
        if group.durations:
            inside = [
                began + after for after in group.durations if stretch.start < began + after < stretch.end
            ]
        if group.minutes:
            edges = self._clock_edges(group)
            inside += edges[bisect_right(edges, stretch.start) : bisect_left(edges, stretch.end)]
        return inside

    def _clock_edges(self, group: Group) -> list[int]:
        edges = self._edges.get(id(group))
        if edges is None:
            edges = clock_edges(self._start, self._end, group.minutes, self._zone)
            self._edges[id(group)] = edges
        return edges


def _energy_marks(stretch: Stretch, group: Group, before: Decimal, grain: int) -> list[tuple[int, Decimal]]:
    """Where the energy reaches a threshold inside the stretch: (when, Wh since the stretch began)."""
    if stretch.activity is Activity.RESERVED or not stretch.energy_wh:
        return []
    length = stretch.end - stretch.start
    marks = []
    for threshold in group.energies:
        needed = threshold - before
        if 0 < needed < stretch.energy_wh:
            share = (needed * length / stretch.energy_wh / grain).to_integral_value(ROUND_HALF_UP)
            marks.append((min(stretch.start + int(share) * grain, stretch.end), needed))
    return marks


def _sorted(stretch: Stretch, marks: list[tuple[int, Decimal | None]]) -> list[tuple[int, Decimal]]:
    """The marks in order, each with its energy; where a threshold falls on a clock mark, its energy is exact."""
    exact = {at for at, energy in marks if energy is not None}
    full = {(at, energy) for at, energy in marks if energy is not None}
    full.update((at, _even(stretch, at)) for at, energy in marks if energy is None and at not in exact)
    return sorted(full)


def _even(stretch: Stretch, at: int) -> Decimal:
    """Wh since the stretch began, growing evenly."""
    if not stretch.energy_wh:
        return Decimal(0)
    share = stretch.energy_wh * (at - stretch.start) / (stretch.end - stretch.start)
    return min(share.quantize(FINE, ROUND_HALF_UP), stretch.energy_wh)


def relevant(choice: Choice, stretch: Stretch) -> Choice:
    """The choice without what this activity cannot use."""
    charging = stretch.activity is Activity.CHARGING
    reserved = stretch.activity is Activity.RESERVED
    return Choice(
        choice.flat,
        choice.energy if charging or stretch.energy_wh else None,
        choice.time if charging or reserved else None,
        choice.parking if stretch.activity is Activity.PARKING else None,
    )


def joined(pieces: Iterable[Stretch], keep: frozenset[int] = frozenset()) -> list[Stretch]:
    """The pieces with equal neighbours made one, except where a cut at an instant in `keep` is wanted."""
    whole: list[Stretch] = []
    for piece in pieces:
        last = whole[-1] if whole else None
        if last is None or piece.start in keep or not alike(last, piece):
            whole.append(piece)
        else:
            lengthen(last, piece)
    return whole


def alike(last: Stretch, piece: Stretch) -> bool:
    """Whether nothing that is billed tells two pieces apart; the price of energy counts where some flows."""
    if last.activity is not piece.activity or last.bands != piece.bands:
        return False
    if (last.energy_wh or piece.energy_wh) and last.energy_price is not piece.energy_price:
        return False
    one, other = last.choice, piece.choice
    return one.flat is other.flat and one.time is other.time and one.parking is other.parking


def lengthen(last: Stretch, piece: Stretch) -> None:
    """Make the piece that follows a part of the stretch."""
    if piece.energy_wh and not last.energy_wh:
        last.choice = piece.choice
    last.source = None
    last.end = piece.end
    last.energy_wh += piece.energy_wh
    last.min_power = _least(last.min_power, piece.min_power)
    last.max_power = _most(last.max_power, piece.max_power)
    last.min_current = _least(last.min_current, piece.min_current)
    last.max_current = _most(last.max_current, piece.max_current)


def _least(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else min(one, other)


def _most(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return other if one is None else one if other is None else max(one, other)
