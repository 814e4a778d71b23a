"""The house as a whole for flow tests: the real program, a partner beside it, and a look at the log afterwards."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from ocpi.partners.invitations import invite
from ocpi.wire.types import Role
from tests.conftest import OcpiHouse
from tests.flows.house import House
from tests.flows.hub_party import HubParty
from tests.flows.hub_world import OURS, World, party_of
from tests.flows.partner import Partner
from tests.flows.site import fresh
from tests.flows.station import PASSWORD

QUICK = {"AUTHORIZE_SECONDS": "1.5", "COMMAND_SECONDS": "3", "START_SECONDS": "5"}
"""Times that are waited for in vain, shortened."""


class Shared:
    """A program that many tests use one after the other, with one partner, both made when first asked for."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.partner = Partner()
        self.registered = False

    def end(self) -> None:
        """Stop both."""
        try:
            self.house.end()
        finally:
            if self.registered:
                self.partner.end()


@contextlib.asynccontextmanager
async def lent(shared: Shared) -> AsyncIterator[House]:
    """The program for one test, with an operator; what it logs meanwhile is looked at."""
    await shared.house.admin.open()
    yield shared.house
    await shared.house.admin.close()
    shared.house.check_log()


@contextlib.asynccontextmanager
async def partnered(shared: Shared) -> AsyncIterator[Partner]:
    """The program's eMSP for one test. Nothing that it is sent meanwhile may break a rule."""
    if not shared.registered:
        shared.partner.start()
        shared.registered = True
        await shared.partner.register(shared.house)
    yield shared.partner
    assert shared.partner.problems() == []


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    """One running program per database and test process."""
    folder = tmp_path_factory.mktemp("house")
    url = f"sqlite+aiosqlite:///{folder / 'voltbridge.db'}"
    if request.param == "postgresql":
        url = _new_database(request.getfixturevalue("postgres_url"))
    found = Shared(House(url, folder, **QUICK))
    found.house.secrets.add(PASSWORD)
    found.house.start()
    yield found
    found.end()
    found.house.check_log()
    if request.param == "postgresql":
        _execute(
            request.getfixturevalue("postgres_url"), f"DROP DATABASE {make_url(url).database} WITH (FORCE)"
        )


@pytest.fixture
async def house(shared: Shared) -> AsyncIterator[House]:
    """A running program, shared with other tests; what it logs during the test is looked at."""
    async with lent(shared) as house:
        yield house


@pytest.fixture
async def partner(shared: Shared, house: House) -> AsyncIterator[Partner]:
    """An eMSP registered with the shared program."""
    async with partnered(shared) as partner:
        yield partner


@pytest.fixture
def new_partner() -> Iterator[Callable[..., Partner]]:
    """Makes partners that listen until the test ends."""
    made: list[Partner] = []

    def make(*args: Any, **more: Any) -> Partner:
        partner = Partner(*args, **more)
        made.append(partner)
        partner.start()
        return partner

    yield make
    for partner in made:
        partner.end()


@contextlib.contextmanager
def databases(url: str) -> Iterator[str]:
    """A database of its own on a PostgreSQL server, gone afterwards."""
    made = _new_database(url)
    try:
        yield made
    finally:
        _execute(url, f"DROP DATABASE {make_url(made).database} WITH (FORCE)")


@pytest.fixture
async def world(ocpi_house: OcpiHouse) -> AsyncIterator[World]:
    parties = [
        HubParty(role, country, party)
        for role, country, party in (
            (Role.CPO, "NL", "AAA"),
            (Role.CPO, "BE", "BBB"),
            (Role.EMSP, "DE", "EMS"),
            (Role.EMSP, "FR", "FFF"),
        )
    ]
    await asyncio.gather(*(party.arrive() for party in parties))
    try:
        await asyncio.gather(*(_registered(ocpi_house, party) for party in parties))
        for one, other in (
            ("NL-AAA", "DE-EMS"),
            ("BE-BBB", "DE-EMS"),
            ("NL-AAA", "FR-FFF"),
            (OURS, "DE-EMS"),
        ):
            await ocpi_house.hub.agreements.put(party_of(one), party_of(other), [])
        yield World(ocpi_house, *parties)
    finally:
        await asyncio.gather(*(party.leave() for party in parties))


async def _registered(ocpi_house: OcpiHouse, party: HubParty) -> None:
    invited, token = await invite(ocpi_house.desk, party.name, "hub")
    party.partner_id = invited.id
    await party.register(ocpi_house.desk.versions_url("hub"), token)


def _new_database(url: str) -> str:
    name = f"voltbridge_flows_{fresh().lower()}"
    _execute(url, f"CREATE DATABASE {name}")
    return make_url(url).set(database=name).render_as_string(hide_password=False)


def _execute(url: str, sql: str) -> None:
    async def work() -> None:
        plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        connection = await asyncpg.connect(plain)
        await connection.execute(sql)
        await connection.close()

    asyncio.run(work())
