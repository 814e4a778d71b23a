"""The overview follows what happens without being reloaded."""

from datetime import UTC, datetime

from tests.flows.site import set_up
from tests.flows.station import connected


async def figure(page, name):
    return page.get_by_role("link").filter(has_text=name).locator(".vb-figure-value")


async def test_a_station_that_comes_and_charges_is_seen_at_once(page, house):
    site = await set_up(house)
    online = await figure(page, "Stations online")
    charging = await figure(page, "Charging now")
    before = int((await charging.inner_text()).split()[0])
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Charging")
        number = await station.start_charging(site.tag, datetime.now(UTC))
        await charging.get_by_text(f"{before + 1}", exact=True).wait_for()
        assert int((await online.inner_text()).split("/")[0]) >= 1
        await station.end(number, datetime.now(UTC), 10)
        await charging.get_by_text(f"{before}", exact=True).wait_for()
