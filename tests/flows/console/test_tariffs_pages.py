"""Tariffs in a browser: checked while they are typed, shown over the week, tried on a visit, saved by the API."""

import json

import pytest

from tests.flows.site import fresh, tariff

NIGHT_AFTER_ALL = {
    "currency": "EUR",
    "elements": [
        {"price_components": [{"type": "ENERGY", "price": 0.40, "vat": 21, "step_size": 1}]},
        {
            "price_components": [{"type": "ENERGY", "price": 0.20, "vat": 21, "step_size": 1}],
            "restrictions": {"start_time": "22:00", "end_time": "06:00"},
        },
    ],
}
HOSTILE = "<img src=x onerror=\"document.title='owned'\">{{7*7}}"


async def test_a_new_tariff_is_typed_with_vat_and_kept_without(page, house):
    name = f"NEW{fresh()}"
    await page.goto("/tariffs")
    await page.get_by_label("Id of a new tariff").fill(name)
    await page.get_by_role("button", name="New tariff").click()
    await page.get_by_text("not saved yet").wait_for()
    await page.get_by_role("button", name="With VAT", exact=True).click()
    await page.get_by_label("Price with VAT").fill("0,45")
    await page.get_by_text("0.3719 EUR/kWh without, 0.45 EUR/kWh with VAT").wait_for()
    await page.get_by_text("9.90 EUR with VAT").wait_for()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved. Partners are told").wait_for()
    (component,) = (await house.admin.get(f"tariffs/{name}"))["elements"][0]["price_components"]
    assert (component["price"], component["vat"]) == (0.3719, 21)
    await page.goto("/tariffs")
    row = page.get_by_role("row").filter(has_text=name)
    await row.get_by_text("0.45 /kWh").wait_for()


async def test_what_is_not_meant_is_found_while_typing_with_its_price(page, house):
    name = f"LINT{fresh()}"
    await house.admin.put(f"tariffs/{name}", NIGHT_AFTER_ALL)
    await page.goto(f"/tariffs/{name}")
    check = page.get_by_role("status", name="What the check found")
    await check.get_by_text("elements[1]").wait_for()
    await check.get_by_text("For example").wait_for()
    await check.get_by_text("and not").wait_for()
    week = page.get_by_role("img", name="Price over the week")
    assert await week.get_by_text("0.484", exact=True).count() == 7
    await page.get_by_role("button", name="Element 2 earlier").click()
    await check.get_by_text("elements[1]").wait_for(state="detached")
    assert await week.get_by_text("0.242", exact=True).count() == 14
    await page.get_by_text("changed", exact=True).wait_for()
    assert (await house.admin.get(f"tariffs/{name}"))["elements"][0]["price_components"][0]["price"] == 0.4


async def test_prices_and_elements_come_and_go(page, house):
    name = f"GROW{fresh()}"
    await house.admin.put(f"tariffs/{name}", tariff())
    await page.goto(f"/tariffs/{name}")
    await page.get_by_role("button", name="Add a price to element 1").click()
    await page.get_by_role("button", name="Remove this price").nth(1).wait_for()
    await page.get_by_role("button", name="Add an element").click()
    await page.get_by_role("button", name="Remove element 2").wait_for()
    prices = page.get_by_role("button", name="Remove this price")
    before = await prices.count()
    await prices.first.click()
    await prices.nth(before - 1).wait_for(state="detached")
    await page.get_by_role("button", name="Remove element 2").click()
    await page.get_by_role("button", name="Remove element 2").wait_for(state="detached")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved. Partners are told").wait_for()
    (element,) = (await house.admin.get(f"tariffs/{name}"))["elements"]
    assert [each["type"] for each in element["price_components"]] == ["TIME"]


async def test_what_cannot_be_saved_says_why_and_where(page, house):
    name = f"BAD{fresh()}"
    await house.admin.put(f"tariffs/{name}", tariff())
    await page.goto(f"/tariffs/{name}")
    await page.get_by_text("When it applies").click()
    await page.get_by_label("From (HH:MM)").fill("25:00")
    check = page.get_by_role("status", name="What the check found")
    await check.get_by_text("cannot be saved").wait_for()
    await check.get_by_text("elements[0].restrictions.start_time").wait_for()
    await page.get_by_label("From (HH:MM)").fill("22:00")
    await page.get_by_text("Applies from 22:00").wait_for()
    await check.get_by_text("cannot be saved").wait_for(state="detached")
    await page.get_by_label("Price without VAT").fill("much")
    await page.get_by_text("not a number").wait_for()
    await check.get_by_text("elements[0].price_components[0].price").wait_for()


async def test_a_visit_is_priced_by_what_stands_in_the_form(page, house):
    name = f"SIM{fresh()}"
    await house.admin.put(f"tariffs/{name}", tariff(ENERGY=0.5, PARKING_TIME=6))
    await page.goto(f"/tariffs/{name}")
    await page.get_by_text("27.83 EUR with VAT, 23.00 EUR without").wait_for()
    bill = page.get_by_role("table", name="Bill")
    await bill.get_by_role("row").filter(has_text="Parking").get_by_text("2 h 00 min").wait_for()
    await page.locator(".vb-chart canvas").wait_for()
    await page.get_by_label("Energy, kWh").fill("11")
    await page.get_by_text("28.435 EUR with VAT, 23.50 EUR without").wait_for()
    await page.get_by_label("Stays for hours").fill("soon")
    await page.get_by_text("The stay, the energy and the power are numbers").wait_for()


async def test_a_tariff_is_taken_over_from_json_and_withdrawn(page, house):
    name = f"JSON{fresh()}"
    await house.admin.put(f"tariffs/{name}", tariff())
    await page.goto(f"/tariffs/{name}")
    await page.get_by_text("As OCPI").click()
    field = page.get_by_label("Tariff (JSON)")
    await field.fill("{")
    await page.get_by_role("button", name="Take over").click()
    await page.get_by_text("This is not JSON").wait_for()
    text = [{"language": "en", "text": HOSTILE}]
    await field.fill(json.dumps(tariff(FLAT=2) | {"tariff_alt_text": text}))
    await page.get_by_role("button", name="Take over").click()
    await page.get_by_text("2.00 EUR without, 2.42 EUR with VAT").wait_for()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved. Partners are told").wait_for()
    assert (await house.admin.get(f"tariffs/{name}"))["tariff_alt_text"] == text
    assert "owned" not in await page.title()
    await page.get_by_role("button", name="Withdraw").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Withdraw").click()
    await page.get_by_role("heading", name="Tariffs").first.wait_for()
    assert all(each["id"] != name for each in await house.admin.all("tariffs"))


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light")])
async def test_the_pages_fit_the_screen(browser, house, width, scheme):
    name = f"FIT{fresh()}"
    await house.admin.put(f"tariffs/{name}", NIGHT_AFTER_ALL)
    async with browser.operator(width, scheme) as page:
        for address in ("/tariffs", f"/tariffs/{name}"):
            await page.goto(address)
            await page.locator("#main .vb-card").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width
