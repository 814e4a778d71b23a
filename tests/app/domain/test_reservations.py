"""A reservation ends with its time, unless it ended before."""

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.parties import Party
from app.domain.remote import Asker
from app.domain.reservations import Reservation, ReservationState
from app.domain.tokens import Token, TokenType, Whitelist

NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "afterwards"),
    [
        (ReservationState.REQUESTED, ReservationState.EXPIRED),
        (ReservationState.ACTIVE, ReservationState.EXPIRED),
        (ReservationState.USED, ReservationState.USED),
        (ReservationState.CANCELED, ReservationState.CANCELED),
    ],
)
def test_state_at(state: ReservationState, afterwards: ReservationState) -> None:
    party = Party("DE", "EMS")
    reservation = Reservation(
        number=7,
        reservation_id="R1",
        asker=Asker(partner_id="p", party=party, response_url="https://emsp.example/r"),
        token=Token(
            country_code="DE", party_id="EMS", uid="T", type=TokenType.APP_USER, contract_id="C", issuer="E",
            valid=True, whitelist=Whitelist.NEVER, last_updated=NOW,
        ),
        station_id="CS1",
        location_id="LOC1",
        state=state,
        expires_at=NOW,
        created_at=NOW - timedelta(minutes=10),
    )  # fmt: skip
    assert reservation.state_at(NOW - timedelta(seconds=1)) is state
    assert reservation.state_at(NOW) is afterwards
