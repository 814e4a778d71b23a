"""What a session would cost: the prices of the house applied to volumes that somebody gives."""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec

from app.domain.errors import Invalid
from app.domain.pricing import (
    Cost,
    Explanation,
    PeriodVolumes,
    ProfileType,
    explain,
    periods_from,
    price,
)
from app.domain.tariffs import Tariff

_SHOWN = 64


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """A session as volumes, the tariffs it may be priced by, and the time zone of the site."""

    tariffs: Sequence[Tariff]
    zone: ZoneInfo
    start: datetime
    end: datetime
    currency: str | None = None
    periods: Sequence[PeriodVolumes]
    reservation_expired: bool = False
    profile: ProfileType | None = None
    ad_hoc_payment: bool = False


def quote(question: Question) -> Explanation:
    """The price with its reasons. Raises Invalid naming the field that makes no sense."""
    cost = _priced(question)
    return explain(cost, question.tariffs, question.zone, reservation_expired=question.reservation_expired)


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a site. Raises Invalid for one that the IANA database does not know."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise Invalid(
            f"{name[:_SHOWN]!r} is not a time zone of the IANA database", field="location_time_zone"
        ) from None


def _priced(question: Question) -> Cost:
    try:
        return price(
            periods_from(question.periods, start=question.start, end=question.end),
            question.tariffs,
            question.zone,
            reservation_expired=question.reservation_expired,
            profile=question.profile,
            ad_hoc_payment=question.ad_hoc_payment,
            currency=question.currency,
        )
    except ValueError as error:
        field, _, why = str(error).partition(": ")
        raise Invalid(why or field, field=field if field == "tariffs" else f"cdr.{field}") from None
