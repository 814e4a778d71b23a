"""Tokens in a browser: made, found, and decided about; whatever partners wrote on theirs stays text."""

import pytest

from tests.flows.site import fresh, set_up

HOSTILE = "<img src=x onerror=\"document.title='owned'\">{{7*7}}"


async def decide(page, uid, station):
    await page.get_by_label("Uid", exact=True).first.fill(uid)
    await page.get_by_label("At the station").fill(station)
    await page.get_by_role("button", name="Decide").click()
    return page.get_by_role("status", name="Decision")


async def test_a_token_is_made_changed_and_forgotten(page, house):
    uid = f"CARD{fresh()}"
    await page.goto("/tokens")
    form = page.locator("section").filter(has=page.get_by_role("heading", name="New token"))
    await form.get_by_role("button", name="Save").click()
    await page.get_by_text("A token needs a uid.").wait_for()
    await form.get_by_label("Uid", exact=True).fill(uid)
    await form.get_by_label("Contract id").fill(f"NL-VBR-{uid}")
    await form.get_by_role("button", name="Save").click()
    await page.get_by_text("(422 Unprocessable").first.wait_for()
    await form.get_by_label("Issuer").fill("Voltbridge")
    await form.get_by_role("button", name="Save").click()
    await page.get_by_text(f"{uid} is saved.").wait_for()
    await page.get_by_label("Search a uid").fill(uid.lower())
    await page.get_by_role("link", name=uid).click()
    await page.get_by_role("heading", name=f"Token {uid}").wait_for()
    await page.get_by_role("switch", name="Valid").click()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text(f"{uid} is saved.").wait_for()
    kept = await house.admin.get(f"tokens/{uid}")
    assert (kept["valid"], kept["issuer"], kept["type"]) == (False, "Voltbridge", "RFID")
    await page.get_by_role("button", name="Forget").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Forget").click()
    await page.get_by_role("heading", name="New token").wait_for()
    assert all(each["uid"] != uid for each in await house.admin.all("tokens"))


async def test_a_decision_says_why(page, house, partner):
    site = await set_up(house)
    await page.goto("/tokens")
    answer = await decide(page, site.tag, site.station)
    await answer.get_by_text("would be allowed", exact=True).wait_for()
    await answer.get_by_text("because its issuer leaves it to us (whitelist ALLOWED)").wait_for()
    row = page.get_by_role("table", name="Rules").get_by_role("row").filter(has_text="applies")
    await row.get_by_text("Whitelist ALLOWED", exact=True).wait_for()
    await decide(page, f"NOBODY{fresh()}", site.station)
    await answer.get_by_text("nobody has told us of this uid and there is nobody to ask").wait_for()
    asked = f"ASK{fresh()}"
    await partner.give_token(asked, whitelist="NEVER")
    await decide(page, asked, site.station)
    await answer.get_by_text("its issuer decides", exact=True).wait_for()
    await answer.get_by_text("If nobody answers in time it is refused.").wait_for()
    await decide(page, site.tag, "NO-SUCH-STATION")
    await page.get_by_text("404 Not Found").wait_for()


async def test_what_partners_wrote_on_their_tokens_is_text(page, house, partner):
    uid = f"EVIL{fresh()}"
    await partner.give_token(uid, issuer=HOSTILE)
    await page.goto("/tokens")
    await page.get_by_role("button", name="From partners").click()
    await page.get_by_label("Search a uid").fill(uid)
    await page.get_by_text(HOSTILE, exact=True).wait_for()
    # Followed, not clicked: the list is drawn anew while what was typed is looked for.
    await page.goto(await page.get_by_role("link", name=uid).get_attribute("href"))
    assert "/tokens?uid=" in page.url
    assert await page.get_by_label("Uid", exact=True).first.input_value() == uid
    assert "owned" not in await page.title()
    assert await page.locator("main img[src=x]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "dark"), (400, "light")])
async def test_the_page_fits_the_screen(browser, house, width, scheme):
    await set_up(house)
    async with browser.operator(width, scheme) as page:
        await page.goto("/tokens")
        await page.locator("#main .vb-card").first.wait_for()
        assert await page.evaluate("document.documentElement.scrollWidth") <= width
