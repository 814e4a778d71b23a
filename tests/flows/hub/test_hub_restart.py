"""The hub as the real program: agreements by its operator, and a restart between a command and its result."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from app.cli.root import app as cli
from ocpi.wire.types import Role
from tests.flows.house import House, until
from tests.flows.hub_party import HubParty, ok


@pytest.fixture
async def own_house(database_url: str, tmp_path: Path) -> AsyncIterator[House]:
    """A program that this test may kill."""
    house = House(database_url, tmp_path)
    house.start()
    await house.admin.open()
    yield house
    await house.admin.close()
    house.end()
    house.check_log()


async def test_a_result_finds_its_way_after_the_hub_was_killed(own_house: House) -> None:
    house = own_house
    cpo, emsp = HubParty(Role.CPO, "NL", "AAA"), HubParty(Role.EMSP, "DE", "EMS")
    cpo.answers = lambda _: ok({"result": "ACCEPTED", "timeout": 30})
    async with cpo.running(), emsp.running():
        for party in (cpo, emsp):
            invited = await house.admin.post("partners", {"name": party.name, "platform": "hub"})
            assert invited["versions_url"].endswith("/ocpi/hub/versions")
            await party.register(invited["versions_url"], invited["token_a"])
        command = {"session_id": "S1", "response_url": f"{emsp.url}/mine"}

        refused = await emsp.call("POST", "receiver/commands/STOP_SESSION", to="NL-AAA", body=command)
        assert refused.json()["status_code"] == 4000
        assert "agreement" in refused.json()["status_message"]
        assert cpo.got == []
        made = await house.admin.ask("PUT", "hub/agreements/nl-aaa/DE-EMS", json={"modules": ["commands"]})
        assert (made.status_code, made.json()["parties"]) == (201, ["DE-EMS", "NL-AAA"])
        taken = await emsp.call("POST", "receiver/commands/STOP_SESSION", to="NL-AAA", body=command)
        assert taken.json()["data"]["result"] == "ACCEPTED"

        await house.restart()
        told = await cpo.call("POST", cpo.got[0].body["response_url"], body={"result": "ACCEPTED"})
        assert told.json()["status_code"] == 1000
        await house.restart()
        await until(lambda: any(each.path == "/mine" for each in emsp.got), 20)

        other = await cpo.call("PUT", "receiver/sessions/NL/AAA/S1", to="DE-EMS", body={"id": "S1"})
        assert other.json()["status_code"] == 4000
        listed = await house.admin.get("hub/agreements")
        assert [each["modules"] for each in listed] == [["commands"]]
        parties = await house.admin.get("hub/parties")
        assert [each["party"] for each in parties] == ["NL-VBR", "DE-EMS", "NL-AAA"]
        for wrong in ("hub/agreements/nobody/DE-EMS", "hub/agreements/NL-AAA/NL-AAA"):
            assert (await house.admin.ask("PUT", wrong, json={})).status_code == 422
        assert (
            await house.admin.ask("PUT", "hub/agreements/NL-AAA/DE-EMS", json={"modules": ["credentials"]})
        ).is_error
        assert (await house.admin.ask("DELETE", "hub/agreements/DE-EMS/NL-AAA")).status_code == 204
        assert (await house.admin.ask("DELETE", "hub/agreements/DE-EMS/NL-AAA")).status_code == 404
        ended = await emsp.call("POST", "receiver/commands/STOP_SESSION", to="NL-AAA", body=command)
        assert ended.json()["status_code"] == 4000


def test_the_command_line_knows_the_hub() -> None:
    assert "hub" in {group.name for group in cli.registered_groups}
