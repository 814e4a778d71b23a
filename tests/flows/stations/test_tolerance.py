"""HAZARDS row 26: what a station gets wrong in a message about money never costs the session, and can be seen."""

import pytest

from tests.flows.site import give_own_token, set_up
from tests.flows.station import ago, stamp, wire


def start(tag, **changes):
    return {"connectorId": 1, "idTag": tag, "meterStart": 100, "timestamp": stamp(ago(minutes=40))} | changes


def stop(number, **changes):
    return {"transactionId": number, "meterStop": 2100, "timestamp": stamp(ago(minutes=10))} | changes


STARTS = {
    "unknown property": {"colour": "green", "customData": {"a": [1]}},
    "1000.0 for an integer": {"meterStart": 100.0, "connectorId": 1.0},
    "a number as text": {"meterStart": "100", "connectorId": "1"},
    "null for absent": {"reservationId": None},
    "a reservation that is no number": {"reservationId": "none"},
}
STOPS = {
    "unknown property": {"colour": "green"},
    "1000.0 for an integer": {"meterStop": 2100.0},
    "a fraction of a Wh": {"meterStop": 2100.4},
    "a number as text": {"meterStop": "2100"},
    "unknown reason": {"reason": "CosmicRay"},
    "null for absent": {"reason": None, "idTag": None, "transactionData": None},
    "an id tag of 21 characters": {"idTag": "A" * 21},
    "an object in place of a list": {
        "transactionData": {"timestamp": "2026-01-01T00:00:00Z", "sampledValue": []}
    },
    "unknown enum values in samples": {
        "transactionData": [
            {
                "timestamp": "2026-01-01T00:00:00Z",
                "sampledValue": [
                    {"value": "2100", "measurand": "Warp.Core", "context": "Lunch", "unit": "Wh"}
                ],
            }
        ]
    },
    "a number as sampled value": {
        "transactionData": [{"timestamp": "2026-01-01T00:00:00Z", "sampledValue": [{"value": 2100}]}]
    },
}


async def deviations(house, site, action):
    frames = await house.admin.frames(site.station)
    return next(each["deviations"] for each in frames if each["action"] == action)


@pytest.mark.parametrize("changes", STARTS.values(), ids=STARTS)
async def test_a_start_that_breaks_the_schema_is_a_start(house, changes):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        answer = await station.call("StartTransaction", start(site.tag, **changes))
        assert answer["idTagInfo"] == {"status": "Accepted"}
        assert await station.call("StopTransaction", stop(answer["transactionId"])) == {}
    cdr = await house.admin.cdr(site.station)
    assert (cdr["state"], cdr["total_energy"]) == ("issued", 2)
    assert await deviations(house, site, "StartTransaction")


@pytest.mark.parametrize("changes", STOPS.values(), ids=STOPS)
async def test_a_stop_that_breaks_the_schema_is_a_stop(house, changes):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        number = (await station.call("StartTransaction", start(site.tag)))["transactionId"]
        answer = await station.call("StopTransaction", stop(number, **changes))
        assert isinstance(answer, dict), answer
    cdr = await house.admin.cdr(site.station)
    assert cdr["state"] == "issued"
    assert 2 <= cdr["total_energy"] <= 2.0004
    assert await deviations(house, site, "StopTransaction")


async def test_a_card_with_21_characters_charges(house):
    site = await set_up(house)
    tag = f"{site.tag}{'Z' * 21}"[:21]
    await give_own_token(house, tag)
    async with wire(house, site.station) as station:
        answer = await station.call("StartTransaction", start(tag))
        assert answer["idTagInfo"] == {"status": "Accepted"}
        await station.call("StopTransaction", stop(answer["transactionId"], idTag=tag))
    assert (await house.admin.cdr(site.station))["cdr_token"]["uid"] == tag
    noted = await deviations(house, site, "StartTransaction")
    counted = (await house.admin.get(f"stations/{site.station}"))["tolerated"]
    assert noted
    assert all(counted[each] >= 1 for each in noted)


async def test_an_unknown_status_or_error_code_is_taken_and_seen(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        odd = {"connectorId": 1, "status": "Charging", "errorCode": "PowerLimitExceeded", "info": "x" * 90}
        assert await station.call("StatusNotification", odd) == {}
        shown = (await house.admin.get(f"stations/{site.station}"))["connectors"][0]
        assert (shown["status"], shown["error_code"]) == ("Charging", "PowerLimitExceeded")
        assert await deviations(house, site, "StatusNotification")
        await station.call("StatusNotification", odd | {"status": "Levitating"})
        shown = (await house.admin.get(f"stations/{site.station}"))["connectors"][0]
        assert shown["status"] == "Unknown"


async def test_a_message_without_anything_odd_has_no_deviations(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        await station.call("StartTransaction", start(site.tag))
    assert await deviations(house, site, "StartTransaction") == []
