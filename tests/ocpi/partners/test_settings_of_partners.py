"""What a partner is like unless its settings say otherwise."""

from datetime import UTC, datetime

import pytest

from app.domain.parties import Role
from ocpi.partners.partner import Partner, PartnerParty, PartnerSettings, PartnerState

NOW = datetime(2026, 11, 20, tzinfo=UTC)


@pytest.mark.parametrize(
    ("role", "chosen", "asked"),
    [
        (Role.HUB, None, True),
        (Role.HUB, False, False),
        (Role.EMSP, None, False),
        (Role.EMSP, True, True),
    ],
)
def test_hubs_are_asked_about_unknown_tokens_unless_set_otherwise(
    role: Role, chosen: bool | None, asked: bool
) -> None:
    partner = Partner(
        id="p",
        platform="cpo",
        name="P",
        state=PartnerState.REGISTERED,
        settings=PartnerSettings(authorize_unknown=chosen),
        parties=(PartnerParty(role, "DE", "HUB"),),
        created_at=NOW,
        last_updated=NOW,
    )
    assert partner.asked_of_unknown is asked
