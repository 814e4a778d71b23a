"""One partner's flood, and one partner's silence, over real HTTP: the others do not notice."""

import asyncio
import time
from collections import Counter

import httpx
import pytest

from app.domain.errors import Invalid
from app.store import messages
from ocpi.hub.fairness import MOST
from ocpi.partners.invitations import invite, set_settings
from ocpi.wire.types import Role
from tests.flows.hub_party import HubParty, ok
from tests.flows.hub_world import World, location

CALM_SECONDS = 2.0
"""So long may a call of somebody else take at most, on a machine that has much else to do; a stuck one takes 10."""


def codes(answers: list[httpx.Response]) -> Counter[int]:
    return Counter(each.status_code for each in answers)


async def timed(party: HubParty, path: str, to: str) -> tuple[httpx.Response, float]:
    began = time.monotonic()
    answer = await party.call("GET", path, to=to)
    return answer, time.monotonic() - began


async def test_a_flood_is_turned_away_and_leaves_the_others_alone(world: World) -> None:
    house = world.house
    await set_settings(house.desk, world.cpo.partner_id, {"rate": 5})
    world.emsp.answers = lambda _: ok([])

    flood = asyncio.gather(*(world.cpo.call("GET", "sender/tokens", to="DE-EMS") for _ in range(150)))
    calm = [await timed(world.cpo2, "sender/tokens", "DE-EMS") for _ in range(10)]
    answers = await flood

    assert codes([answer for answer, _ in calm]) == {200: 10}
    assert sorted(seconds for _, seconds in calm)[5] < CALM_SECONDS
    found = codes(answers)
    assert set(found) == {200, 429}
    assert 10 <= found[200] <= 150 - found[429] < 100
    refused = next(each for each in answers if each.status_code == 429)
    assert refused.json()["status_code"] == 2000
    assert int(refused.headers["Retry-After"]) >= 1
    assert len([each for each in world.emsp.got if each.sender == "NL-AAA"]) == found[200]


async def test_a_silent_receiver_takes_no_room_from_others(world: World) -> None:
    object.__setattr__(world.house.hub, "seconds", 3.0)
    world.emsp.answers = lambda _: None
    world.emsp2.answers = lambda _: ok([])

    stuck = asyncio.gather(*(world.cpo.call("GET", "sender/tokens", to="DE-EMS") for _ in range(MOST + 10)))
    while len(world.emsp.got) < MOST:
        await asyncio.sleep(0.01)
    calm, seconds = await timed(world.cpo, "sender/tokens", "FR-FFF")
    assert (calm.status_code, calm.json()["status_code"]) == (200, 1000)
    assert seconds < CALM_SECONDS
    world.emsp.answers = lambda _: ok([])
    other, seconds = await timed(world.cpo2, "sender/tokens", "DE-EMS")
    assert (other.json()["status_code"], seconds < CALM_SECONDS) == (1000, True)

    found = Counter(each.json()["status_code"] for each in await stuck)
    assert found == {4002: MOST, 2000: 10}


async def test_bodies_and_what_is_under_way_are_limited_and_a_refusal_is_not_kept(world: World) -> None:
    await set_settings(world.house.desk, world.emsp.partner_id, {"largest_body": 100, "at_once": 1})
    body = location() | {"name": "x" * 200}
    large = await world.emsp.call("PUT", "receiver/locations/DE/EMS/L", to="NL-AAA", body=body)
    assert (large.status_code, large.json()["status_code"]) == (413, 2000)

    world.cpo.answers = lambda _: None
    object.__setattr__(world.house.hub, "seconds", 1.0)
    waiting = asyncio.ensure_future(world.emsp.call("GET", "sender/locations", to="NL-AAA"))
    while not world.cpo.got:
        await asyncio.sleep(0.01)
    versions = world.house.desk.versions_url("hub")
    assert (await world.emsp.call("GET", versions)).status_code == 429
    assert (await waiting).json()["status_code"] == 4002
    assert (await world.emsp.call("GET", versions)).status_code == 200
    kept = [each.http_status for each in await told(world)]
    assert 413 in kept
    assert 429 not in kept


async def test_partners_of_our_own_stations_have_the_same_limits(world: World) -> None:
    desk = world.house.desk
    async with HubParty(Role.EMSP, "DE", "OWN").running() as direct:
        invited, token = await invite(desk, "direct", "cpo")
        await direct.register(desk.versions_url("cpo"), token)
        await set_settings(desk, invited.id, {"rate": 1})
        answers = [await direct.call("GET", "sender/tariffs") for _ in range(8)]
        assert codes(answers)[429] >= 4
        for wrong in ({"rate": 0}, {"at_once": -1}, {"largest_body": 10**9}):
            with pytest.raises(Invalid, match="above 0"):
                await set_settings(desk, invited.id, wrong)


async def told(world: World) -> list[object]:
    await world.house.traffic.flush()
    async with world.house.store.reading() as session:
        found, _ = await messages.find(session, limit=1000)
    return list(found)
