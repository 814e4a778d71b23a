"""HubClientInfo over real HTTP: who is behind the hub, told to everybody else, to each as it may know it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from ocpi.modules import ModuleId
from ocpi.partners import handshake
from ocpi.partners.invitations import invite, pause, resume
from ocpi.wire.types import Role
from tests.conftest import OcpiHouse
from tests.flows.hub_party import FUNCTIONAL, HubParty
from tests.flows.hub_world import party_of

HERE = "/ocpi/2.2.1/receiver/hubclientinfo"


@pytest.fixture
async def house(ocpi_house: OcpiHouse) -> OcpiHouse:
    await ocpi_house.hub.clients.refresh()
    return ocpi_house


@pytest.fixture
async def cpo(house: OcpiHouse) -> AsyncIterator[HubParty]:
    async with HubParty(
        Role.CPO, "NL", "AAA", modules=[*FUNCTIONAL, ModuleId.HUB_CLIENT_INFO]
    ).running() as it:
        yield it


@pytest.fixture
async def emsp(house: OcpiHouse) -> AsyncIterator[HubParty]:
    async with HubParty(
        Role.EMSP, "DE", "EMS", modules=[*FUNCTIONAL, ModuleId.HUB_CLIENT_INFO]
    ).running() as it:
        yield it


async def register(house: OcpiHouse, *parties: HubParty) -> None:
    for party in parties:
        invited, token = await invite(house.desk, party.name, "hub")
        party.partner_id = invited.id
        await party.register(house.desk.versions_url("hub"), token)
    await changed(house)


async def changed(house: OcpiHouse) -> None:
    await house.hub.clients.refresh()
    await house.settled()


def told(party: HubParty) -> list[tuple[str, str, str]]:
    """What it was pushed: path, role and status; then it is forgotten."""
    pushed = [each for each in party.got if each.path.startswith(HERE)]
    party.got.clear()
    assert {each.method for each in pushed} <= {"PUT"}
    assert not any(name.startswith("ocpi-") for each in pushed for name in each.headers)
    return [(each.path.removeprefix(HERE + "/"), each.body["role"], each.body["status"]) for each in pushed]


async def listed(party: HubParty, query: str = "") -> list[tuple[str, str, str]]:
    answer = await party.call("GET", f"sender/hubclientinfo{query}", sender=None)
    data: list[dict[str, Any]] = answer.json()["data"]
    return [(f"{each['country_code']}/{each['party_id']}", each["role"], each["status"]) for each in data]


async def test_strangers_are_planned_and_partners_connected(
    house: OcpiHouse, cpo: HubParty, emsp: HubParty
) -> None:
    await register(house, cpo, emsp)
    assert ("DE/EMS", "EMSP", "PLANNED") in told(cpo)
    told(emsp)
    assert await listed(cpo) == [("NL/VBR", "CPO", "PLANNED"), ("DE/EMS", "EMSP", "PLANNED")]

    await house.hub.agreements.put(party_of("NL-AAA"), party_of("DE-EMS"), ["tokens"])
    await house.settled()
    assert told(cpo) == [("DE/EMS", "EMSP", "CONNECTED")]
    assert told(emsp) == [("NL/AAA", "CPO", "CONNECTED")]

    await house.hub.agreements.put(party_of("NL-VBR"), party_of("DE-EMS"), [])
    await house.hub.agreements.end(party_of("DE-EMS"), party_of("NL-AAA"))
    await house.settled()
    assert told(cpo) == [("DE/EMS", "EMSP", "PLANNED")]
    assert sorted(told(emsp)) == [("NL/AAA", "CPO", "PLANNED"), ("NL/VBR", "CPO", "CONNECTED")]
    assert await listed(emsp) == [("NL/VBR", "CPO", "CONNECTED"), ("NL/AAA", "CPO", "PLANNED")]


async def test_who_is_paused_or_leaves_is_suspended_and_comes_back(
    house: OcpiHouse, cpo: HubParty, emsp: HubParty
) -> None:
    await register(house, cpo, emsp)
    await house.hub.agreements.put(party_of("NL-AAA"), party_of("DE-EMS"), [])
    await house.settled()
    told(cpo)

    for change, status in (
        (pause(house.desk, emsp.partner_id), "SUSPENDED"),
        (resume(house.desk, emsp.partner_id), "CONNECTED"),
        (handshake.unregister(house.desk, emsp.partner_id), "SUSPENDED"),
    ):
        await change
        await changed(house)
        assert told(cpo) == [("DE/EMS", "EMSP", status)]
    assert ("DE/EMS", "EMSP", "SUSPENDED") in await listed(cpo)
    await changed(house)
    assert told(cpo) == []


async def test_one_party_with_two_roles_is_two_clients(house: OcpiHouse, cpo: HubParty) -> None:
    await register(house, cpo)
    async with HubParty(
        Role.CPO, "DE", "EMS", extra=((Role.EMSP, "DE", "EMS"), (Role.EMSP, "FR", "EMS"))
    ).running() as both:
        await register(house, both)

    assert sorted(told(cpo))[:3] == [
        ("DE/EMS", "CPO", "PLANNED"), ("DE/EMS", "EMSP", "PLANNED"), ("FR/EMS", "EMSP", "PLANNED"),
    ]  # fmt: skip


async def test_the_list_comes_in_pages_and_by_date(house: OcpiHouse, cpo: HubParty, emsp: HubParty) -> None:
    await register(house, cpo, emsp)
    await house.hub.agreements.put(party_of("NL-AAA"), party_of("DE-EMS"), [])

    first = await cpo.call("GET", "sender/hubclientinfo?limit=1", sender=None)
    assert (first.headers["X-Total-Count"], first.headers["X-Limit"]) == ("2", "100")
    assert "OCPI-to-party-id" not in first.headers
    url = first.headers["Link"].partition("<")[2].partition(">")[0]
    second = await cpo.call("GET", url, sender=None)
    assert "Link" not in second.headers
    parties = [each["party_id"] for page in (first, second) for each in page.json()["data"]]
    assert parties == ["VBR", "EMS"]
    since = second.json()["data"][0]["last_updated"]
    assert await listed(cpo, f"?date_from={since}") == [("DE/EMS", "EMSP", "CONNECTED")]
    assert await listed(cpo, f"?date_to={since}") == [("NL/VBR", "CPO", "PLANNED")]
    assert (await cpo.call("GET", "sender/hubclientinfo/x", sender=None)).status_code == 404
    assert (await cpo.call("GET", "sender/hubclientinfo?after=0.zz", sender=None)).json()[
        "status_code"
    ] == 2001


async def test_who_does_not_answer_is_offline_until_it_is_heard_of(
    house: OcpiHouse, cpo: HubParty, emsp: HubParty, monkeypatch: pytest.MonkeyPatch
) -> None:
    await register(house, cpo, emsp)
    await house.hub.agreements.put(party_of("NL-AAA"), party_of("DE-EMS"), [])
    await house.settled()
    told(cpo)
    await house.hub.liveness.look(house.traffic.answers)
    await changed(house)
    assert told(cpo) == []

    await emsp.stop()
    refused = await cpo.call("GET", "sender/tokens", to="DE-EMS")
    assert refused.json()["status_code"] == 4003
    await house.hub.liveness.look(house.traffic.answers)
    await changed(house)
    assert told(cpo) == [("DE/EMS", "EMSP", "OFFLINE")]

    await emsp.start()
    await house.hub.liveness.look(house.traffic.answers)  # it was asked a moment ago
    assert house.hub.liveness.is_away(emsp.partner_id)
    await emsp.call("GET", "sender/hubclientinfo", sender=None)
    await house.hub.liveness.look(house.traffic.answers)
    await changed(house)
    assert told(cpo) == [("DE/EMS", "EMSP", "CONNECTED")]
