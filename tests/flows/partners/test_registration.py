"""Registration over real HTTP, in both directions, and everything that can go wrong with it."""

import asyncio

import pytest

from app.domain.errors import Conflict
from app.domain.tokens import TokenType
from app.store import tokens
from app.store.database.errors import StoreUnavailable
from ocpi.errors import PartnerRefused
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import handshake, invitations, tables
from ocpi.partners.discovery import HandshakeFailed, Step
from ocpi.partners.partner import PartnerState
from ocpi.simulator import EmspSimulator, FaultKind

TOKEN_A = "token-a-of-the-emsp"


async def stored(house, partner_id):
    """The partner as the database has it."""
    async with house.store.reading() as session:
        return await tables.load(session, partner_id)


async def invited(house, name="Elbe Mobility"):
    return await invitations.invite(house.desk, name)


async def register_with_us(house, emsp):
    """The eMSP registers with us."""
    partner, token_a = await invited(house)
    await emsp.register(house.desk.versions_url("cpo"), token_a)
    return house.partner(partner.id)


async def status_of(house, emsp, token):
    """What a call with this token is answered."""
    peer = emsp.registration._peer(token)
    answer = await emsp._client.send("GET", house.desk.versions_url("cpo"), peer)
    return answer.http_status


async def test_a_partner_registers_with_the_token_it_was_invited_with(ocpi_house, emsp):
    partner, token_a = await invited(ocpi_house)

    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)

    registered = await stored(ocpi_house, partner.id)
    assert registered.state is PartnerState.REGISTERED
    assert registered.version == "2.2.1"
    assert registered.endpoint(ModuleId.CDRS, InterfaceRole.RECEIVER) is not None
    assert await status_of(ocpi_house, emsp, token_a) == 401
    assert await status_of(ocpi_house, emsp, emsp.registration.connection.token) == 200
    async with ocpi_house.store.reading() as session:
        token = await tokens.get(session, "DE", "EMS", "04A2B3C4D5E680", TokenType.RFID)
    assert token is not None
    assert token.valid


async def test_we_register_with_a_partner_that_invited_us(ocpi_house, emsp):
    emsp.registration.invite(TOKEN_A)
    partner, our_token_a = await invited(ocpi_house)

    registered = await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)

    kept = await stored(ocpi_house, partner.id)
    assert (kept.token_hash, kept.token_out) == (registered.token_hash, registered.token_out)
    assert registered.state is PartnerState.REGISTERED
    assert [str(p.party) for p in registered.parties] == ["DE-EMS"]
    assert await status_of(ocpi_house, emsp, our_token_a) == 401
    with pytest.raises(Conflict):
        await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)


async def test_a_failure_before_we_post_changes_nothing(ocpi_house, emsp):
    emsp.registration.invite(TOKEN_A)
    partner, our_token_a = await invited(ocpi_house)
    before = await stored(ocpi_house, partner.id)

    for step, good in ((Step.VERSIONS, ()), (Step.DETAILS, (FaultKind.OK,))):
        for fault in (FaultKind.HTTP_500, FaultKind.HTML_200, FaultKind.OCPI_2001, FaultKind.REDIRECT):
            emsp.faults.next(*good, fault, module="versions")
            with pytest.raises(HandshakeFailed) as failure:
                await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)
            assert failure.value.step is step
            assert await stored(ocpi_house, partner.id) == before

    assert await status_of(ocpi_house, emsp, our_token_a) == 200
    await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)


async def test_a_failed_post_of_ours_is_taken_back(ocpi_house, emsp):
    emsp.registration.invite(TOKEN_A)
    partner, our_token_a = await invited(ocpi_house)
    before = await stored(ocpi_house, partner.id)
    for fault in (FaultKind.HTTP_500, FaultKind.OCPI_3000, FaultKind.EMPTY_200, FaultKind.RESET_BEFORE):
        emsp.faults.next(fault, module="credentials")
        with pytest.raises(HandshakeFailed) as failure:
            await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)
        assert failure.value.step is Step.CREDENTIALS
        after = await stored(ocpi_house, partner.id)
        assert (after.state, after.token_hash, after.token_out, after.endpoints, after.parties) == (
            before.state,
            before.token_hash,
            None,
            (),
            (),
        )
        assert await status_of(ocpi_house, emsp, our_token_a) == 200


async def test_a_failed_call_back_is_3001_and_token_a_works_on(ocpi_house, emsp):
    partner, token_a = await invited(ocpi_house)
    before = await stored(ocpi_house, partner.id)

    for fault in (FaultKind.HTTP_500, FaultKind.HTML_200, FaultKind.BAD_JSON, FaultKind.NO_ENVELOPE):
        emsp.faults.next(fault, module="versions")
        with pytest.raises(PartnerRefused) as refused:
            await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
        assert (refused.value.http_status, refused.value.status_code) == (200, 3001)
        assert await stored(ocpi_house, partner.id) == before

    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)


async def test_a_store_that_fails_in_the_middle_leaves_the_invitation(ocpi_house, emsp, monkeypatch):
    partner, token_a = await invited(ocpi_house)
    before = await stored(ocpi_house, partner.id)

    async def away(*_args):
        raise StoreUnavailable("gone")

    monkeypatch.setattr("ocpi.partners.handshake.tables.owner_of", away)
    with pytest.raises(PartnerRefused) as refused:
        await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    monkeypatch.undo()

    assert refused.value.status_code == 3000
    assert await stored(ocpi_house, partner.id) == before
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)


@pytest.mark.parametrize("direction", ["they start", "we start"])
async def test_a_party_belongs_to_one_partner(ocpi_house, emsp, direction):
    await register_with_us(ocpi_house, emsp)
    second, token_a = await invited(ocpi_house, "Somebody else")
    before = await stored(ocpi_house, second.id)

    async with EmspSimulator(token_a=TOKEN_A).running() as impostor:
        if direction == "they start":
            with pytest.raises(PartnerRefused) as refused:
                await impostor.register(ocpi_house.desk.versions_url("cpo"), token_a)
            assert refused.value.status_code == 2001
        else:
            with pytest.raises(HandshakeFailed) as failed:
                await handshake.register(ocpi_house.desk, second.id, impostor.versions_url, TOKEN_A)
            assert failed.value.step is Step.PARTIES
            assert impostor.registration.connection is None, "what it had registered is withdrawn"
        after = await stored(ocpi_house, second.id)

    assert (after.state, after.token_hash, after.parties) == (before.state, before.token_hash, ())


async def test_nobody_may_take_our_own_party(ocpi_house):
    _, token_a = await invited(ocpi_house)

    async with EmspSimulator(country_code="nl", party_id="vbr").running() as impostor:
        with pytest.raises(PartnerRefused) as refused:
            await impostor.register(ocpi_house.desk.versions_url("cpo"), token_a)

    assert refused.value.status_code == 2001


async def test_two_posts_at_once_register_once(ocpi_house, emsp):
    _, token_a = await invited(ocpi_house)
    url = ocpi_house.desk.versions_url("cpo")

    results = await asyncio.gather(
        emsp.register(url, token_a), emsp.register(url, token_a), return_exceptions=True
    )

    refused = [result for result in results if isinstance(result, PartnerRefused)]
    assert [error.http_status for error in refused] in ([405], [401])


async def test_a_partner_rotates_and_the_old_token_dies_at_the_first_use_of_the_new(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    old = emsp.registration.connection.token

    await emsp.registration.rotate()

    new = emsp.registration.connection.token
    assert new != old
    assert await status_of(ocpi_house, emsp, old) == 200
    assert await status_of(ocpi_house, emsp, new) == 200
    assert await status_of(ocpi_house, emsp, old) == 401
    await settled_previous(ocpi_house, partner.id)


async def settled_previous(house, partner_id):
    """Wait until the database has forgotten the replaced token, too."""
    async with asyncio.timeout(30):
        while (await stored(house, partner_id)).previous_token_hash is not None:
            await asyncio.sleep(0.01)


async def test_we_rotate_and_push_on(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    old_in, old_out = emsp.registration.connection.token, ocpi_house.desk.peer(partner).token

    renewed = await handshake.renew(ocpi_house.desk, partner.id)

    assert ocpi_house.desk.peer(renewed).token != old_out
    assert emsp.registration.connection.token != old_in
    await emsp.pull(ModuleId.LOCATIONS)
    assert await status_of(ocpi_house, emsp, old_in) == 401


async def test_a_refused_rotation_keeps_both_old_tokens(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    before = await stored(ocpi_house, partner.id)
    emsp.faults.next(FaultKind.HTTP_404, module="credentials")

    with pytest.raises(HandshakeFailed) as failure:
        await handshake.renew(ocpi_house.desk, partner.id)

    after = await stored(ocpi_house, partner.id)
    assert failure.value.step is Step.CREDENTIALS
    assert (after.token_hash, after.token_out) == (before.token_hash, before.token_out)
    assert await status_of(ocpi_house, emsp, emsp.registration.connection.token) == 200


async def test_a_rotation_whose_answer_is_lost_locks_nobody_out(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    old = emsp.registration.connection.token
    emsp.faults.next(FaultKind.RESET_AFTER_STORE, module="credentials")

    with pytest.raises(HandshakeFailed):
        await handshake.renew(ocpi_house.desk, partner.id)

    new = emsp.registration.connection.token
    assert new != old, "the partner took the new token although we never heard so"
    assert await status_of(ocpi_house, emsp, old) == 200
    assert await status_of(ocpi_house, emsp, new) == 200
    assert await status_of(ocpi_house, emsp, old) == 401


async def test_a_partner_unregisters_and_both_tokens_are_void(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    token = emsp.registration.connection.token

    await emsp.registration.unregister()

    after = await stored(ocpi_house, partner.id)
    assert after.state is PartnerState.SUSPENDED
    assert (after.token_hash, after.token_out, after.endpoints, after.parties) == (None, None, (), ())
    assert await status_of(ocpi_house, emsp, token) == 401


async def test_drivers_of_a_partner_that_unregistered_are_nobodys(ocpi_house, emsp):
    await register_with_us(ocpi_house, emsp)
    async with asyncio.timeout(30):
        while not await known_tokens(ocpi_house):
            await asyncio.sleep(0.01)

    await emsp.registration.unregister()

    assert await known_tokens(ocpi_house) == []


async def known_tokens(house):
    """Tokens that we have of the partner's driver."""
    async with house.store.reading() as session:
        return await tokens.by_uid(session, "04A2B3C4D5E680")


async def test_we_unregister_and_the_partner_knows(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)

    trouble = await handshake.unregister(ocpi_house.desk, partner.id)

    assert trouble is None
    assert emsp.registration.connection is None
    assert (await stored(ocpi_house, partner.id)).state is PartnerState.SUSPENDED


async def test_we_unregister_from_a_partner_that_is_gone(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    await emsp.stop()

    trouble = await handshake.unregister(ocpi_house.desk, partner.id)

    assert trouble is not None
    assert (await stored(ocpi_house, partner.id)).state is PartnerState.SUSPENDED
    await emsp.start()


async def test_a_lost_answer_is_healed_by_a_new_invitation_that_keeps_the_data(ocpi_house, emsp):
    partner = await register_with_us(ocpi_house, emsp)
    old = emsp.registration.connection.token

    token_a = await invitations.reinvite(ocpi_house.desk, partner.id)
    emsp.registration.forget()
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)

    again = await stored(ocpi_house, partner.id)
    assert again.state is PartnerState.REGISTERED
    assert again.created_at == partner.created_at
    assert await status_of(ocpi_house, emsp, old) == 401


async def test_a_registration_cut_off_by_a_restart_is_taken_back(ocpi_house, emsp):
    emsp.registration.invite(TOKEN_A)
    partner, our_token_a = await invited(ocpi_house)
    await invitations.change(
        ocpi_house.desk,
        partner.id,
        lambda found, unit: handshake._expecting(found, found, "token-b-of-the-test", unit),
    )

    await handshake.recover(ocpi_house.desk)

    assert (await stored(ocpi_house, partner.id)).state is PartnerState.INVITED
    assert await status_of(ocpi_house, emsp, our_token_a) == 200
    assert await status_of(ocpi_house, emsp, "token-b-of-the-test") == 401


async def test_private_addresses_are_refused_unless_allowed(ocpi_house, emsp):
    object.__setattr__(ocpi_house.desk, "allow_private", False)
    emsp.registration.invite(TOKEN_A)
    partner, token_a = await invited(ocpi_house)

    with pytest.raises(HandshakeFailed) as ours:
        await handshake.register(ocpi_house.desk, partner.id, emsp.versions_url, TOKEN_A)
    with pytest.raises(PartnerRefused) as theirs:
        await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)

    assert ours.value.step is Step.VERSIONS
    assert theirs.value.status_code == 3001
    await invitations.set_settings(ocpi_house.desk, partner.id, {"allow_private_url": True})
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
