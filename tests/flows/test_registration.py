"""Registration over real HTTP, in both directions."""

from app.domain.tokens import TokenType
from app.store import tokens
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import handshake, invitations
from ocpi.partners.partner import PartnerState


async def test_a_partner_registers_with_the_token_it_was_invited_with(ocpi_house, emsp):
    partner, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")

    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)

    registered = ocpi_house.partner(partner.id)
    assert registered.state is PartnerState.REGISTERED
    assert registered.version == "2.2.1"
    assert registered.endpoint(ModuleId.CDRS, InterfaceRole.RECEIVER) is not None
    async with ocpi_house.store.reading() as session:
        token = await tokens.get(session, "DE", "EMS", "04A2B3C4D5E680", TokenType.RFID)
    assert token is not None
    assert token.valid


async def test_we_register_with_a_partner_that_invited_us(ocpi_house, emsp):
    token_a = "token-a-of-the-emsp"
    emsp.registration.invite(token_a)
    partner, _ = await invitations.invite(ocpi_house.desk, "Elbe Mobility")

    registered = await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, token_a)

    assert registered.state is PartnerState.REGISTERED
    assert [str(p.party) for p in registered.parties] == ["DE-EMS"]
