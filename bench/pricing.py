"""How fast sessions are priced: `python -m bench.pricing`, or as the last part of `python -m bench`.

One core, no I/O. There is nothing public beside it: the package `ocpi-tariffs` on the index (0.1.0) holds no code.
"""

import gc
import json
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from rich.console import Console
from rich.table import Table

from app.domain.pricing import (
    Activity,
    CdrDimension,
    Cost,
    Period,
    PeriodVolumes,
    periods_from,
    price,
    volumes_of,
)
from app.domain.tariffs import PriceComponent, Restrictions, Tariff, TariffDimension, TariffElement

ZONE = ZoneInfo("Europe/Amsterdam")
START = datetime(2026, 6, 1, 16, tzinfo=UTC)
ROUNDS = 7
SECONDS = 0.4


class Bar(NamedTuple):
    """One measurement: what it is, its figure in us, and what it must not exceed."""

    name: str
    microseconds: float
    most: float

    @property
    def held(self) -> bool:
        """Whether the bar is reached."""
        return self.microseconds <= self.most


def component(kind: TariffDimension, amount: str, step: int = 1) -> PriceComponent:
    """A price with 21 % VAT."""
    return PriceComponent(type=kind, price=Decimal(amount), vat=Decimal(21), step_size=step)


def tariff(*elements: TariffElement) -> Tariff:
    """A tariff of these elements, an idle fee and a start fee."""
    rest = TariffElement(
        price_components=(
            component(TariffDimension.PARKING_TIME, "6", 60),
            component(TariffDimension.FLAT, "0.35"),
        )
    )
    return Tariff(
        country_code="NL",
        party_id="VBR",
        id="T",
        currency="EUR",
        elements=(*elements, rest),
        last_updated=START,
    )


def quarter(number: int) -> TariffElement:
    """A quarter of an hour with a price of its own."""
    begins, ends = number * 15, (number + 1) % 96 * 15
    return TariffElement(
        price_components=(component(TariffDimension.ENERGY, f"0.{200 + number}"),),
        restrictions=Restrictions(
            start_time=f"{begins // 60:02}:{begins % 60:02}", end_time=f"{ends // 60:02}:{ends % 60:02}"
        ),
    )


SIMPLE = tariff(TariffElement(price_components=(component(TariffDimension.ENERGY, "0.45"),)))
DYNAMIC = tariff(*(quarter(number) for number in range(96)))


def session(count: int) -> tuple[Period, ...]:
    """Periods of a quarter of an hour; in the last one the car only stands there."""
    quarter_hour = timedelta(minutes=15)
    return tuple(
        Period(
            start=START + number * quarter_hour,
            end=START + (number + 1) * quarter_hour,
            energy_wh=Decimal(2750 if number < count - 1 else 0),
            activity=Activity.CHARGING if number < count - 1 else Activity.PARKING,
            tariff_id="T",
        )
        for number in range(count)
    )


class Volume(msgspec.Struct):
    """A dimension as it travels."""

    type: CdrDimension
    volume: Decimal


class ChargingPeriod(msgspec.Struct):
    """A charging period as it travels."""

    start_date_time: datetime
    dimensions: list[Volume]
    tariff_id: str | None = None


class Record(msgspec.Struct):
    """The part of a CDR that its price depends on."""

    start_date_time: datetime
    end_date_time: datetime
    charging_periods: list[ChargingPeriod]


_decode = msgspec.json.Decoder(Record).decode
_encode = msgspec.json.Encoder(decimal_format="number").encode


def written(periods: tuple[Period, ...]) -> bytes:
    """A session as the bytes a partner would send."""
    body = {
        "start_date_time": periods[0].start,
        "end_date_time": periods[-1].end,
        "charging_periods": [
            {
                "start_date_time": each.start,
                "dimensions": [{"type": kind, "volume": volume} for kind, volume in each.volumes.items()],
                "tariff_id": each.tariff_id,
            }
            for each in volumes_of(periods)
        ],
    }
    return _encode(body)


def answered(raw: bytes) -> bytes:
    """From the bytes of a record to the bytes of its price."""
    record = _decode(raw)
    volumes = [
        PeriodVolumes(
            start=each.start_date_time,
            volumes={one.type: one.volume for one in each.dimensions},
            tariff_id=each.tariff_id,
        )
        for each in record.charging_periods
    ]
    cost = price(
        periods_from(volumes, start=record.start_date_time, end=record.end_date_time), [SIMPLE], ZONE
    )
    return _encode(sums(cost))


def sums(cost: Cost) -> dict[str, object]:
    """The sums of a CDR."""
    return {
        "currency": cost.currency,
        "total_cost": cost.total_cost,
        "total_fixed_cost": cost.total_fixed_cost,
        "total_energy_cost": cost.total_energy_cost,
        "total_parking_cost": cost.total_parking_cost,
        "total_energy": cost.total_energy,
        "total_time": cost.total_time,
        "total_parking_time": cost.total_parking_time,
    }


def measured(work: Callable[[], object]) -> float:
    """CPU time of one call in us: the best of several rounds."""
    work()
    count, best = 1, float("inf")
    began = time.process_time()
    while time.process_time() - began < SECONDS / 10:
        work()
        count += 1
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(count):
            work()
        best = min(best, (time.process_time() - began) / count)
    return best * 1e6


def bars() -> list[Bar]:
    """All measurements; checks first that what is measured is right."""
    few, many = session(3), session(300)
    raw = written(few)
    found = json.loads(answered(raw))
    assert Decimal(str(found["total_cost"]["excl_vat"])) == Decimal("4.325"), found
    gc.disable()
    try:
        simple = measured(lambda: price(few, [SIMPLE], ZONE))
        dynamic = measured(lambda: price(few, [DYNAMIC], ZONE))
        return [
            Bar("3 periods, prepared tariff", simple, 1e6 / 20_000),
            Bar("3 periods, tariff of 96 quarters", dynamic, 2 * simple),
            Bar("3 periods, JSON bytes to JSON bytes", measured(lambda: answered(raw)), 1e6 / 8_000),
            Bar("300 periods, prepared tariff", measured(lambda: price(many, [SIMPLE], ZONE)), 1000),
        ]
    finally:
        gc.enable()


def table(found: list[Bar]) -> Table:
    """The measurements for people."""
    made = Table(title="Pricing, one core", box=None, pad_edge=False)
    for heading in ("session", "us", "a second", "bar (us)", ""):
        made.add_column(heading, justify="left" if heading == "session" else "right")
    for bar in found:
        made.add_row(
            bar.name,
            f"{bar.microseconds:.1f}",
            f"{1e6 / bar.microseconds:,.0f}",
            f"{bar.most:.1f}",
            "reached" if bar.held else "missed",
        )
    return made


def main() -> int:
    """Measure and print; fails if a bar is missed."""
    found = bars()
    Console(width=120).print(table(found))
    return 0 if all(bar.held for bar in found) else 1


if __name__ == "__main__":
    sys.exit(main())
