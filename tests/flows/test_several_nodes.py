"""Three processes on one PostgreSQL: commands to a station at another node's socket, nodes that die, one CDR."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from websockets import ConnectionClosed

from ocpi.simulator import Fault, FaultKind
from ocpi.wire.commands import CommandType
from tests.flows.conftest import QUICK, databases
from tests.flows.house import House, until
from tests.flows.partner import Partner
from tests.flows.site import Site, fresh, give_own_token, location, set_up, tariff
from tests.flows.station import PASSWORD, ago, connected, sample, stamp, wire

pytestmark = pytest.mark.timeout(120)


class Nodes:
    """`front` serves HTTP, `left` stations, `right` everything: it alone delivers. `partner` knows `front`."""

    def __init__(self, url: str, folder: Any) -> None:
        self._url, self._folder = url, folder
        self.front = self.node("front", "http")
        outside = {"PUBLIC_URL": self.front.url}
        self.left = self.node("left", "ocpp", **outside)
        self.right = self.node("right", "all", **outside)
        self.spare = self.node("spare", "worker", **outside)
        self.partner = Partner()

    def node(self, name: str, role: str, **settings: str) -> House:
        folder = self._folder / name
        folder.mkdir()
        state = {"STATE_DIR": str(self._folder / "state")}
        house = House(self._url, folder, role=role, **(QUICK | state | settings))
        house.secrets.add(PASSWORD)
        return house

    def __iter__(self) -> Iterator[House]:
        return iter((self.front, self.left, self.right, self.spare))


@pytest.fixture(scope="module")
def started(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with databases(postgres_url) as url:
        nodes = Nodes(url, tmp_path_factory.mktemp("nodes"))
        try:
            nodes.front.start()
            with ThreadPoolExecutor() as threads:
                list(threads.map(House.start, (nodes.left, nodes.right)))
            nodes.partner.start()
            yield nodes
        finally:
            for node in nodes:
                node.end()
            if nodes.partner.id:
                nodes.partner.end()


@pytest.fixture
async def nodes(started: Nodes) -> AsyncIterator[Nodes]:
    """All three run; nothing that was not expected is logged."""
    for node in (started.front, started.left, started.right):
        if node.process is None or node.process.poll() is not None:
            await asyncio.to_thread(node.start)
        await node.admin.open()
    if not started.partner.id:
        await started.partner.register(started.front)
    yield started
    for node in (started.front, started.left, started.right):
        await node.admin.close()
        node.check_log()
    assert started.partner.problems() == []


async def start(nodes: Nodes, site: Site, token: Any) -> Any:
    fields = {"token": token, "location_id": site.location, "evse_uid": site.evse()}
    return await nodes.partner.command(CommandType.START_SESSION, **fields)


def sessions(nodes: Nodes, token: Any, status: str) -> list[Any]:
    every = list(nodes.partner.ledger.sessions.values())
    return [each for each in every if each.cdr_token.uid == token.uid and str(each.status) == status]


async def online(nodes: Nodes, site: Site) -> bool:
    return bool((await nodes.front.admin.get(f"stations/{site.station}"))["online"])


async def test_a_driver_starts_and_stops_at_a_station_of_another_node(nodes: Nodes) -> None:
    site = await set_up(nodes.front, nodes.partner)
    token = nodes.partner.token(f"A{fresh()}")
    async with connected(nodes.left, site.station) as station:
        await station.boot()
        sent = await start(nodes, site, token)
        assert await nodes.partner.result(sent) == "ACCEPTED"
        tag = (await station.told("RemoteStartTransaction"))["id_tag"]
        await until(lambda: sessions(nodes, token, "PENDING"))
        number = await station.start_charging(tag, ago(minutes=0))
        (active,) = await until(lambda: sessions(nodes, token, "ACTIVE"))
        stop = await nodes.partner.command(CommandType.STOP_SESSION, session_id=active.id)
        assert await nodes.partner.result(stop) == "ACCEPTED"
        assert (await station.told("RemoteStopTransaction"))["transaction_id"] == number
        await station.end(number, ago(seconds=0), 4000, tag)
        cdr = await nodes.partner.cdr(active.id)
    assert (cdr["total_energy"], cdr["auth_method"]) == (4, "COMMAND")
    assert len(nodes.partner.messages("cdrs", active.id)) == 1
    assert [name for name, _ in station.heard] == ["RemoteStartTransaction", "RemoteStopTransaction"]


async def test_no_silence_and_a_late_yes_travel_between_nodes(nodes: Nodes) -> None:
    site = await set_up(nodes.front, nodes.partner)
    refused, silent = (nodes.partner.token(f"A{fresh()}") for _ in range(2))
    async with connected(nodes.left, site.station) as station:
        await station.boot()
        station.says["RemoteStartTransaction"] = "Rejected"
        assert await nodes.partner.result(await start(nodes, site, refused)) == "REJECTED"
        station.says.clear()
        station.pauses["RemoteStartTransaction"] = 4.5
        sent = await start(nodes, site, silent)
        assert await nodes.partner.result(sent) == "TIMEOUT"
        assert not sessions(nodes, silent, "PENDING")
        await until(lambda: sessions(nodes, silent, "PENDING"))
        assert len([name for name, _ in station.heard]) == 2


async def test_an_operator_speaks_to_a_station_through_any_node(nodes: Nodes) -> None:
    site = await set_up(nodes.front)
    async with connected(nodes.left, site.station) as station:
        await station.boot()
        for node in (nodes.front, nodes.right):
            path = f"stations/{site.station}/ocpp/GetConfiguration"
            answer = await node.admin.post(path, {"key": ["Colour"]})
            assert (answer["outcome"], answer["response"]["unknownKey"]) == ("result", ["Colour"])
        wrong = await nodes.front.admin.ask("POST", f"stations/{site.station}/ocpp/Reset", json={"type": "X"})
        assert wrong.status_code == 422
        frames = await nodes.front.admin.frames(site.station)
        assert sum(each["action"] == "GetConfiguration" for each in frames) == 2
    await until(lambda: _offline(nodes, site))
    away = await nodes.front.admin.ask("POST", f"stations/{site.station}/ocpp/ClearCache", json={})
    assert away.status_code == 409


async def _offline(nodes: Nodes, site: Site) -> bool:
    return not await online(nodes, site)


async def test_what_an_operator_changes_elsewhere_counts_for_the_next_message(nodes: Nodes) -> None:
    name = fresh()
    site = Site(f"CS{name}", f"L{name}", f"T{name}", f"TAG{name}")
    await nodes.front.admin.put(f"stations/{site.station}", {"password": PASSWORD})
    async with connected(nodes.left, site.station) as station:
        await station.boot()
        await station.status(1, "Available")
        await nodes.front.admin.put(f"tariffs/{site.tariff}", tariff())
        await nodes.front.admin.put(f"locations/{site.location}", location(name, site.tariff))
        link = {"evse": 1, "connector": 1, "evse_uid": site.evse(), "connector_id": "1"}
        wanted = {"location_id": site.location, "connectors": [link]}
        await nodes.front.admin.put(f"stations/{site.station}", wanted)
        await give_own_token(nodes.front, site.tag)
        await station.status(1, "Preparing")
        number = await station.start_charging(site.tag, ago(minutes=9))
        await until(lambda: nodes.partner.evse_status(site) == "CHARGING")
        ref = (await nodes.front.admin.transaction(site.station, number))["ref"]
        closed = await nodes.front.admin.post(f"transactions/{ref}/close")
        assert closed["stopped_at"] is not None
        # The node with the socket has read it again: the stop that comes after all changes nothing.
        await station.end(number, ago(seconds=0), 3000)
    assert len(await nodes.front.admin.cdrs(site.station)) == 1


async def test_a_station_that_moves_in_the_middle_has_one_session_and_one_record(nodes: Nodes) -> None:
    site = await set_up(nodes.front, nodes.partner)
    began = ago(minutes=50)
    async with wire(nodes.left, site.station) as before:
        answer = await before.call(
            "StartTransaction",
            {"connectorId": 1, "idTag": site.tag, "meterStart": 0, "timestamp": stamp(began)},
        )
        number = answer["transactionId"]
        async with connected(nodes.right, site.station) as station:
            await station.meter(number, sample(ago(minutes=30), 1500))
            # The old socket has lost its lease: what it still says is not taken, and it is closed unanswered.
            stale = sample(ago(minutes=20), 9999)
            await before.send(json.dumps([2, "x", "MeterValues", _meter(number, stale)]))
            with pytest.raises(ConnectionClosed):
                await before.socket.recv()
            assert before.socket.close_code == 1013
            assert await online(nodes, site)
            assert await station.start_charging(site.tag, began) == number
            sent = await nodes.front.admin.post(f"stations/{site.station}/ocpp/ClearCache", {}, wait=0)
            assert sent["message_id"]
            await station.end(number, ago(minutes=5), 3000, site.tag)
    found = await nodes.front.admin.transaction(site.station, number)
    cdr = await nodes.partner.cdr(found["session_id"])
    assert cdr["total_energy"] == 3
    assert len(nodes.partner.messages("cdrs", found["session_id"])) == 1


def _meter(number: int, kept: dict[str, Any]) -> dict[str, Any]:
    return {"connectorId": 1, "transactionId": number, "meterValue": [kept]}


async def test_a_partner_that_registers_at_one_node_is_known_at_the_other_at_once(
    nodes: Nodes, new_partner: Callable[..., Partner]
) -> None:
    newcomer = new_partner("NEW")
    await newcomer.register(nodes.front)
    token = newcomer.emsp.registration.dump()["connection"]["token"]
    async with httpx.AsyncClient(trust_env=False) as client:

        async def asked(node: House) -> int:
            headers = {"Authorization": f"Token {_base64(token)}"}
            url = f"{node.url}/ocpi/cpo/2.2.1/sender/tariffs"
            return (await client.get(url, headers=headers)).status_code

        assert await asked(nodes.right) == 200
        await nodes.front.admin.ask("DELETE", f"partners/{newcomer.id}")
        assert await asked(nodes.front) == 401
        await until(lambda: _is(asked(nodes.right), 401), 3)


async def _is(answer: Any, wanted: int) -> bool:
    return bool(await answer == wanted)


def _base64(token: str) -> str:
    return base64.b64encode(token.encode()).decode()


async def test_a_node_that_dies_loses_its_stations_to_another_and_no_bill(nodes: Nodes) -> None:
    site = await set_up(nodes.front, nodes.partner)
    token = nodes.partner.token(f"A{fresh()}")
    began = ago(minutes=50)
    async with connected(nodes.left, site.station) as station:
        number = await station.start_charging(site.tag, began)
        await station.meter(number, sample(ago(minutes=30), 1500))
        station.pauses["UnlockConnector"] = 60.0
        where = {"location_id": site.location, "evse_uid": site.evse(), "connector_id": "1"}
        sent = await nodes.partner.command(CommandType.UNLOCK_CONNECTOR, **where)
        await station.told("UnlockConnector")
        nodes.left.kill()
    assert await nodes.partner.result(sent) == "TIMEOUT"
    await until(lambda: _offline(nodes, site), 8)
    nodes.right.expect("a process is gone")
    async with connected(nodes.right, site.station) as station:
        assert await station.start_charging(site.tag, began) == number
        await station.end(number, ago(minutes=5), 3000, site.tag)
        assert await nodes.partner.result(await start(nodes, site, token)) == "ACCEPTED"
        assert [name for name, _ in station.heard] == ["RemoteStartTransaction"]
    found = await nodes.front.admin.transaction(site.station, number)
    assert (await nodes.partner.cdr(found["session_id"]))["total_energy"] == 3
    assert len(nodes.partner.messages("cdrs", found["session_id"])) == 1


async def test_what_a_dead_worker_had_in_hand_is_delivered_at_once(nodes: Nodes) -> None:
    site = await set_up(nodes.front, nodes.partner)
    async with connected(nodes.left, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=50))
        await nodes.partner.catch_up(nodes.front)
        nodes.partner.faults.always(Fault(FaultKind.SLOW, 30))
        try:
            await station.end(number, ago(minutes=5), 3000, site.tag)
            await until(lambda: nodes.front.admin.get("deliveries", state="in_flight"))
            nodes.right.kill()
        finally:
            nodes.partner.faults.heal()
        await asyncio.to_thread(nodes.spare.start)
        found = await nodes.front.admin.transaction(site.station, number)
        cdr = await nodes.partner.cdr(found["session_id"], 10)
    assert cdr["total_energy"] == 3
    assert await asyncio.to_thread(nodes.spare.stop) == 0
    nodes.spare.check_log()
