"""The outbox and the OCPI traffic over the admin API."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.domain.events import Mark
from app.outbox import enqueue, inspect
from app.store import messages
from app.store.messages import Message


@pytest.fixture
async def marks(house: Any) -> None:
    async with house.store.unit_of_work(house.clock) as unit:
        for partner, object_id in (("p-1", "S1"), ("p-1", "S2"), ("p-2", "S1")):
            mark = Mark(
                partner_id=partner, kind="session", object_id=object_id, rank=3, whole=True, wanted=unit.now()
            )
            await enqueue.mark(unit.session, [mark], unit.now())
        await inspect.give_up(unit.session, "p-2", "refused: 2001")


async def test_deliveries_are_listed(api: httpx.AsyncClient, marks: None) -> None:
    listed = await api.get("/deliveries")
    assert (len(listed.json()), listed.headers["x-total-count"]) == (3, "3")
    assert {each["object"] for each in (await api.get("/deliveries?partner=p-1")).json()} == {
        "session/S1",
        "session/S2",
    }
    (dead,) = (await api.get("/deliveries?state=dead")).json()
    assert (dead["partner"], dead["state"], dead["last_error"], dead["attempts"]) == (
        "p-2",
        "dead",
        "refused: 2001",
        0,
    )
    assert dead["next_at"].endswith("Z")
    assert dead["delivered_at"] is None
    assert (await api.get("/deliveries?state=lost")).status_code == 422


async def test_a_dead_delivery_is_tried_again(api: httpx.AsyncClient, house: Any, marks: None) -> None:
    (dead,) = (await api.get("/deliveries?state=dead")).json()
    house.clock.advance(60)
    again = await api.post(f"/deliveries/{dead['id']}/retry")
    assert again.status_code == 200
    assert (again.json()["state"], again.json()["next_at"]) == ("waiting", "2026-11-20T12:01:00Z")
    assert house.woken == 1
    for path, status in (("0", 422), ("x", 422), ("999999", 404), (str(2**63), 422)):
        assert (await api.post(f"/deliveries/{path}/retry")).status_code == status


async def test_a_dead_delivery_is_put_away_and_can_be_taken_up_again(
    api: httpx.AsyncClient, house: Any, marks: None
) -> None:
    (dead,) = (await api.get("/deliveries?state=dead")).json()
    path = f"/deliveries/{dead['id']}"
    assert (await api.post(f"{path}/discard", json={"reason": " "})).status_code == 422
    gone = await api.post(f"{path}/discard", json={"reason": "they never knew it"})
    assert (gone.json()["state"], gone.json()["last_error"]) == ("discarded", "discarded: they never knew it")
    assert house.woken == 1
    assert (await api.get("/deliveries?state=dead")).json() == []
    assert (await api.get("/statistics/now")).json()["deliveries"] | {"waiting": 2, "dead": 0} == (
        await api.get("/statistics/now")
    ).json()["deliveries"]
    assert (await api.post(f"{path}/discard", json={"reason": "again"})).status_code == 409
    assert (await api.post(f"{path}/retry")).json()["state"] == "waiting"


async def test_what_was_put_away_is_told_again_when_it_changes(
    api: httpx.AsyncClient, house: Any, marks: None
) -> None:
    (dead,) = (await api.get("/deliveries?state=dead")).json()
    await api.post(f"/deliveries/{dead['id']}/discard", json={"reason": "for now"})
    async with house.store.unit_of_work(house.clock) as unit:
        mark = Mark(partner_id="p-2", kind="session", object_id="S1", rank=3, whole=False, wanted=unit.now())
        await enqueue.mark(unit.session, [mark], unit.now())
    (again,) = (await api.get("/deliveries?partner=p-2")).json()
    assert (again["id"], again["state"], again["last_error"]) == (dead["id"], "waiting", None)


async def test_messages_are_listed_without_tokens(api: httpx.AsyncClient, house: Any) -> None:
    at = house.clock.now()
    async with house.store.unit_of_work(house.clock) as unit:
        await messages.add(
            unit.session,
            [
                Message(
                    at + timedelta(seconds=n), f"p-{n}", "out", "PUT", "https://emsp.example/sessions/S1", f"r{n}",
                    f"c{n}", 200, 1000, 12, '{"token": "hush-hush", "x": 1}', "{}",
                )
                for n in (1, 2)
            ],
        )  # fmt: skip
    listed = (await api.get("/messages")).json()
    assert [each["partner"] for each in listed] == ["p-2", "p-1"]
    expected = {
        "direction": "out",
        "method": "PUT",
        "request_id": "r2",
        "correlation_id": "c2",
        "http_status": 200,
        "ocpi_status": 1000,
        "duration_ms": 12,
        "at": "2026-11-20T12:00:02Z",
        "response": "{}",
    }
    assert listed[0] | expected == listed[0]
    assert "hush" not in str(listed)
    assert [each["partner"] for each in (await api.get("/messages?partner=p-1")).json()] == ["p-1"]
    uncounted = await api.get("/messages?count=false")
    assert (uncounted.json(), "x-total-count" in uncounted.headers) == (listed, False)
    assert [each["partner"] for each in (await api.get("/messages?correlation_id=c2")).json()] == ["p-2"]
