"""One receiver that hangs delays nobody: not the sender, not the other receivers, and not what comes next."""

import time

from app.outbox.worker import IN_FLIGHT
from tests.conftest import until
from tests.flows.hub_party import NOW
from tests.flows.hub_world import BASE, HUB, World, location

MESSAGES = 30


async def test_the_others_have_everything_while_the_first_requests_still_hang(world: World) -> None:
    world.emsp2.answers = lambda _: None
    slowest = 0.0

    for number in range(MESSAGES):
        began = time.monotonic()
        body = location(location_id=f"LOC{number}")
        told = await world.cpo.call("PUT", f"receiver/locations/NL/AAA/LOC{number}", to=HUB, body=body)
        slowest = max(slowest, time.monotonic() - began)
        assert told.json()["status_code"] == 1000
    expected = {f"{BASE}/receiver/locations/NL/AAA/LOC{number}" for number in range(MESSAGES)}
    await until(lambda: {got.path for got in world.emsp.got} == expected)

    assert slowest < 2
    assert len(world.emsp2.got) == IN_FLIGHT


async def test_one_object_goes_on_changing_for_the_others_while_one_receiver_hangs(world: World) -> None:
    world.emsp2.answers = lambda _: None
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=location())
    for number in range(MESSAGES):
        body = {"name": f"message {number}", "last_updated": NOW}
        await world.cpo.call("PATCH", "receiver/locations/NL/AAA/LOC1", to=HUB, body=body)

    await until(lambda: world.emsp.got[-1].body.get("name") == f"message {MESSAGES - 1}")

    assert [(got.method, got.path) for got in world.emsp2.got] == [
        ("PUT", f"{BASE}/receiver/locations/NL/AAA/LOC1")
    ]
