"""A foreign hub as partner of our CPO: whoever is behind it is known by what the hub says, and told through it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from app.domain.authorization import Question
from app.domain.cdrs import CdrState
from app.domain.events import CdrIssued, LocationChanged
from app.domain.parties import Party, Role
from app.domain.tokens import TokenType, Verdict
from app.store import cdrs, locations, tokens
from app.store.hub import pulls
from ocpi.modules import ModuleId
from ocpi.partners.invitations import invite
from ocpi.pull.authorization import PartnerIssuers
from ocpi.pull.parties import PartyLists
from tests.conftest import OcpiHouse, until
from tests.flows.hub_party import FUNCTIONAL, NOW, HubParty, ok

TOKEN = {
    "country_code": "DE", "party_id": "EMS", "uid": "04AA", "type": "RFID", "contract_id": "DE-EMS-1",
    "issuer": "Elbe", "valid": True, "whitelist": "ALLOWED", "last_updated": NOW,
}  # fmt: skip
EMS = Party("DE", "EMS")


@pytest.fixture
async def hub(ocpi_house: OcpiHouse) -> AsyncIterator[HubParty]:
    modules = [*FUNCTIONAL, ModuleId.HUB_CLIENT_INFO]
    async with HubParty(Role.HUB, "DE", "HUB", modules=modules).running() as hub:
        invited, token = await invite(ocpi_house.desk, "Foreign hub", "cpo")
        hub.partner_id = invited.id
        await hub.register(ocpi_house.desk.versions_url("cpo"), token)
        yield hub


def behind(house: OcpiHouse, hub: HubParty) -> list[str]:
    return [str(each.party) for each in house.partner(hub.partner_id).parties if each.learned]


def info(name: str, role: str = "EMSP", status: str = "CONNECTED", at: str = NOW) -> dict[str, Any]:
    country, party = name.split("-")
    return {
        "country_code": country, "party_id": party, "role": role, "status": status, "last_updated": at,
    }  # fmt: skip


async def tell_of(hub: HubParty, name: str, role: str, **more: str) -> Any:
    url = f"receiver/hubclientinfo/{name.replace('-', '/')}"
    answer = await hub.call("PUT", url, sender=None, body=info(name, role, **more))
    return answer.json()["status_code"]


async def known(hub: HubParty, name: str) -> Any:
    """What we say of a party that the hub told us of."""
    url = f"receiver/hubclientinfo/{name.replace('-', '/')}"
    return (await hub.call("GET", url, sender=None)).json().get("data")


async def test_parties_are_known_from_what_the_hub_tells_of_them(
    ocpi_house: OcpiHouse, hub: HubParty
) -> None:
    for name, role in (("DE-EMS", "EMSP"), ("FR-CPO", "CPO"), ("NL-VBR", "EMSP"), ("DE-EMS", "EMSP")):
        assert await tell_of(hub, name, role) == 1000
    assert behind(ocpi_house, hub) == ["DE-EMS"]
    assert (await hub.call("PUT", "receiver/hubclientinfo/DE/EMS", body={"role": "EMSP"})).json()[
        "status_code"
    ] == 2001
    await ocpi_house.desk.registry.load()
    assert behind(ocpi_house, hub) == ["DE-EMS"]


async def test_what_a_party_behind_a_hub_first_says_is_enough(
    ocpi_house: OcpiHouse, hub: HubParty, objects: Any
) -> None:
    told = await hub.call("PUT", "receiver/tokens/DE/EMS/04AA", sender="DE-HUB", body=TOKEN)
    assert told.json()["status_code"] == 1000
    asked = await hub.call("GET", "sender/tariffs", sender="FR-FFF")
    assert asked.json()["status_code"] == 1000
    assert behind(ocpi_house, hub) == ["DE-EMS", "FR-FFF"]
    async with ocpi_house.store.reading() as session:
        assert await tokens.get(session, "DE", "EMS", "04AA", TokenType.RFID) is not None

    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        await locations.save(unit.session, objects.location(), unit.now())
        unit.emit(LocationChanged(location_id="quay-77", roaming=True, at=unit.now()))
        cdr = objects.cdr()
        await cdrs.add(unit.session, cdr, ref="T-1", state=CdrState.ISSUED, reason=None, now=unit.now())
        unit.emit(CdrIssued(cdr_id=cdr.id, owner=EMS, at=unit.now()))
    await ocpi_house.settled()
    assert {(each.method, each.to) for each in hub.got if each.method != "GET"} == {
        ("PUT", "DE-HUB"),
        ("POST", "DE-EMS"),
    }


async def test_an_issuer_behind_a_hub_answers_for_its_token(ocpi_house: OcpiHouse, hub: HubParty) -> None:
    hub.answers = lambda _: ok({"allowed": "ALLOWED", "token": TOKEN})
    question = Question(uid="04AA", token=None, location_id=None)
    asked = await PartnerIssuers(ocpi_house.desk).ask(question)
    assert asked.verdict is Verdict.ACCEPTED
    assert behind(ocpi_house, hub) == ["DE-EMS"]


async def test_who_registers_itself_is_behind_no_hub(ocpi_house: OcpiHouse, hub: HubParty) -> None:
    await tell_of(hub, "DE-EMS", "EMSP")
    async with HubParty(Role.EMSP, "DE", "EMS").running() as direct:
        invited, token = await invite(ocpi_house.desk, "direct", "cpo")
        await direct.register(ocpi_house.desk.versions_url("cpo"), token)
        await until(lambda: behind(ocpi_house, hub) == [])
        assert ocpi_house.desk.registry.by_party("cpo", EMS) == ocpi_house.partner(invited.id)
        assert await tell_of(hub, "DE-EMS", "EMSP") == 1000
        assert behind(ocpi_house, hub) == []
        refused = await hub.call("GET", "sender/tariffs", sender="DE-EMS")
        assert refused.json()["status_code"] == 2001
        assert await tell_of(direct, "FR-FFF", "EMSP") == 2000


async def test_what_a_hub_said_of_a_party_can_be_asked_back(ocpi_house: OcpiHouse, hub: HubParty) -> None:
    assert await known(hub, "DE-EMS") is None
    assert await tell_of(hub, "DE-EMS", "EMSP", status="OFFLINE", at="2026-11-20T12:00:01Z") == 1000
    assert await tell_of(hub, "DE-EMS", "EMSP", at="2026-11-20T12:00:00Z") == 1000
    assert await known(hub, "de-ems") == info("DE-EMS", status="OFFLINE", at="2026-11-20T12:00:01Z")
    assert await tell_of(hub, "DE-EMS", "CPO", status="SUSPENDED", at="2026-11-20T12:00:02Z") == 1000
    assert (await known(hub, "DE-EMS"))["role"] == "CPO"
    assert await tell_of(hub, "FR-NEW", "EMSP", status="PLANNED") == 1000
    assert behind(ocpi_house, hub) == ["DE-EMS"]
    async with HubParty(Role.EMSP, "FR", "FFF").running() as other:
        _, token = await invite(ocpi_house.desk, "direct", "cpo")
        await other.register(ocpi_house.desk.versions_url("cpo"), token)
        assert await known(other, "DE-EMS") is None


async def test_who_is_behind_a_hub_is_read_when_it_comes_every_hour_and_after_an_outage(
    ocpi_house: OcpiHouse, hub: HubParty
) -> None:
    listed = [info("DE-EMS"), {"role": "EMSP"}, info("FR-CPO", "CPO"), info("BE-OLD", status="SUSPENDED")]
    hub.answers = lambda got: ok(listed if got.path.rstrip("/").endswith("hubclientinfo") else [])
    lists = PartyLists(ocpi_house.context)

    async def asked() -> list[str]:
        await lists.look()
        return [got.query for got in hub.got if "hubclientinfo" in got.path]

    assert await asked() == await asked() == ["limit=100"]
    assert behind(ocpi_house, hub) == ["DE-EMS"]
    assert (await known(hub, "BE-OLD"))["status"] == "SUSPENDED"
    assert hub.got[-1].headers.get("ocpi-to-party-id") is None
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        (row,) = [each for each in await pulls.every(unit.session) if each.module == "hubclientinfo"]
        assert (row.entries, row.kept, row.skipped, row.error) == (4, 3, 1, None)
        row.pulled_at = ocpi_house.clock.now() - timedelta(hours=1)
    assert len(await asked()) == 2
    assert "date_from" in (await asked())[-1]

    answers = ocpi_house.traffic.answers
    answers._silent[hub.partner_id] = ocpi_house.clock.now()
    answers._answered.pop(hub.partner_id)
    ocpi_house.desk.registry._contacts.pop(hub.partner_id, None)
    assert len(await asked()) == 2
    answers._answered[hub.partner_id] = ocpi_house.clock.now()
    assert len(await asked()) == 3
