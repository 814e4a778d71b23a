"""Stations in a browser: one is let in, told something, watched; and whatever it says stays text."""

import json
from datetime import UTC, datetime

import pytest
from ocpp.v16 import call
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from tests.flows.console.conftest import choose
from tests.flows.house import until
from tests.flows.site import fresh, set_up
from tests.flows.station import connected

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>{{7*7}}"


async def knock(house, name):
    with pytest.raises(InvalidStatus):
        await connect(f"{house.ocpp_url}/ocpp/{name}", subprotocols=["ocpp1.6"])


async def test_a_stranger_is_let_in_by_one_click(page, house):
    name = f"NEW-{fresh()}"
    await page.goto("/stations")
    await knock(house, name)
    await page.get_by_role("button", name=f"Let {name} in").click()
    await page.get_by_role("heading", name=f"{name} is let in").wait_for()
    assert (await house.admin.get(f"stations/{name}"))["state"] == "accepted"


async def test_the_url_for_a_new_station_is_there_to_copy_and_to_photograph(page, house):
    await page.goto("/stations")
    url = f"{house.ocpp_url}/ocpp"
    await page.get_by_text(url, exact=True).first.wait_for()
    assert await page.get_by_role("img", name=f"QR code of {url}").is_visible()


async def test_filters_and_sorting_are_those_of_the_api(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Faulted", error_code="GroundFailure")
        await page.goto(f"/stations?search={site.station}")
        row = page.get_by_role("row").filter(has_text=site.station)
        await row.get_by_text("Faulted").wait_for()
        await page.get_by_label("Search").fill(f"{site.station}-not")
        await page.get_by_text("No station is like that").wait_for()
        await page.get_by_label("Search").fill(site.station.lower())
        await row.wait_for()
        await page.get_by_role("button", name="Last heard").click()
        head = page.get_by_role("columnheader", name="Last heard")
        await until(lambda: head.get_attribute("aria-sort"))
        await page.wait_for_function(
            "document.querySelectorAll('th[aria-sort=ascending] button')[0]?.textContent === 'Last heard'"
        )
        await row.get_by_role("link").click()
        await page.get_by_role("heading", name=site.station).wait_for()
        await page.get_by_role("row").filter(has_text="GroundFailure").first.wait_for()


async def test_a_command_shows_what_the_station_really_answered(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await page.goto(f"/stations/{site.station}")
        await choose(page, "Action", "UnlockConnector")
        answer = page.get_by_role("status", name="Answer of the station")
        await page.get_by_role("button", name="Send").click()
        await page.get_by_text("connectorId: this field is needed").wait_for()
        await page.get_by_label("connectorId *").fill("1")
        await page.get_by_role("button", name="Send").click()
        dialog = page.get_by_role("alertdialog")
        await dialog.get_by_text("a running transaction there ends").wait_for()
        await dialog.get_by_role("button", name="Send").click()
        await answer.get_by_text("Unlocked").wait_for()
        log = page.get_by_role("log")
        await log.get_by_text("UnlockConnector", exact=True).wait_for()
        await page.get_by_label("Filter").fill("unlockconnector")
        await log.get_by_text("BootNotification", exact=True).wait_for(state="hidden")


async def test_a_refusal_is_told_with_its_code(page, house):
    site = await set_up(house)
    await page.goto(f"/stations/{site.station}")
    await page.get_by_role("button", name="Send").click()
    answer = page.get_by_role("status", name="Answer of the station")
    await answer.get_by_text("409 Conflict").wait_for()
    await answer.get_by_text("is not connected").wait_for()
    await page.goto("/stations/NOBODY-KNOWS")
    await page.get_by_role("alert").get_by_text("404 Not Found").wait_for()


async def test_a_running_transaction_has_a_chart_and_leaves_it_when_it_ends(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await page.goto(f"/stations/{site.station}")
        number = await station.start_charging(site.tag, datetime.now(UTC))
        heading = page.get_by_role("heading", name="Charging at connector 1")
        await heading.wait_for()
        await page.locator(".vb-chart canvas").wait_for()
        await station.end(number, datetime.now(UTC), 100)
        await heading.wait_for(state="detached")


async def test_what_a_station_says_is_never_markup(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.say(call.BootNotification("<i>{{7*7}}</i>", "<b>V</b>"))
        await station.status(1, "Faulted", error_code="OtherError", info="<u>burnt</u>")
        await station.say(call.DataTransfer("x", data=HOSTILE))
        await page.goto(f"/stations/{site.station}")
        await page.get_by_text("<i>{{7*7}}</i>", exact=True).wait_for()
        await page.get_by_text("<u>burnt</u>").first.wait_for()
        await page.get_by_role("img", name="Connector 1: could serve 0.0 % of the known time").wait_for()
        interruptions = page.get_by_role("table", name="Interruptions").get_by_role("row")
        await interruptions.filter(has_text="OtherError").filter(has_text="goes on").wait_for()
        await page.get_by_role("log").get_by_text(json.dumps(HOSTILE)[1:-1]).wait_for()
        await page.goto(f"/stations?search={site.station}")
        await page.get_by_text("<b>V</b> <i>{{7*7}}</i>", exact=True).wait_for()
        assert "owned" not in await page.title()
        assert await page.locator("main b, main i:not(.q-icon), main u, main script").count() == 0
