"""Which tariff a session is priced by, when several are offered."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from app.domain.tariffs import Tariff, TariffType


class ProfileType(StrEnum):
    """A driver's charging preference (OCPI 2.2.1, Sessions, ProfileType)."""

    CHEAP = "CHEAP"
    FAST = "FAST"
    GREEN = "GREEN"
    REGULAR = "REGULAR"


_MEANT_FOR = {
    ProfileType.CHEAP: TariffType.PROFILE_CHEAP,
    ProfileType.FAST: TariffType.PROFILE_FAST,
    ProfileType.GREEN: TariffType.PROFILE_GREEN,
    ProfileType.REGULAR: TariffType.REGULAR,
}


def session_tariff(
    tariffs: Sequence[Tariff],
    at: datetime,
    *,
    profile: ProfileType | None = None,
    ad_hoc_payment: bool = False,
) -> Tariff:
    """The tariff for a session that starts at this moment.

    The only tariff is the session's, whatever its type. Of several, those valid at the start count: first one of
    the session's own type (ad hoc, or the preference's, REGULAR without one), then one without a type; never one
    meant for other sessions. Of equals the one that became valid last. Raises ValueError if none fits.
    """
    if len(tariffs) == 1:
        return tariffs[0]
    wanted = TariffType.AD_HOC_PAYMENT if ad_hoc_payment else _MEANT_FOR[profile or ProfileType.REGULAR]
    fitting = [tariff for tariff in tariffs if _valid(tariff, at)]
    for kind in (wanted, None):
        found = _newest([tariff for tariff in fitting if tariff.type is kind])
        if found is not None:
            return found
    raise ValueError(f"tariffs: none is meant for a session of type {wanted} that starts at {at.isoformat()}")


def period_tariff(tariffs: Sequence[Tariff], tariff_id: str, at: datetime, field: str) -> Tariff:
    """The tariff that a period names, in the version valid at the start of the session; ValueError if unknown."""
    if len(tariffs) == 1:
        return tariffs[0]
    named = [tariff for tariff in tariffs if tariff.id == tariff_id]
    if not named:
        raise ValueError(f"{field}: {tariff_id!r} is none of the given tariffs")
    return _newest([tariff for tariff in named if _valid(tariff, at)]) or named[0]


def _valid(tariff: Tariff, at: datetime) -> bool:
    return (tariff.start_date_time is None or tariff.start_date_time <= at) and (
        tariff.end_date_time is None or at < tariff.end_date_time
    )


def _newest(tariffs: Sequence[Tariff]) -> Tariff | None:
    """The one that became valid last, the first of equals."""
    best: Tariff | None = None
    for tariff in tariffs:
        if best is None or _later(tariff.start_date_time, best.start_date_time):
            best = tariff
    return best


def _later(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and (other is None or one > other)
