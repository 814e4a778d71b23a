"""Partners in a browser: one comes in step by step, a dead letter is tried again, and whatever one says stays text."""

import re

import pytest

from ocpi.simulator import FaultKind
from tests.flows.console.conftest import choose
from tests.flows.house import until
from tests.flows.site import set_up, tariff

TOKEN_A = "token-a-that-they-gave-us"
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><b>{{7*7}}</b>"


async def begin(page, name, way):
    """The wizard, as far as the partner is made."""
    await page.goto("/partners")
    await page.get_by_role("button", name="Add a partner").click()
    await page.get_by_label("Name of the partner").fill(name)
    await page.get_by_role("radio", name=way).click()
    await page.get_by_role("button", name="Begin").click()


def step(page, name):
    """One step of a handshake, as it is shown."""
    return page.get_by_role("listitem").filter(has_text=re.compile(name))


async def test_a_partner_is_invited_and_every_step_of_its_handshake_is_seen(page, house, new_partner):
    partner = new_partner("INV")
    await begin(page, "Rhein Strom", "They come to us")
    await page.get_by_text("The token is shown only now.").wait_for()
    url, token = await page.locator(".vb-code code").all_inner_texts()
    house.secrets.add(token)
    await step(page, "They ask for our versions").get_by_text("not reached").wait_for()
    partner.faults.next(FaultKind.HTTP_500, module="versions")
    with pytest.raises(Exception, match="3001"):
        await partner.do(partner.emsp.register(url, token))
    await step(page, "They ask for our versions").get_by_text("done").wait_for()
    await step(page, "They send their credentials").get_by_text("OCPI 3001").wait_for()
    await step(page, "We ask for their versions").get_by_text("failed").wait_for()
    await partner.do(partner.emsp.register(url, token))
    partner.know_secrets(house)
    await step(page, "Registered").get_by_text("done").wait_for()
    await page.get_by_role("link", name="To the partner").click()
    await page.get_by_role("heading", name="Rhein Strom").wait_for()
    assert token not in await page.content()
    await page.get_by_text("EMSP DE-INV", exact=True).wait_for()
    await page.get_by_role("log").get_by_text("/credentials").first.wait_for()
    house.check_secrets(await page.content(), "the page of a partner")
    await partner.do(partner.emsp.registration.unregister())
    await page.get_by_text("suspended", exact=True).wait_for()


async def test_we_register_and_see_where_it_fails(page, house, new_partner):
    partner = new_partner("REG")
    partner.emsp.registration.invite(TOKEN_A)
    await begin(page, "Main Energie", "We go to them")
    await page.get_by_label("URL of their versions").fill(partner.emsp.versions_url)
    await page.get_by_label("Their token A").fill("not-the-token")
    await page.get_by_role("button", name="Look first").click()
    await step(page, "Versions with token").get_by_text("failed").wait_for()
    await page.get_by_text("ask the partner whether this token A is valid and not used yet").wait_for()
    await page.get_by_role("button", name="Register", exact=True).click()
    await step(page, "Version details").get_by_text("not reached").wait_for()
    await step(page, "Versions").get_by_text("failed").wait_for()
    await page.get_by_label("Their token A").fill(TOKEN_A)
    await page.get_by_role("button", name="Look first").click()
    await step(page, "Credentials").get_by_text("done").wait_for()
    await page.get_by_role("button", name="Register", exact=True).click()
    await step(page, "Parties").get_by_text("done").wait_for()
    partner.know_secrets(house)
    await page.get_by_role("link", name="To the partner").click()
    await page.get_by_text("EMSP DE-REG", exact=True).wait_for()
    await page.get_by_role("button", name="Pause").click()
    await page.get_by_text("paused", exact=True).wait_for()
    await page.get_by_role("button", name="Resume").click()
    await page.get_by_text("registered", exact=True).wait_for()
    await page.get_by_role("button", name="Unregister").click()
    dialog = page.get_by_role("alertdialog")
    await dialog.get_by_text("tokens become void on both sides").wait_for()
    await dialog.get_by_role("button", name="Unregister").click()
    await page.get_by_text("suspended", exact=True).wait_for()
    assert partner.emsp.registration.connection is None


async def test_a_dead_letter_is_tried_again_and_another_put_away(page, house, new_partner):
    partner = new_partner("DED")  # one of its own: it refuses what is told to everybody
    await partner.register(house)
    partner.faults.always(FaultKind.OCPI_2001, module="locations")
    first, second = await set_up(house), await set_up(house)
    wanted = {f"location/{each.location}" for each in (first, second)}

    async def dead():
        found = await house.admin.all("deliveries", partner=partner.id, state="dead")
        return wanted <= {each["object"] for each in found}

    await until(dead)
    partner.faults.heal()
    await page.goto("/partners")
    await page.get_by_role("link", name="Elbe Mobility").first.wait_for()
    await page.get_by_role("button", name=f"Retry location/{first.location}").click()
    await until(lambda: first.location in partner.ledger.locations)
    await page.get_by_role("button", name=f"Retry location/{first.location}").wait_for(state="detached")
    await page.get_by_role("button", name=f"Discard location/{second.location}").click()
    await page.get_by_role("alertdialog").get_by_role("button", name="Discard").click()
    await page.get_by_role("button", name=f"Discard location/{second.location}").wait_for(state="detached")
    assert second.location not in partner.ledger.locations
    await house.admin.ask("DELETE", f"partners/{partner.id}")


async def test_settings_are_those_of_the_api(page, house, partner):
    await page.goto(f"/partners/{partner.id}")
    await (
        page.get_by_role("table", name="Lists we read")
        .get_by_role("row")
        .filter(has_text="tokens")
        .wait_for()
    )
    await page.get_by_label("Objects per page, at most").fill("none")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Objects per page, at most: a number is expected").wait_for()
    await page.get_by_label("Objects per page, at most").fill("77")
    await house.admin.ask("PATCH", f"partners/{partner.id}", json={"pace": 12.5})
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("Saved.").wait_for()
    found = (await house.admin.get(f"partners/{partner.id}"))["settings"]
    assert (found["page_limit"], found["pace"]) == (77, 12.5), "only what was changed is sent"
    await page.get_by_label("Objects per page, at most").fill("100000")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("page_limit must be from 1 to 1000").wait_for()


async def test_what_a_partner_says_is_never_markup(page, house, partner):
    await house.admin.post("partners", {"name": HOSTILE, "platform": "cpo"})
    await partner.give_token("HOSTILE-1", issuer=HOSTILE)
    await page.goto("/partners")
    await page.get_by_role("link", name=HOSTILE).wait_for()
    await page.get_by_role("link", name=HOSTILE).click()
    await page.get_by_role("heading", name=HOSTILE).wait_for()
    await page.goto(f"/partners/{partner.id}")
    entry = page.get_by_role("log").locator("details").filter(has_text="HOSTILE-1").first
    await entry.locator("summary").click()
    await entry.get_by_text("onerror").first.wait_for()
    assert "owned" not in await page.title()
    assert await page.locator("main b, main script, main img[src=x]").count() == 0


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (400, "dark")])
async def test_the_pages_fit_the_screen(browser, partner, width, scheme):
    async with browser.operator(width, scheme) as page:
        for address in ("/partners", "/partners/new", f"/partners/{partner.id}"):
            await page.goto(address)
            await page.locator("#main .vb-card").first.wait_for()
            assert await page.evaluate("document.documentElement.scrollWidth") <= width


async def test_a_partner_gets_a_price_of_its_own_and_loses_it_again(page, house, partner):
    usual = await set_up(house)
    await house.admin.put(f"tariffs/{usual.tariff}-EMP", tariff(ENERGY=0.3))
    await page.goto(f"/partners/{partner.id}")

    async def has(wanted):
        return (await house.admin.get(f"partners/{partner.id}"))["tariffs"] == wanted

    await page.get_by_role("button", name="Add", exact=True).click()
    await page.get_by_role("button", name="Set prices").click()
    await page.get_by_text("Choose both tariffs of each row").wait_for()
    for label, wanted in (("In place of", usual.tariff), ("This partner gets", f"{usual.tariff}-EMP")):
        await choose(page, label, wanted)
    await page.get_by_role("button", name="Set prices").click()
    await until(lambda: has({usual.tariff: f"{usual.tariff}-EMP"}))
    await page.reload()
    await page.get_by_role("button", name="Take this price back").click()
    await page.get_by_text("It gets the same prices as everybody.").wait_for()
    await page.get_by_role("button", name="Set prices").click()
    await until(lambda: has({}))
