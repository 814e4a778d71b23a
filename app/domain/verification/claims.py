"""A record that somebody else made: what it says was used, by which tariff, and what it asks."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import msgspec

from app.domain.pricing import Cost, Period, PeriodVolumes, ProfileType, periods_from, price
from app.domain.tariffs import Price, Tariff

Total = Price | None
Reading = tuple[str, str, Callable[[], Total]]
"""A name, words for what was done, and what the session costs that way; None where it makes no difference."""


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A record to be checked. Sums that it leaves out are None; kWh and hours as in OCPI."""

    start: datetime
    end: datetime
    currency: str
    volumes: Sequence[PeriodVolumes]
    tariffs: Sequence[Tariff]
    zone: ZoneInfo
    total_cost: Price
    total_energy: Decimal
    total_time: Decimal
    total_parking_time: Decimal | None = None
    sums: dict[str, Price] = {}
    """`total_fixed_cost` and the like, by their names in OCPI."""
    reservation_expired: bool = False
    profile: ProfileType | None = None
    ad_hoc_payment: bool = False


class Use(msgspec.Struct, frozen=True, kw_only=True):
    """What is priced: periods, tariffs and the zone of a claim, or another reading of them."""

    periods: tuple[Period, ...]
    tariffs: tuple[Tariff, ...]
    zone: ZoneInfo
    reservation_expired: bool = False
    profile: ProfileType | None = None
    ad_hoc_payment: bool = False

    def cost(self) -> Cost:
        """The price. Raises ValueError as `price` does."""
        return price(
            self.periods,
            self.tariffs,
            self.zone,
            reservation_expired=self.reservation_expired,
            profile=self.profile,
            ad_hoc_payment=self.ad_hoc_payment,
        )


def use_of(claim: Claim) -> Use:
    """What the claim says was used. Raises ValueError for periods that cannot be."""
    return Use(
        periods=periods_from(claim.volumes, start=claim.start, end=claim.end),
        tariffs=tuple(claim.tariffs),
        zone=claim.zone,
        reservation_expired=claim.reservation_expired,
        profile=claim.profile,
        ad_hoc_payment=claim.ad_hoc_payment,
    )
