"""Tokens as their issuers give them."""

from datetime import timedelta

import pytest

from app.domain.events import TokenChanged
from app.domain.tokens import Token, TokenType, Whitelist
from app.services import tokens
from app.store import tokens as rows


@pytest.fixture
def token(clock):
    def build(**changes):
        values = {
            "country_code": "DE",
            "party_id": "EMS",
            "uid": "04A2",
            "type": TokenType.RFID,
            "contract_id": "C1",
            "issuer": "Elbe",
            "valid": True,
            "whitelist": Whitelist.ALLOWED,
            "last_updated": clock.now(),
        }
        return Token(**(values | changes))

    return build


async def test_the_newest_version_wins_whatever_the_order(store, clock, token):
    async with store.unit_of_work(clock) as unit:
        assert await tokens.put(unit, token(valid=False))
        assert not await tokens.put(unit, token(last_updated=clock.now() - timedelta(seconds=1)))
        assert not await tokens.put(unit, token(uid="04a2", contract_id="C2", valid=False))
        assert [type(event) for event in unit.events] == [TokenChanged, TokenChanged]

    async with store.reading() as session:
        kept = await rows.get(session, "DE", "EMS", "04A2", TokenType.RFID)
    assert (kept.valid, kept.contract_id) == (False, "C2")


async def test_an_own_token_is_removed_once(store, clock, token):
    async with store.unit_of_work(clock) as unit:
        await tokens.put(unit, token(), own=True)
    async with store.unit_of_work(clock) as unit:
        assert await tokens.remove(unit, "de", "ems", "04a2", TokenType.RFID)
        assert not await tokens.remove(unit, "de", "ems", "04a2", TokenType.RFID)
