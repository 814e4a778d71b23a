"""No secret in the log, not even in the most talkative one, nor in any answer; no station's name in OCPI."""

import asyncio
import base64
import json

import httpx
import pytest
import websockets

from tests.flows.house import House, until
from tests.flows.site import set_up
from tests.flows.station import PASSWORD, ago, connected, socket_of, wire


@pytest.fixture
async def talkative(tmp_path, database_url):
    """A program that logs all it can."""
    house = House(database_url, tmp_path, LOG_LEVEL="debug")
    house.secrets.add(PASSWORD)
    await asyncio.to_thread(house.start)
    await house.admin.open()
    yield house
    await house.admin.close()
    await asyncio.to_thread(house.end)
    house.check_log()


async def test_nothing_secret_is_shown_in_clear(talkative, new_partner):
    house, partner = talkative, new_partner()
    await partner.register(house)
    await house.admin.post(f"partners/{partner.id}/rotate")
    partner.know_secrets(house)
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        await station.boot()
        number = await station.start_charging(site.tag, ago(minutes=30), 0)
        await station.status(1, "Charging")
        await station.end(number, ago(minutes=1), 4000, site.tag)
        house.secrets.add("new-station-key-55aa")
        key = {"key": "AuthorizationKey", "value": "new-station-key-55aa"}
        assert (await house.admin.post(f"stations/{site.station}/ocpp/ChangeConfiguration", key))[
            "outcome"
        ] == "result"
        assert station.heard[-1][1]["value"] == "new-station-key-55aa"
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    await partner.cdr(session_id)

    house.secrets |= {"guess-of-a-stranger", "guess-of-a-partner", "guess-of-an-operator", "key-in-a-boot"}
    with pytest.raises(websockets.InvalidStatus):
        async with socket_of(house, site.station, "guess-of-a-stranger"):
            pass
    async with httpx.AsyncClient(base_url=house.url, trust_env=False) as stranger:
        for path in ("/ocpi/cpo/versions", "/admin/v1/stations"):
            for value in (
                "Token guess-of-a-partner",
                "Token " + base64.b64encode(b"guess-of-a-partner").decode(),
                "Bearer guess-of-an-operator",
            ):
                answer = await stranger.get(path, headers={"Authorization": value})
                assert answer.status_code == 401
                house.check_secrets(answer.text, path)
        for path in ("/", "/healthz", "/readyz", "/metrics", "/docs", "/docs/admin.json"):
            house.check_secrets((await stranger.get(path)).text, path)
    # Every list that the operator can see; what each shows is searched as it is read.
    for path in (
        "partners",
        "stations",
        "tokens",
        "deliveries",
        "messages",
        "transactions",
        "sessions",
        "cdrs",
    ):
        assert path == "tokens" or await house.admin.all(path)
    await house.admin.frames(site.station)
    for secret in list(house.secrets):
        house.secrets.add(base64.b64encode(secret.encode()).decode())
    await until(lambda: house.log.stat().st_size)


async def test_partners_never_learn_the_names_of_stations(house, partner):
    site = await set_up(house, partner)
    async with wire(house, site.station) as station:
        await station.call(
            "BootNotification",
            {"chargePointVendor": "V", "chargePointModel": "M", "chargePointSerialNumber": "SN-77-X"},
        )
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=30), 0)
        await station.status(1, "Charging")
        await station.end(number, ago(minutes=1), 4000, site.tag)
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    await partner.cdr(session_id)
    told = json.dumps([[m.path, m.body] for m in list(partner.ledger.messages)], default=str)
    assert site.location in told
    assert site.station not in told
    assert "SN-77-X" not in told
