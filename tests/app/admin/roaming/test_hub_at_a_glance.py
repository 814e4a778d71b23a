"""The hub itself, and what it passed on, over the admin API."""

from typing import Any

import httpx

from app.store import messages
from app.store.messages import Message


async def test_the_hub_says_who_it_is_and_what_agreements_can_name(
    api: httpx.AsyncClient, house: Any
) -> None:
    found = (await api.get("/hub")).json()
    assert (found["party"], found["agreements"]) == ("NL-VHB", "required")
    assert found["versions_url"] == "http://127.0.0.1:8000/ocpi/hub/versions"
    made = await api.put("/hub/agreements/NL-AAA/DE-EMS", json={"modules": found["modules"]})
    assert made.status_code == 201
    house.hub.agreements.everybody = True
    assert (await api.get("/hub")).json()["agreements"] == "open"


async def test_what_was_routed_can_be_seen_alone(
    api: httpx.AsyncClient, house: Any, monkeypatch: Any
) -> None:
    async def keep(*routed: str | None) -> None:
        async with house.store.unit_of_work(house.clock) as unit:
            at = house.clock.now()
            await messages.add(
                unit.session,
                [
                    Message(at, "p-1", "in", "GET", "/x", "r", "c", 200, 1000, 1, routed=each)
                    for each in routed
                ],
            )

    async def seen() -> tuple[list[str], str]:
        found = await api.get("/messages?routed=true")
        return [each["routed"] for each in found.json()], found.headers["x-total-count"]

    assert await seen() == ([], "0")
    await keep("to-header: DE-EMS", None, "broadcast")
    assert await seen() == (["broadcast", "to-header: DE-EMS"], "2")
    assert len((await api.get("/messages")).json()) == 3
    monkeypatch.setattr("app.store.messages.ROUTED_AMONG", 2)
    assert await seen() == (["broadcast"], "1")
