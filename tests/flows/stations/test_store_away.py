"""The database goes away in the middle: nobody is told a lie, everything comes again, each session is billed once."""

import asyncio
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import asyncpg
import httpx
import pytest
import websockets
from sqlalchemy import make_url

from ocpi.modules import ModuleId
from tests.flows.histories import Double, check_records, check_starts
from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, socket_of

pytestmark = pytest.mark.parametrize("shared", ["postgresql"], indirect=True)

_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"


class Database:
    """The house's database, seen from beside it."""

    def __init__(self, connection, name):
        self._connection, self._name = connection, name

    async def cut(self):
        """End every connection of the house."""
        await self._connection.execute(_CUT, self._name)

    @asynccontextmanager
    async def closed(self):
        """Nobody gets in for a while."""
        await self._connection.execute(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS false")
        try:
            await self.cut()
            yield
        finally:
            await self._connection.execute(f"ALTER DATABASE {self._name} WITH ALLOW_CONNECTIONS true")


@pytest.fixture
async def database(house, postgres_url):
    plain = make_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    connection = await asyncpg.connect(plain)
    yield Database(connection, make_url(house.database_url).database)
    await connection.close()
    house.expect("the store cannot commit")
    house.expect("a periodic run failed")


async def test_row_4_without_a_store_stations_are_not_answered_and_everybody_hears_why(
    house, partner, database
):
    site, other = await set_up(house, partner), await set_up(house, partner)
    began = ago(minutes=40)
    token = partner.emsp.registration.connection.token
    async with connected(house, site.station) as station, database.closed():
        # No answer, and above all no CALLERROR: the station keeps its message and comes back.
        with pytest.raises((websockets.ConnectionClosed, TimeoutError)):
            await asyncio.wait_for(station.start_charging(site.tag, began, 0), 8)
        await asyncio.wait_for(station.socket.wait_closed(), 10)
        assert station.socket.close_code == 1013
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with socket_of(house, other.station):
                pass
        assert refusal.value.response.status_code == 503
        async with httpx.AsyncClient(base_url=house.url, trust_env=False, timeout=30) as visitor:
            assert (await visitor.get("/healthz")).status_code == 200
            assert (await visitor.get("/readyz")).status_code == 503
            asked = await visitor.get(
                "/ocpi/cpo/2.2.1/sender/locations", headers={"Authorization": f"Token {token}"}
            )
        assert asked.status_code in (200, 503)
        assert asked.json()["status_code"] == 3000
        refused = await house.admin.ask("GET", "stations")
        assert refused.status_code == 503
        assert refused.headers["Content-Type"] == "application/problem+json"
    await until(lambda: _ready(house))
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 0)
        await station.end(number, began + timedelta(minutes=20), 1200, site.tag)
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    await partner.catch_up(house)
    assert [cdr["total_energy"] for cdr in partner.cdrs(session_id)] == [1.2]
    assert len(await house.admin.cdrs(site.station)) == 1


async def _ready(house):
    with suppress(httpx.HTTPError):
        async with httpx.AsyncClient(trust_env=False) as visitor:
            return (await visitor.get(f"{house.url}/readyz")).status_code == 200


async def test_connections_that_break_under_load_cost_no_session_and_bill_none_twice(
    house, partner, database
):
    doubles = [Double(house, await set_up(house, partner), seed) for seed in range(4)]
    running = [asyncio.create_task(double.run()) for double in doubles]
    await until(lambda: sum(double.messages for double in doubles) >= 20)
    # asyncpg leaves a future behind when a connection breaks at the very end of a COPY.
    house.expect("Future exception was never retrieved")
    for _ in range(20):
        await database.cut()
        await asyncio.sleep(0.05)
    before = sum(double.messages for double in doubles)
    await until(lambda: sum(double.messages for double in doubles) >= before + 20, 30)
    for double in doubles:
        double.closing = True
    await asyncio.wait_for(asyncio.gather(*running), 30)
    await partner.catch_up(house, 75)

    check_starts(doubles)
    check_records(doubles, partner)
    pulled = await partner.pull(ModuleId.CDRS)
    assert pulled == {object_id: each.to_wire() for object_id, each in list(partner.ledger.cdrs.items())}
