"""Sessions and records in a browser: one is followed live to its record, which is explained, held, released, credited."""

from datetime import UTC, datetime, timedelta

from ocpi.wire.commands import CommandType
from tests.flows.site import fresh, set_up
from tests.flows.station import connected


async def test_a_session_is_followed_live_to_its_record(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await page.goto(f"/sessions?station={site.station}")
        await page.get_by_text("No session is like that").wait_for()
        await station.status(1, "Preparing")
        number = await station.start_charging(site.tag, datetime.now(UTC))
        row = page.get_by_role("row").filter(has_text=site.station)
        await row.get_by_text("Active").wait_for()
        await row.get_by_role("link").first.click()
        line = page.get_by_role("list", name="Timeline, oldest first")
        await line.get_by_text(f"started with card {site.tag}").wait_for()
        await page.get_by_text("No record yet").wait_for()
        await station.end(number, datetime.now(UTC), 5000)
        await line.get_by_text("stopped, meter at").wait_for()
        await page.get_by_role("heading", name="Cost, line by line").wait_for()
        bill = page.get_by_role("table", name="Lines of the bill")
        await bill.get_by_text("0.40 EUR / kWh").wait_for()
        entry = line.get_by_role("listitem").filter(has_text="started with card")
        await entry.locator("summary").click()
        await entry.get_by_text('"meterStart"').wait_for()
        words = await line.get_by_role("listitem").all_inner_texts()
        assert ["Preparing" in words[0], "Authorised by" in " ".join(words)] == [True, True]


async def held(house, site):
    """A record that waits: somebody nobody knows charged."""
    async with connected(house, site.station) as station:
        await station.boot()
        number = (await station.begin(f"STRANGER{fresh()}", datetime.now(UTC))).transaction_id
        await station.end(number, datetime.now(UTC), 4000)
    return (await house.admin.get("cdrs", state="held", limit=1))[0]["id"]


async def test_a_held_record_is_discarded_with_a_reason(page, house):
    record = await held(house, await set_up(house))
    await page.goto("/cdrs?state=held")
    await page.get_by_role("row").filter(has_text="the driver was not let in").first.wait_for()
    await page.goto(f"/cdrs/{record}")
    await page.get_by_role("button", name="Discard").click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_text("Nobody is billed").wait_for()
    await dialog.get_by_role("button", name="Discard").click()
    await page.get_by_text("Say why").wait_for()
    await dialog.get_by_label("Reason *").fill("<b>a guest</b>")
    await dialog.get_by_role("button", name="Discard").click()
    await page.get_by_text("<b>a guest</b>", exact=True).wait_for()
    assert (await house.admin.get(f"cdrs/{record}"))["state"] == "discarded"
    assert await page.locator("main b").count() == 0


async def test_a_held_record_is_released_with_the_right_energy(page, house):
    record = await held(house, await set_up(house))
    await page.goto(f"/cdrs/{record}")
    await page.get_by_role("button", name="Release").click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_label("Energy in kWh").fill("much")
    await dialog.get_by_role("button", name="Release").click()
    await page.get_by_text("a number is expected").wait_for()
    await dialog.get_by_label("Energy in kWh").fill("3.5")
    await dialog.get_by_role("button", name="Release").click()
    await page.locator(".vb-chip").get_by_text("Issued").wait_for()
    found = await house.admin.get(f"cdrs/{record}")
    assert (found["state"], found["total_energy"]) == ("issued", 3.5)


async def test_an_issued_record_is_corrected_and_credited(page, house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        number = await station.start_charging(site.tag, datetime.now(UTC))
        await station.end(number, datetime.now(UTC), 10_000)
    (session,) = await house.admin.get("sessions", station=site.station)
    (record,) = await house.admin.get("cdrs", session=session["id"])
    await page.goto(f"/cdrs/{record['id']}")
    await page.get_by_role("button", name="Correct").click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_label("Energy in kWh").fill("9")
    await dialog.get_by_label("Reason *").fill("the meter was wrong")
    await dialog.get_by_role("button", name="Correct").click()
    await page.get_by_text("corrects").wait_for()
    await page.get_by_role("button", name="Credit").click()
    await page.get_by_role("alertdialog").get_by_text("4.356 EUR").wait_for()
    await page.get_by_role("alertdialog").get_by_role("button", name="Credit").click()
    await page.get_by_text("Issued credit").wait_for()
    records = await house.admin.get("cdrs", session=session["id"])
    assert sorted(each["total_energy"] for each in records if not each.get("credit")) == [9, 10]
    assert len([each for each in records if each.get("credit")]) == 2
    await page.goto(f"/sessions/{session['id']}")
    table = page.get_by_role("table", name="Records")
    await table.get_by_role("row").nth(4).wait_for()


async def test_a_reservation_is_given_up(page, house, partner):
    site = await set_up(house, partner)
    name = f"R{fresh()}"
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await partner.command(
            CommandType.RESERVE_NOW,
            token=partner.token(site.tag),
            location_id=site.location,
            evse_uid=site.evse(),
            reservation_id=name,
            expiry_date=datetime.now(UTC) + timedelta(minutes=10),
        )
        assert await partner.result(sent) == "ACCEPTED"
        await page.goto("/sessions")
        row = page.get_by_role("table", name="Reservations").get_by_role("row").filter(has_text=name)
        await row.get_by_role("button", name="Give up").click()
        await page.get_by_role("alertdialog").get_by_role("button", name="Give up").click()
        await row.get_by_text("canceled").wait_for()
        await station.told("CancelReservation")
