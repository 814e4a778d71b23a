"""The hub in a browser: an agreement is clicked and messages pass, seen with the reason of their route."""

import contextlib
import csv
import io

import pytest
import pytest_asyncio

from ocpi.wire.types import Role
from tests.flows.hub_party import HubParty, ok

AT = "2026-01-20T10:00:00Z"
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest_asyncio.fixture(loop_scope="session")
async def parties(house):
    """A CPO and an eMSP behind the hub, without an agreement; gone when the test ends."""
    cpo, emsp = HubParty(Role.CPO, "BE", "CPA"), HubParty(Role.EMSP, "FR", "EMA")
    ids = []
    async with contextlib.AsyncExitStack() as stack:
        for party in (cpo, emsp):
            await stack.enter_async_context(party.running())
            invited = await house.admin.post(
                "partners", {"name": f"{HOSTILE} {party.party}", "platform": "hub"}
            )
            house.secrets.add(invited["token_a"])
            ids.append(invited["id"])
            await party.register(invited["versions_url"], invited["token_a"])
        yield cpo, emsp
        for path in ("hub/agreements/BE-CPA/FR-EMA", *(f"partners/{each}" for each in ids)):
            await house.admin.ask("DELETE", path)


def cell(page, one, other):
    return page.get_by_role("table", name="Agreements").get_by_role("button", name=f"{one} and {other}:")


def cdr(remark):
    """10 kWh at 0.25, without VAT."""
    price = {"type": "ENERGY", "price": 0.25, "step_size": 1}
    tariff = {"country_code": "BE", "party_id": "CPA", "id": "T1", "currency": "EUR", "last_updated": AT}
    token = {"country_code": "FR", "party_id": "EMA", "uid": "04C0", "type": "RFID", "contract_id": "X"}
    return {
        "country_code": "BE", "party_id": "CPA", "id": "CONSOLE-1", "session_id": "S-CONSOLE-1", "cdr_token": token,
        "start_date_time": AT, "end_date_time": AT.replace("T10", "T11"), "auth_method": "WHITELIST",
        "cdr_location": {"id": "LOC1"}, "currency": "EUR", "tariffs": [tariff | {"elements": [{"price_components": [price]}]}],
        "charging_periods": [{"start_date_time": AT, "dimensions": [{"type": "ENERGY", "volume": 10}]}],
        "total_cost": {"excl_vat": 2.5}, "total_energy": 10, "total_time": 1, "remark": remark, "last_updated": AT,
    }  # fmt: skip


async def told(cpo):
    """What the CPO is answered when it tells the eMSP of a session."""
    body = {"country_code": "BE", "party_id": "CPA", "id": "S1"}
    answer = await cpo.call("PUT", "receiver/sessions/BE/CPA/S1", to="FR-EMA", body=body)
    return answer.json()["status_code"]


async def test_an_agreement_is_clicked_and_messages_pass(page, house, parties):
    cpo, _ = parties
    assert await told(cpo) == 4000
    await page.goto("/hub")
    await (
        page.get_by_role("table", name="Parties")
        .get_by_role("row")
        .filter(has_text="FR-EMA")
        .get_by_text("connected")
        .wait_for()
    )
    await cell(page, "BE-CPA", "FR-EMA").click()
    dialog = page.get_by_role("dialog").filter(has_text="They have no agreement")
    await dialog.get_by_role("button", name="Agree").click()
    await page.get_by_text("BE-CPA and FR-EMA may reach each other.").wait_for()
    await page.get_by_role("button", name="FR-EMA and BE-CPA: all modules").wait_for()
    assert (await house.admin.get("hub/agreements/BE-CPA/FR-EMA"))["modules"] == []
    assert await told(cpo) == 1000

    log = page.get_by_role("log")
    await log.locator("details").filter(has_text="to-header").first.wait_for()
    row = page.get_by_role("table", name="Accounting").get_by_role("row").filter(has_text="BE-CPA")
    await row.filter(has_text="FR-EMA").first.wait_for()
    async with page.expect_download() as waiting:
        await page.get_by_role("button", name="Export").click()
    path = await (await waiting.value).path()
    table = list(csv.DictReader(io.StringIO(path.read_text())))
    assert ("BE-CPA", "FR-EMA") in {(each["from"], each["to"]) for each in table}

    await cell(page, "FR-EMA", "BE-CPA").click()
    await page.get_by_role("dialog").get_by_role("button", name="End agreement").click()
    await page.get_by_role("button", name="BE-CPA and FR-EMA: none").wait_for()
    assert await told(cpo) == 4000


async def test_a_refused_record_is_let_pass_with_a_reason(page, house, parties):
    cpo, emsp = parties
    await house.admin.put("hub/agreements/BE-CPA/FR-EMA", {"modules": []})
    emsp.answers = lambda _: ok(status=201)
    for remark in ("first", "other bytes under the same id"):
        await cpo.call("POST", "receiver/cdrs", to="FR-EMA", body=cdr(remark))
    await page.goto("/hub")
    refused = (
        page.get_by_role("table", name="Records that passed").get_by_role("row").filter(has_text="refused")
    )
    await refused.filter(has_text="CONSOLE-1").get_by_role("button", name="Let pass").click()
    dialog = page.get_by_role("dialog").filter(has_text="Let CONSOLE-1 pass?")
    await dialog.get_by_role("button", name="Let pass").click()
    await page.get_by_text("reason: must say something").wait_for()
    await dialog.get_by_label("Why").fill("agreed by phone")
    await dialog.get_by_role("button", name="Let pass").click()
    await refused.get_by_text("may pass").wait_for()
    (found,) = (await house.admin.get("hub/cdrs?state=refused"))[:1]
    assert (found["cdr"], found["allowed"]) == ("CONSOLE-1", "agreed by phone")


async def test_modules_are_chosen_one_by_one(page, house, parties):
    await page.goto("/hub")
    await cell(page, "BE-CPA", "FR-EMA").click()
    await page.get_by_label("Modules (none chosen: all)").click()
    for module in ("tariffs", "locations"):
        await page.get_by_role("option", name=module).click()
        await page.locator(".q-chip").filter(has_text=module).wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").get_by_role("button", name="Agree").click()
    await page.get_by_role("button", name="BE-CPA and FR-EMA: locations, tariffs").wait_for()
    found = await house.admin.get("hub/agreements/BE-CPA/FR-EMA")
    assert sorted(found["modules"]) == ["locations", "tariffs"]


async def test_names_of_parties_are_text(page, parties):
    await page.goto("/hub")
    await page.get_by_role("link", name=f"{HOSTILE} CPA").wait_for()
    assert "owned" not in await page.title()
    assert await page.locator("main img[src=x]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
async def test_the_page_fits_the_screen(browser, parties, width, scheme):
    async with browser.operator(width, scheme) as page:
        await page.goto("/hub")
        await cell(page, "BE-CPA", "FR-EMA").wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
