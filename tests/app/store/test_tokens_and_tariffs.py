"""Tokens and tariffs: compared without case, listed whole, gone when withdrawn."""

from datetime import timedelta
from typing import Any

from msgspec.structs import replace

from app.domain.tokens import TokenType
from app.store import tariffs, tokens
from app.store.database.engine import Store
from app.store.paging import Window


async def test_a_token_is_one_whatever_its_case(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        assert await tokens.save(unit.session, make.token("04a1-B2"))
        assert not await tokens.save(unit.session, make.token("04A1-b2", party_id="ABC", valid=False))
        assert await tokens.save(unit.session, make.token("04A1B2"), own=True)
        assert await tokens.save(unit.session, make.token("04a1-B2", type=TokenType.APP_USER))
    async with store.reading() as session:
        found = await tokens.get(session, "de", "Abc", "04A1-B2", TokenType.RFID)
        assert found == make.token("04A1-b2", party_id="ABC", valid=False)
        assert len(await tokens.by_uid(session, "04 a1:b2")) == 3
        assert (await tokens.find(session, own=True, limit=9))[0] == [make.token("04A1B2")]
        everything, total = await tokens.find(session, limit=2, offset=1)
        assert (len(everything), total) == (2, 3)
        assert await tokens.get(session, "DE", "ABC", "04A1", TokenType.RFID) is None


async def test_tokens_go_one_by_one_or_with_their_party(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        for uid, party in (("A", "abc"), ("B", "abc"), ("C", "xyz")):
            await tokens.save(unit.session, make.token(uid, party_id=party))
        assert await tokens.remove(unit.session, "DE", "ABC", "a", TokenType.RFID)
        assert not await tokens.remove(unit.session, "DE", "ABC", "a", TokenType.RFID)
        await tokens.remove_party(unit.session, "de", "ABC")
    async with store.reading() as session:
        assert [token.uid for token in (await tokens.find(session, limit=9))[0]] == ["C"]


async def test_a_withdrawn_tariff_leaves_the_lists_and_can_come_back(
    store: Store, clock: Any, make: Any
) -> None:
    async with store.unit_of_work(clock) as unit:
        first = await tariffs.save(unit.session, make.tariff("Day"), unit.now())
        second = await tariffs.save(unit.session, replace(first, id="DAY", currency="SEK"), unit.now())
        assert second.id == "Day"
        assert second.last_updated == first.last_updated + timedelta(milliseconds=1)
        gone = await tariffs.withdraw(unit.session, "dAY", unit.now())
        assert gone is not None
        assert gone.currency == "SEK"
        assert await tariffs.withdraw(unit.session, "Day", unit.now()) is None
        assert await tariffs.withdraw(unit.session, "Night", unit.now()) is None
    async with store.reading() as session:
        assert await tariffs.get(session, "Day") is None
        assert await tariffs.is_withdrawn(session, "DAY")
        assert not await tariffs.is_withdrawn(session, "Night")
        assert (await tariffs.page(session, Window(limit=9))).total == 0
        assert set(await tariffs.bodies(session, ["Day"])) == {"Day"}
    async with store.unit_of_work(clock) as unit:
        back = await tariffs.save(unit.session, first, unit.now())
        assert back.last_updated > gone.last_updated
        assert await tariffs.get(unit.session, "day") == back
