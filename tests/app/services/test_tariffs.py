"""Tariffs as the operator puts and withdraws them."""

from decimal import Decimal

from app.domain.events import TariffChanged
from app.domain.tariffs import Price
from app.services import tariffs
from app.store import tariffs as rows


async def test_a_tariff_is_put_replaced_withdrawn_and_comes_back(store, clock, objects):
    async with store.unit_of_work(clock) as unit:
        assert (await tariffs.put(unit, objects.tariff()))[1]
    clock.advance(1)
    async with store.unit_of_work(clock) as unit:
        stored, created = await tariffs.put(
            unit, objects.tariff("ac-day", min_price=Price(excl_vat=Decimal(1)))
        )
    assert not created
    assert (stored.id, stored.last_updated) == ("AC-DAY", clock.now())

    async with store.unit_of_work(clock) as unit:
        assert await tariffs.withdraw(unit, "AC-DAY")
        assert not await tariffs.withdraw(unit, "AC-DAY")
        assert [type(event) for event in unit.events] == [TariffChanged]
    async with store.reading() as session:
        assert await rows.get(session, "AC-DAY") is None

    async with store.unit_of_work(clock) as unit:
        assert (await tariffs.put(unit, objects.tariff()))[1]
