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


async def test_the_map_and_the_news_show_it_and_names_stay_text(page, house):
    site = await set_up(house)
    location = await house.admin.get(f"locations/{site.location}")
    await house.admin.put(
        f"locations/{site.location}", location | {"name": "<img src=x onerror=alert(1)>Quay"}
    )
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Faulted", error_code="GroundFailure")
        await page.goto("/")
        news = page.get_by_role("list", name="What happened last, newest first")
        entry = news.get_by_role("listitem").filter(has_text="GroundFailure").filter(has_text=site.station)
        await entry.wait_for()
        await page.locator("path.vb-mark-bad").first.wait_for()
        assert await page.locator(".vb-map img[src=x]").count() == 0
        await page.get_by_role("img", name="Power of the last 24 hours").locator("canvas").wait_for()
        await entry.get_by_role("link").click()
        await page.get_by_role("heading", name=site.station).wait_for()


async def test_every_figure_leads_to_a_page(page):
    figures = page.locator("a.vb-figure")
    for number in range(await figures.count()):
        to = await figures.nth(number).get_attribute("href")
        assert (await page.request.get(to)).status == 200, to
