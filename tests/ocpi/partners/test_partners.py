"""Partners as rows, tokens and settings."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.parties import Party, Role
from app.store.database.errors import RowRefused
from ocpi.headers import is_token
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import handshake, invitations, tables
from ocpi.partners.partner import Endpoint, Partner, PartnerParty, PartnerState
from ocpi.partners.registry import PartnerRegistry, TokenKind
from ocpi.partners.tokens import Vault, new_token, token_hash

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def partner(partner_id="p1", **changes):
    values = {
        "id": partner_id,
        "platform": "cpo",
        "name": "Elbe",
        "state": PartnerState.REGISTERED,
        "token_hash": token_hash(f"current-of-{partner_id}"),
        "token_out": "locked",
        "endpoints": (Endpoint("tokens", InterfaceRole.SENDER, "https://x.example/tokens/"),),
        "parties": (PartnerParty(Role.EMSP, "DE", "EMS", {"name": "Elbe"}),),
        "created_at": NOW,
        "last_updated": NOW,
    }
    return Partner(**(values | changes))


async def save(store, clock, *partners):
    async with store.unit_of_work(clock) as unit:
        for each in partners:
            await tables.save(unit.session, each)


async def test_a_partner_comes_back_as_it_was_saved(store, clock):
    first = partner(previous_token_hash="old", previous_until=NOW, last_contact=NOW)
    await save(store, clock, first)
    await save(store, clock, partner("p2", parties=(), endpoints=(), token_hash=None))

    async with store.reading() as session:
        assert await tables.load(session, "p1") == first
        assert [each.id for each in await tables.load_all(session)] == ["p1", "p2"]
        assert await tables.owner_of(session, "cpo", Party("de", "ems")) == "p1"
        assert await tables.owner_of(session, "hub", Party("DE", "EMS")) is None


async def test_the_database_itself_keeps_a_party_from_two_partners(store, clock):
    await save(store, clock, partner())

    with pytest.raises(RowRefused):
        await save(store, clock, partner("p2"))


async def test_tokens_are_found_by_what_was_presented(store, clock):
    until = clock.now() + timedelta(hours=1)
    previous = token_hash("previous-of-p1")
    invited = partner(
        "p2", state=PartnerState.INVITED, parties=(), token_hash=token_hash("invitation"), token_out=None
    )
    await save(store, clock, partner(previous_token_hash=previous, previous_until=until), invited)
    registry = PartnerRegistry(store)
    await registry.load()

    def kind(*candidates, now=None):
        known = registry.by_token(candidates, now or clock.now())
        return None if known is None else (known.partner.id, known.kind, known.token)

    assert kind("current-of-p1") == ("p1", TokenKind.CURRENT, "current-of-p1")
    assert kind("nonsense", "previous-of-p1") == ("p1", TokenKind.PREVIOUS, "previous-of-p1")
    assert kind("invitation") == ("p2", TokenKind.INVITATION, "invitation")
    assert kind("previous-of-p1", now=until) is None
    assert kind("nonsense") is None
    assert kind() is None
    registry.drop_previous("p1")
    assert kind("previous-of-p1") is None


async def test_last_contacts_are_written_now_and_then(store, clock):
    await save(store, clock, partner())
    registry = PartnerRegistry(store)
    await registry.load()
    registry.contacted("p1", NOW)
    assert registry.last_contact(registry.find("p1")) == NOW

    await registry.keep_contacts(clock)

    async with store.reading() as session:
        assert (await tables.load(session, "p1")).last_contact == NOW


def test_a_new_token_is_long_and_fit_for_the_wire():
    tokens = {new_token() for _ in range(100)}

    assert len(tokens) == 100
    assert all(is_token(token) and len(token) >= 40 for token in tokens)


def test_the_vault_opens_only_with_its_key():
    vault = Vault(Fernet.generate_key())
    locked = vault.lock("secret-token")

    assert "secret-token" not in locked
    assert vault.open(locked) == vault.open(locked) == "secret-token"
    with pytest.raises(Conflict, match="VOLTBRIDGE_SECRET_KEY"):
        Vault(Fernet.generate_key()).open(locked)


def test_an_endpoint_is_looked_up_by_module_and_role():
    found = partner()

    assert found.endpoint(ModuleId.TOKENS, InterfaceRole.SENDER) == "https://x.example/tokens"
    assert found.endpoint(ModuleId.TOKENS, InterfaceRole.RECEIVER) is None


@pytest.mark.parametrize("database", ["sqlite"])
async def test_settings_are_checked_and_kept(ocpi_house):
    desk = ocpi_house.desk
    found, _ = await invitations.invite(desk, "Elbe")

    changed = await invitations.set_settings(desk, found.id, {"empty_ack": True, "page_limit": 20})

    assert (changed.settings.empty_ack, changed.settings.page_limit, changed.settings.pace) == (
        True,
        20,
        20.0,
    )
    for wrong in (
        {"colour": "red"},
        {"empty_ack": "yes"},
        {"page_limit": 0},
        {"pace": 0},
        {"broadcast": "loud"},
    ):
        with pytest.raises(Invalid):
            await invitations.set_settings(desk, found.id, wrong)
    with pytest.raises(NotFound):
        await invitations.set_settings(desk, "nobody", {})


@pytest.mark.parametrize("database", ["sqlite"])
async def test_invitations_pauses_and_ends_have_their_order(ocpi_house):
    desk = ocpi_house.desk
    for name, platform in (("", "cpo"), ("x" * 101, "cpo"), ("Elbe", "moon")):
        with pytest.raises(Invalid):
            await invitations.invite(desk, name, platform)
    found, token_a = await invitations.invite(desk, " Elbe ")
    assert (found.name, found.token_hash) == ("Elbe", token_hash(token_a))
    with pytest.raises(Conflict):
        await invitations.pause(desk, found.id)
    with pytest.raises(Conflict):
        await handshake.renew(desk, found.id)

    assert await handshake.unregister(desk, found.id) is None

    with pytest.raises(NotFound):
        desk.partner(found.id)
