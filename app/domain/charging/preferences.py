"""Charging preferences of drivers: what can be promised for a running session (OCPI 2.2.1 mod_sessions)."""

from enum import StrEnum

from app.domain.locations import Evse
from app.domain.sessions import ChargingSession, SessionStatus

CAPABLE = "CHARGING_PREFERENCES_CAPABLE"


class PreferenceAnswer(StrEnum):
    """The words of ChargingPreferencesResponse that we use."""

    ACCEPTED = "ACCEPTED"
    NOT_POSSIBLE = "NOT_POSSIBLE"
    PROFILE_TYPE_NOT_SUPPORTED = "PROFILE_TYPE_NOT_SUPPORTED"


_AS_ALWAYS = frozenset({"REGULAR", "FAST"})
"""Stations charge as fast as they may, from the start: these wishes are met. Nothing here plans by price or source."""


def capable(evse: Evse | None) -> bool:
    """Whether the EVSE takes preferences at all."""
    return evse is not None and CAPABLE in evse.capabilities


def judge(session: ChargingSession, profile: str) -> PreferenceAnswer:
    """What a driver who prefers this profile is told."""
    if session.status not in (SessionStatus.ACTIVE, SessionStatus.PENDING):
        return PreferenceAnswer.NOT_POSSIBLE
    if profile in _AS_ALWAYS:
        return PreferenceAnswer.ACCEPTED
    return PreferenceAnswer.PROFILE_TYPE_NOT_SUPPORTED
