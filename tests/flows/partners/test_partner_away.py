"""A partner that is away, slow or answers nonsense: nothing is lost, nothing piles up, nobody else waits."""

import asyncio
import time

import httpx
import pytest

from ocpi.modules import ModuleId
from ocpi.simulator import Fault, FaultKind
from tests.flows.house import House, until
from tests.flows.site import fresh, set_up, tariff
from tests.flows.station import ago, connected


async def bill(house, site, wh=1000, minutes=30):
    """One session at a site; gives its id."""
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=minutes), 0)
        await station.end(number, ago(minutes=minutes - 5), wh, site.tag)
    return (await house.admin.transaction(site.station, number))["session_id"]


async def delivery(house, object_id):
    found = [each for each in await house.admin.all("deliveries") if object_id in each["object"]]
    assert len(found) == 1, found
    return found[0]


async def test_a_partner_that_was_down_hears_the_newest_state_and_every_record(house, partner):
    site = await set_up(house, partner)
    await partner.catch_up(house)
    before = len(partner.messages("locations", site.location))
    await partner.go_away()
    async with connected(house, site.station) as station:
        for minutes in range(40, 0, -2):
            await station.status(1, "Charging", ago(minutes=minutes + 1))
            await station.status(1, "Available", ago(minutes=minutes))
        await station.status(1, "Faulted")
    sessions = [await bill(house, site, wh, 60 - 10 * n) for n, wh in enumerate((1000, 2000, 3000))]
    shown = await house.admin.get(f"partners/{partner.id}")
    assert shown["delivery"]["depth"] == 1 + 2 * len(sessions)

    await partner.come_back()
    await partner.catch_up(house)
    assert [partner.cdrs(session_id)[0]["total_energy"] for session_id in sessions] == [1, 2, 3]
    assert partner.evse_status(site) == "OUTOFORDER"
    assert len(partner.messages("locations", site.location)) == before + 1
    assert [len(partner.messages("sessions", session_id)) for session_id in sessions] == [1, 1, 1]


NONSENSE = [
    FaultKind.HTML_200,
    FaultKind.EMPTY_200,
    FaultKind.BAD_JSON,
    FaultKind.NO_ENVELOPE,
    FaultKind.HTTP_500,
    FaultKind.OCPI_3000,
    FaultKind.REDIRECT,
    FaultKind.RESET_BEFORE,
    FaultKind.HUGE_BODY,
]


async def test_an_answer_that_is_nonsense_is_no_delivery(house, partner):
    for kind in NONSENSE:
        site = await set_up(house, partner)
        partner.faults.always(kind, module="cdrs")
        session_id = await bill(house, site)
        cdr_id = (await house.admin.cdr(site.station))["id"]

        async def tried(cdr_id=cdr_id):
            return (await delivery(house, cdr_id))["last_error"]

        assert await until(tried, 15), kind
        assert (kind, (await delivery(house, cdr_id))["state"] in ("waiting", "failing")) == (kind, True)
        assert partner.cdrs(session_id) == []
        await partner.catch_up(house)
        assert (kind, partner.cdrs(session_id)[0]["total_energy"]) == (kind, 1)


async def test_an_answer_lost_after_the_partner_stored_it_is_the_same_record_again(house, partner):
    site = await set_up(house, partner)
    partner.faults.next(FaultKind.RESET_AFTER_STORE, FaultKind.EMPTY_200, module="cdrs")
    session_id = await bill(house, site)
    cdr_id = (await house.admin.cdr(site.station))["id"]

    await until(lambda: len(partner.messages("cdrs", session_id)) >= 1)
    await partner.catch_up(house)
    assert (await delivery(house, cdr_id))["state"] == "delivered"
    posts = partner.messages("cdrs", session_id)
    assert len(posts) >= 2
    assert all(each.body == posts[0].body for each in posts)
    assert len(partner.cdrs(session_id)) == 1


async def test_what_a_partner_will_not_have_is_parked_and_the_rest_goes_on(house, partner):
    first, second = await set_up(house, partner), await set_up(house, partner)
    partner.faults.next(FaultKind.OCPI_2001, module="cdrs")
    refused = await bill(house, first)
    cdr_id = (await house.admin.cdr(first.station))["id"]

    async def dead():
        return (await delivery(house, cdr_id))["state"] == "dead"

    await until(dead)
    assert (await partner.cdr(await bill(house, second)))["total_energy"] == 1
    assert f"cdr/{cdr_id}" in [each["object"] for each in await house.admin.all("deliveries", state="dead")]
    parked = await delivery(house, cdr_id)
    assert "2001" in parked["last_error"]
    assert partner.cdrs(refused) == []
    await house.admin.post(f"deliveries/{parked['id']}/retry")
    assert (await partner.cdr(refused))["id"] == cdr_id
    assert (await house.admin.ask("POST", f"deliveries/{parked['id']}/retry")).status_code == 409


async def test_a_slow_partner_delays_no_other_and_no_station(house, partner, new_partner):
    slow = new_partner("SLO")
    await slow.register(house)
    slow.faults.always(Fault(FaultKind.SLOW, 8))
    for _ in range(6):
        await house.admin.put(f"tariffs/S{fresh()}", tariff())
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        began = time.monotonic()
        await station.status(1, "Charging")
        await until(lambda: partner.evse_status(site) == "CHARGING", 7)
    assert time.monotonic() - began < 8
    slow.faults.heal()
    assert (await house.admin.ask("DELETE", f"partners/{slow.id}")).status_code == 200


async def test_a_partner_that_refuses_our_token_is_not_hammered(house, partner):
    site = await set_up(house, partner)
    partner.faults.always(FaultKind.HTTP_401)
    async with connected(house, site.station) as station:
        for number in range(30):
            await station.status(1, ("Charging", "Available")[number % 2])
    await until(lambda: _told(house, partner, 401))
    assert len(await _told(house, partner, 401)) <= 6
    partner.faults.heal()
    await house.admin.post(f"partners/{partner.id}/pause")
    await house.admin.post(f"partners/{partner.id}/resume")
    await partner.catch_up(house)
    assert partner.evse_status(site) == "AVAILABLE"


async def _told(house, partner, http_status):
    """Our latest requests to the partner that it answered so."""
    latest = await house.admin.get("messages", partner=partner.id, limit=60)
    return [each for each in latest if each["direction"] == "out" and each["http_status"] == http_status]


async def test_after_a_rotation_both_directions_use_new_tokens_only(house, partner):
    site = await set_up(house, partner)
    registration = partner.emsp.registration
    ours, theirs = registration.connection.token, set(registration.dump()["accepted"])
    await house.admin.post(f"partners/{partner.id}/rotate")
    partner.know_secrets(house)
    assert registration.connection.token != ours
    assert theirs.isdisjoint(registration.dump()["accepted"])
    await partner.pull(ModuleId.TARIFFS)
    async with httpx.AsyncClient(trust_env=False) as stranger:
        old = await stranger.get(house.versions_url, headers={"Authorization": f"Token {ours}"})
    assert old.status_code == 401
    assert (await partner.cdr(await bill(house, site)))["total_energy"] == 1


async def test_a_handshake_that_fails_leaves_nothing_behind(house, new_partner):
    partner, token_a = new_partner("HSK"), f"their-token-a-{fresh()}"
    partner.emsp.registration.invite(token_a)
    house.secrets.add(token_a)
    invited = await house.admin.post("partners", {"name": "Elbe", "platform": "cpo"})
    house.secrets.add(invited["token_a"])
    wanted = {"versions_url": partner.emsp.versions_url, "token_a": token_a}
    for kind in (
        FaultKind.HTTP_500,
        FaultKind.HTML_200,
        FaultKind.BAD_JSON,
        FaultKind.RESET_BEFORE,
        FaultKind.HUGE_BODY,
    ):
        for module in ("versions", "credentials"):
            partner.faults.always(kind, module=module)
            answer = await house.admin.ask("POST", f"partners/{invited['id']}/register", json=wanted)
            assert (kind, module, answer.status_code) == (kind, module, 502)
            assert (await house.admin.get(f"partners/{invited['id']}"))["state"] == "invited"
            partner.faults.heal()
    registered = await house.admin.post(f"partners/{invited['id']}/register", wanted)
    assert registered["state"] == "registered"
    partner.know_secrets(house)
    assert (await house.admin.ask("DELETE", f"partners/{invited['id']}")).status_code == 200


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
async def test_without_leave_partner_urls_must_be_public(tmp_path, database_url, new_partner):
    house = House(database_url, tmp_path, ALLOW_PRIVATE_URLS="0")
    await asyncio.to_thread(house.start)
    await house.admin.open()
    try:
        partner = new_partner()
        invited = await house.admin.post("partners", {"name": "Elbe", "platform": "cpo"})
        for url in (
            partner.emsp.versions_url,
            "https://127.0.0.1:1/versions",
            "https://169.254.169.254/latest",
        ):
            answer = await house.admin.ask(
                "POST", f"partners/{invited['id']}/register", json={"versions_url": url, "token_a": "abc"}
            )
            assert answer.status_code in (422, 502), (url, answer.text)
        assert (await house.admin.get(f"partners/{invited['id']}"))["state"] == "invited"
    finally:
        await house.admin.close()
        await asyncio.to_thread(house.end)
    house.check_log()
