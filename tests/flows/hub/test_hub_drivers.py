"""Drivers of an eMSP behind the hub at our stations: as long as the two have an agreement, and only so long."""

from collections.abc import AsyncIterator

import pytest

from ocpi.wire.types import Role
from tests.flows.house import House
from tests.flows.hub_party import NOW, Got, HubParty, ok
from tests.flows.hub_world import HUB, OURS
from tests.flows.site import fresh, set_up
from tests.flows.station import ago, connected

EMSP = "DE-HEM"
AGREEMENT = f"hub/agreements/{OURS}/{EMSP}"


def _answer(got: Got) -> object:
    if got.path.endswith("/authorize"):
        uid = got.path.split("/")[-2]
        return ok({"allowed": "ALLOWED", "token": _token(uid, "NEVER")})
    return ok([]) if got.method == "GET" else ok()


def _token(uid: str, whitelist: str) -> dict[str, object]:
    return {
        "country_code": "DE", "party_id": "HEM", "uid": uid, "type": "RFID", "contract_id": f"DE-HEM-{uid}",
        "issuer": "Havel", "valid": True, "whitelist": whitelist, "last_updated": NOW,
    }  # fmt: skip


@pytest.fixture
async def emsp(house: House) -> AsyncIterator[HubParty]:
    """An eMSP behind the hub of the shared program, gone afterwards."""
    party = HubParty(Role.EMSP, "DE", "HEM", answers=_answer)  # type: ignore[arg-type]
    async with party.running():
        invited = await house.admin.post("partners", {"name": EMSP, "platform": "hub"})
        await party.register(invited["versions_url"], invited["token_a"])
        yield party
        await house.admin.ask("DELETE", AGREEMENT)
        await house.admin.ask("DELETE", f"partners/{invited['id']}")


async def test_an_agreement_that_ends_ends_at_the_stations_at_once(house: House, emsp: HubParty) -> None:
    site, card, asked = await set_up(house), f"H{fresh()}", f"N{fresh()}"
    await house.admin.put(AGREEMENT, {"modules": []})
    for uid, whitelist in ((card, "ALWAYS"), (asked, "NEVER")):
        body = _token(uid, whitelist)
        told = await emsp.call("PUT", f"receiver/tokens/DE/HEM/{uid}", to=HUB, body=body)
        assert told.json()["status_code"] == 1000
    async with connected(house, site.station) as station:
        await station.boot()
        assert [await station.authorize(uid) for uid in (card, asked)] == ["Accepted", "Accepted"]

        await house.admin.ask("DELETE", AGREEMENT)

        assert [await station.authorize(uid) for uid in (card, asked)] == ["Invalid", "Invalid"]
        begun = await station.begin(asked, ago(seconds=0))  # within the time in which an answer is used again
        assert begun.id_tag_info["status"] == "Invalid"
        by_operator = {"station": site.station, "connector": 1, "token": card}
        refused = await house.admin.ask("POST", f"stations/{site.station}/start", json=by_operator)
        assert refused.status_code == 422
        why = await house.admin.get(f"tokens/{card}/decision", station=site.station)
        assert [each["uid"] for each in why["without_agreement"]] == [card]
        assert why["owners"] == []

        await house.admin.put(AGREEMENT, {"modules": ["locations"]})
        assert await station.authorize(card) == "Invalid"
        await house.admin.put(AGREEMENT, {"modules": ["tokens", "locations"]})
        assert [await station.authorize(uid) for uid in (card, asked)] == ["Accepted", "Accepted"]
