"""What was charged in a period: its sums, its pictures, its stations, and a file of it."""

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.flows.console.conftest import choose
from tests.flows.site import set_up
from tests.flows.station import connected


async def test_a_period_with_its_most_used_stations_and_a_file(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Available")
        now = datetime.now(UTC)
        number = await station.start_charging(site.tag, now - timedelta(hours=1))
        await station.end(number, now, 20_000)
    await page.goto("/statistics?days=7")
    used = page.get_by_role("table", name="Most used")
    await used.get_by_role("row").filter(has_text=site.station).wait_for()
    await page.get_by_role("img", name="Energy by day").locator("canvas").wait_for()
    await page.get_by_role("img", name="Availability by day").locator("canvas").wait_for()
    async with page.expect_download() as started:
        await page.get_by_role("button", name="Stations as CSV").click()
    download = await started.value
    assert download.suggested_filename == "statistics-by-station-7-days.csv"
    text = Path(await download.path()).read_text("utf-8")
    rows = {row["key"]: row for row in csv.DictReader(text.splitlines())}
    assert float(rows[site.station]["energy_kwh"]) == 20
    assert 0 < float(rows[site.station]["availability"]) <= 1
    await choose(page, "Period", "30 days")
    await used.get_by_role("row").filter(has_text=site.station).wait_for()
