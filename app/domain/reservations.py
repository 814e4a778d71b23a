"""Reservations: an EVSE kept free for a driver, under the partner's name for it and under our number."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.domain.remote import Asker
from app.domain.tokens import Token


class ReservationState(StrEnum):
    """How far a reservation has come; one that is still open past its end has expired."""

    REQUESTED = "requested"
    ACTIVE = "active"
    REJECTED = "rejected"
    CANCELED = "canceled"
    USED = "used"
    EXPIRED = "expired"


OPEN = (ReservationState.REQUESTED, ReservationState.ACTIVE)
"""The states in which a reservation may still be used or canceled."""


class Reservation(msgspec.Struct, frozen=True, kw_only=True):
    """`number` is what the station knows it by; `evse_uid` None: any EVSE of the station."""

    number: int
    reservation_id: str
    asker: Asker
    token: Token
    station_id: str
    location_id: str
    evse_uid: str | None = None
    authorization_reference: str | None = None
    state: ReservationState = ReservationState.REQUESTED
    expires_at: datetime
    created_at: datetime

    def state_at(self, now: datetime) -> ReservationState:
        """The state as it is now: time ends a reservation without a word from anybody."""
        ended = self.state in OPEN and self.expires_at <= now
        return ReservationState.EXPIRED if ended else self.state
