"""Alerts by signed webhook: what is told, how it is signed, how long it is tried."""

import base64
import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus
from app.outbox import lanes
from app.outbox.alerts import Alerts
from app.outbox.tables import DeliveryRow
from app.store.bulk.statements import run
from app.store.webhooks import AlarmRow
from ocpi.client import PartnerClient
from ocpi.client.messages import Received
from ocpi.push.webhooks import WebhookSender, new_secret

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)
URL = "https://alerts.example/in"


def _status(house: Any, status: ConnectorStatus, error: str) -> StatusReport:
    return StatusReport(evse=1, connector=1, status=status, error_code=error, at=house.clock.now())


def _dead(now: datetime) -> DeliveryRow:
    return DeliveryRow(
        partner_id="p-1", kind="cdr", object_id="C-1", rank=4, whole=True, wanted=1, state="dead",
        next_at=now, created_at=now,
    )  # fmt: skip


class Receiver:
    """Somebody's own system: keeps what comes, answers as told."""

    def __init__(self) -> None:
        self.status = 204
        self.requests: list[httpx.Request] = []

    async def exchange(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        received: Received,
        **_options: Any,
    ) -> bool:
        self.requests.append(httpx.Request(method, url, headers=headers, content=body))
        received.http_status = self.status
        return True

    async def aclose(self) -> None:
        self.requests.clear()

    @property
    def told(self) -> list[tuple[str, Any]]:
        return [(body["type"], body["data"]) for body in map(json.loads, (r.content for r in self.requests))]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
async def rounds(house: Any, receiver: Receiver) -> Any:
    """One round of alerts, noticed and sent; `rounds.alerts` are the rounds themselves."""
    client = PartnerClient(receiver)
    alerts = Alerts(house.store, house.clock, WebhookSender(replace(house.desk, client=client)))

    async def round_() -> list[tuple[str, Any]]:
        receiver.requests.clear()
        await alerts.notice()
        await alerts.deliver()
        return receiver.told

    round_.alerts = alerts  # type: ignore[attr-defined]
    yield round_
    await client.aclose()


@pytest.fixture
async def hook(api: httpx.AsyncClient) -> dict[str, Any]:
    answer = await api.post("/webhooks", json={"url": URL})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_station_that_goes_and_comes_back_is_told_once_each(
    api: httpx.AsyncClient, house: Any, site: Any, hook: Any, rounds: Any
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    assert await rounds() == []
    await house.intake.disconnect(line)
    assert await rounds() == [], "a reconnect takes a moment"
    house.clock.advance(121)
    (told,) = await rounds()
    assert told[0] == "station_offline.began"
    assert told[1] | {"since": ""} == {"station": "CP1", "location": "LOC1", "since": ""}
    house.clock.advance(60)
    assert await rounds() == []
    await house.intake.connect("CP1", "1.6")
    assert [kind for kind, _ in await rounds()] == ["station_offline.ended"]
    assert await rounds() == []


async def test_the_signature_is_of_the_standard_webhooks_kind(
    api: httpx.AsyncClient, hook: dict[str, Any], rounds: Any, receiver: Receiver
) -> None:
    assert (await api.post(f"/webhooks/{hook['id']}/test")).status_code == 202
    await rounds()
    (request,) = receiver.requests
    headers = request.headers
    key = base64.b64decode(hook["secret"].removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.content
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert len(key) == 32
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert headers["content-type"] == "application/json"
    assert "authorization" not in headers
    for path in ("/webhooks", f"/webhooks/{hook['id']}/alerts"):
        assert hook["secret"] not in (await api.get(path)).text


async def test_the_receiver_in_the_guide_knows_ours_from_others(
    api: httpx.AsyncClient, house: Any, hook: dict[str, Any], rounds: Any, receiver: Receiver
) -> None:
    guide = (Path(__file__).parents[3] / "docs/how-to/alerts.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    names: dict[str, Any] = {"__name__": "guide"}
    exec(code, names)
    await api.post(f"/webhooks/{hook['id']}/test")
    await rounds()
    (request,) = receiver.requests
    given, now = (request.headers, request.content), house.clock.now().timestamp()
    assert names["ours"](*given, hook["secret"], now)
    assert not names["ours"](request.headers, request.content + b" ", hook["secret"], now)
    assert not names["ours"](*given, new_secret(), now)
    assert not names["ours"](*given, hook["secret"], now + 301)


async def test_what_is_not_taken_is_tried_again_with_the_same_id_until_it_is_dead(
    api: httpx.AsyncClient, house: Any, hook: dict[str, Any], rounds: Any, receiver: Receiver
) -> None:
    receiver.status = 500
    for _ in range(2):
        await api.post(f"/webhooks/{hook['id']}/test")
    await rounds()
    first = receiver.requests[0]
    assert len(receiver.requests) == 1, "the second waits: order stays"
    await rounds()
    assert receiver.requests == [], "not before its time"
    house.clock.advance(10)
    receiver.status = 200
    await rounds()
    ids = [each.headers["webhook-id"] for each in receiver.requests]
    assert (ids[0], receiver.requests[0].content) == (first.headers["webhook-id"], first.content)
    assert len(set(ids)) == 2
    (known,) = (await api.get("/webhooks")).json()
    assert (known["failures"], known["last_error"]) == (0, None)

    receiver.status = 410
    await api.post(f"/webhooks/{hook['id']}/test")
    house.clock.advance(timedelta(days=3).total_seconds() + 60)
    await rounds()
    (dead,) = (await api.get(f"/webhooks/{hook['id']}/alerts?state=dead")).json()
    assert (dead["event"], dead["last_error"]) == ("test", "HTTP 410")
    house.clock.advance(4000)
    await rounds()
    assert receiver.requests == []


async def test_faults_held_records_dead_deliveries_and_failing_partners(
    api: httpx.AsyncClient, house: Any, site: Any, hook: Any, rounds: Any
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, _status(house, ConnectorStatus.FAULTED, "ConnectorLockFailure"))
    assert (await api.delete("/tariffs/T1")).status_code == 204
    await house.charge(line)
    async with house.store.unit_of_work(house.clock) as unit:
        lane = lanes.Lane(partner_id="p-1", failures=3, last_error="refused")
        await run(unit.session, *lanes.kept([lane]))
        unit.session.add(_dead(unit.now()))
    told = dict(await rounds())
    assert told["connector_fault.began"]["error_code"] == "ConnectorLockFailure"
    assert told["cdr_held.began"]["reason"] == "no_tariff"
    assert told["partner_failing.began"]["partner"] == "p-1"
    assert told["delivery_dead.began"]["object"] == "cdr/C-1"
    (held,) = (await api.get("/cdrs?state=held")).json()
    assert (await api.post(f"/cdrs/{held['id']}/discard", json={"reason": "test"})).status_code == 200
    await house.heard(line, _status(house, ConnectorStatus.AVAILABLE, "NoError"))
    assert {kind for kind, _ in await rounds()} == {"cdr_held.ended", "connector_fault.ended"}


async def test_only_what_was_asked_for_and_nothing_from_before(
    api: httpx.AsyncClient, house: Any, site: Any, rounds: Any
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, _status(house, ConnectorStatus.FAULTED, "OtherError"))
    house.clock.advance(1)
    body = {"url": URL, "events": ["connector_fault"]}
    created = (await api.post("/webhooks", json=body)).json()
    assert await rounds() == []
    await house.intake.disconnect(line)
    house.clock.advance(200)
    assert await rounds() == []
    assert (await api.delete(f"/webhooks/{created['id']}")).status_code == 204
    assert (await api.delete(f"/webhooks/{created['id']}")).status_code == 404
    await rounds()
    async with house.store.reading() as session:
        assert list(await session.scalars(select(AlarmRow))) == [], "without a listener nothing is kept"


async def test_old_alerts_go_and_open_ones_stay(
    api: httpx.AsyncClient, house: Any, hook: dict[str, Any], rounds: Any, receiver: Receiver
) -> None:
    await api.post(f"/webhooks/{hook['id']}/test")
    await rounds()
    house.clock.advance(timedelta(days=31).total_seconds())
    await api.post(f"/webhooks/{hook['id']}/test")
    await rounds.alerts.forget()
    assert [each["state"] for each in (await api.get(f"/webhooks/{hook['id']}/alerts")).json()] == ["waiting"]


@ON_ONE
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"url": "ftp://x.example"},
        {"url": "http://alerts.example"},
        {"url": "https://127.0.0.1/in"},
        {"url": "https://user:word@alerts.example"},
        {"url": URL, "events": []},
        {"url": URL, "events": ["weather"]},
        {"url": URL, "secret": "mine"},
    ],
)
async def test_a_webhook_that_cannot_be(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post("/webhooks", json=body)).status_code == 422
    assert (await api.get("/webhooks")).json() == []
    assert (await api.post("/webhooks/w-1/test")).status_code == 404
