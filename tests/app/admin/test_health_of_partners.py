"""How partners answer, and how far an invited one has come, over the admin API."""

from datetime import timedelta
from typing import Any

import httpx

from app.store import messages
from app.store.messages import Message

NAMES = ("failures", "retry_at", "stopped", "last_error")


async def keep(house: Any, *said: Message) -> None:
    async with house.store.unit_of_work(house.clock) as unit:
        await messages.add(unit.session, list(said))


def message(house: Any, partner: str, direction: str = "out", http: int | None = 200, **more: Any) -> Message:
    values = {
        "at": house.clock.now() + timedelta(seconds=1), "partner_id": partner, "direction": direction, "method": "GET",
        "url": "https://emsp.example/ocpi/versions", "request_id": "r", "correlation_id": "c", "http_status": http,
        "ocpi_status": 1000,
    }  # fmt: skip
    return Message(**(values | more))


async def test_a_partner_is_told_by_its_newest_requests(api: httpx.AsyncClient, house: Any) -> None:
    ids = [(await api.post("/partners", json={"name": name})).json()["id"] for name in ("A", "B", "C")]
    await keep(
        house,
        *[message(house, ids[0]) for _ in range(120)],
        message(house, ids[0], http=None, ocpi_status=None),
        message(house, ids[0], http=500, ocpi_status=None),
        message(house, ids[0], ocpi_status=2001),
        message(house, ids[1], "in"),
    )
    listed = {each["id"]: each for each in (await api.get("/partners")).json()}
    assert listed[ids[0]]["traffic"] == {"requests": 100, "failed": 3}
    assert listed[ids[1]]["traffic"] == {"requests": 1, "failed": 0}
    assert listed[ids[2]]["traffic"] == {"requests": 0, "failed": 0}
    assert {name: listed[ids[0]]["delivery"][name] for name in NAMES} == {
        "failures": 0,
        "retry_at": None,
        "stopped": False,
        "last_error": None,
    }
    assert (await api.get(f"/partners/{ids[0]}")).json()["traffic"]["failed"] == 3


async def test_an_invited_partner_is_seen_coming(api: httpx.AsyncClient, house: Any) -> None:
    partner = (await api.post("/partners", json={"name": "A"})).json()["id"]

    async def steps() -> dict[str, Any]:
        found = (await api.get(f"/partners/{partner}/handshake")).json()
        assert found["state"] == "invited"
        return {each["step"]: each for each in found["steps"]}

    first = await steps()
    assert [each["ok"] for each in first.values()] == [True] + [None] * 6
    assert first["they ask for our versions"]["advice"] == "give them the URL and the token A"
    await keep(house, message(house, partner, "in", url="/ocpi/cpo/versions"))
    assert (await steps())["they ask for our versions"]["ok"] is True
    await keep(
        house,
        message(house, partner, "in", url="/ocpi/cpo/2.2.1"),
        message(house, partner, "out", http=None, ocpi_status=None, response="no route to host"),
        message(
            house, partner, "in", url="/ocpi/cpo/2.2.1/credentials", method="POST", ocpi_status=3001,
            response='{"status_message": "versions: no route"}',
        ),
    )  # fmt: skip
    seen = await steps()
    assert [each["ok"] for each in seen.values()] == [True, True, True, False, False, None, None]
    assert seen["they send their credentials"]["found"] == "HTTP 200, OCPI 3001: versions: no route"
    assert seen["we ask for their versions"]["found"] == "no route to host"
    assert (await api.get("/partners/nobody/handshake")).status_code == 404
