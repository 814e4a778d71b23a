"""Two directions on one socket, two sockets of one station, answers that come late, statuses that come old."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta

import pytest
import websockets
from ocpp.v16 import call

from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, socket_of, wire


async def test_row_21_a_start_is_answered_while_our_call_waits_for_its_answer(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        asked = asyncio.create_task(house.admin.post(f"stations/{site.station}/ocpp/GetConfiguration", {}))
        ours = json.loads(await asyncio.wait_for(station.socket.recv(), 30))
        at = ago(minutes=9).strftime("%Y-%m-%dT%H:%M:%SZ")
        start = {"connectorId": 1, "idTag": site.tag, "meterStart": 0, "timestamp": at}
        assert (await station.call("StartTransaction", start))["transactionId"] > 0
        assert not asked.done()
        await station.send(json.dumps([3, ours[1], {"unknownKey": ["Colour"]}]))
        assert (await asked)["response"] == {"unknownKey": ["Colour"]}


async def test_row_21_calls_go_out_one_at_a_time_and_a_stop_before_the_rest(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:

        async def command(action, payload):
            return await house.admin.post(f"stations/{site.station}/ocpp/{action}", payload)

        async def next_call():
            return json.loads(await asyncio.wait_for(station.socket.recv(), 30))

        first = asyncio.create_task(command("GetConfiguration", {}))
        on_the_way = await next_call()
        others = [
            asyncio.create_task(command("TriggerMessage", {"requestedMessage": "Heartbeat"})),
            asyncio.create_task(command("RemoteStartTransaction", {"idTag": "A"})),
            asyncio.create_task(command("RemoteStopTransaction", {"transactionId": 1})),
        ]
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(station.socket.recv(), 0.7)
        order = []
        await station.send(json.dumps([3, on_the_way[1], {}]))
        for _ in others:
            each = await next_call()
            order.append(each[2])
            await station.send(json.dumps([3, each[1], {"status": "Rejected"}]))
        assert order == ["RemoteStopTransaction", "RemoteStartTransaction", "TriggerMessage"]
        assert {each["outcome"] for each in await asyncio.gather(first, *others)} == {"result"}


async def test_row_22_an_answer_after_our_timeout_is_recognised_and_logged(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        asked = asyncio.create_task(
            house.admin.post(
                f"stations/{site.station}/ocpp/RemoteStartTransaction", {"idTag": "A"}, timeout=0.3
            )
        )
        sent = json.loads(await asyncio.wait_for(station.socket.recv(), 30))
        told = await asked
        assert (told["message_id"], told["outcome"], told["response"]) == (sent[1], "timeout", None)
        await station.send(json.dumps([3, sent[1], {"status": "Accepted"}]))
        assert await station.alive()

        async def noted():
            frames = await house.admin.frames(site.station)
            return [(f["direction"], f["outcome"]) for f in frames if f["message_id"] == sent[1]]

        await until(lambda: _has(noted, ("out", "late")))
        # The next call is not answered by it.
        again = asyncio.create_task(house.admin.post(f"stations/{site.station}/ocpp/ClearCache", {}))
        sent = json.loads(await asyncio.wait_for(station.socket.recv(), 30))
        await station.send(json.dumps([3, sent[1], {"status": "Rejected"}]))
        assert (await again)["response"] == {"status": "Rejected"}


async def _has(noted, wanted):
    return wanted in await noted()


async def test_row_23_a_new_socket_replaces_one_that_is_half_open(house):
    site = await set_up(house)
    async with socket_of(house, site.station, ping_interval=None) as old:
        # The old socket is not read any more: as if the network had gone without a word.
        old.transport.pause_reading()
        async with connected(house, site.station) as station:
            await station.boot()
            answer = await house.admin.post(f"stations/{site.station}/ocpp/GetConfiguration", {})
            assert answer["outcome"] == "result"
            old.transport.resume_reading()
            with suppress(TimeoutError):
                await asyncio.wait_for(old.wait_closed(), 30)
            assert old.close_code == 1000
            # Its end is not the end of the new one.
            number = await station.start_charging(site.tag, ago(minutes=5), 0)
            assert (await house.admin.get(f"stations/{site.station}"))["online"] is True
            answer = await house.admin.post(f"stations/{site.station}/ocpp/GetConfiguration", {})
            assert answer["outcome"] == "result"
            await station.end(number, ago(), 400, site.tag)
    await until(lambda: _offline(house, site))


async def _offline(house, site):
    return (await house.admin.get(f"stations/{site.station}"))["online"] is False


async def test_row_23_what_the_old_socket_still_says_is_not_answered_and_not_lost(house):
    site = await set_up(house)
    began = ago(minutes=5)
    async with connected(house, site.station) as old, connected(house, site.station) as new:
        with pytest.raises((websockets.ConnectionClosed, TimeoutError)):
            await asyncio.wait_for(old.start_charging(site.tag, began, 0), 5)
        number = await new.start_charging(site.tag, began, 0)
        assert await new.start_charging(site.tag, began, 0) == number
    assert len(await house.admin.all("transactions", station=site.station)) == 1


async def test_row_24_an_old_status_does_not_overwrite_a_newer_one(house, partner):
    site = await set_up(house, partner)
    await partner.catch_up(house)  # told of the place first, then of its status alone
    async with connected(house, site.station) as station:
        await station.status(1, "Charging", ago(minutes=1))
        await until(lambda: partner.evse_status(site) == "CHARGING")
        await station.status(1, "Available", ago(hours=1))
        shown = (await house.admin.get(f"stations/{site.station}"))["connectors"][0]
        assert shown["status"] == "Charging"
        await station.status(1, "SuspendedEV", ago())
        await station.status(1, "Available")
        await until(lambda: partner.evse_status(site) == "AVAILABLE")
    told = [m.body["status"] for m in partner.messages("locations", site.evse())]
    assert told == ["CHARGING", "AVAILABLE"]


async def test_row_25_connector_0_speaks_for_the_station_but_never_hides_a_charging_car(house, partner):
    site = await set_up(house, partner, sockets=2)

    def seen():
        return partner.evse_status(site, 1), partner.evse_status(site, 2)

    async with connected(house, site.station) as station:
        await station.status(1, "Charging", ago(minutes=9))
        await station.status(2, "Available", ago(minutes=9))
        await station.status(0, "Available", ago(minutes=8))
        await until(lambda: seen() == ("CHARGING", "AVAILABLE"))
        await station.status(0, "Faulted", ago(minutes=7), error_code="GroundFailure")
        await until(lambda: seen() == ("OUTOFORDER", "OUTOFORDER"))
        await station.status(0, "Available", ago(minutes=6))
        await until(lambda: seen() == ("CHARGING", "AVAILABLE"))
        whole = (await house.admin.get(f"stations/{site.station}"))["whole"]
        assert whole["status"] == "Available"


STATUSES = [
    ("Available", "NoError", "AVAILABLE"),
    ("Preparing", "NoError", "CHARGING"),
    ("SuspendedEVSE", "NoError", "CHARGING"),
    ("Finishing", "NoError", "CHARGING"),
    ("Reserved", "NoError", "RESERVED"),
    ("Unavailable", "NoError", "INOPERATIVE"),
    ("Faulted", "ConnectorLockFailure", "OUTOFORDER"),
    ("Available", "ConnectorLockFailure", "OUTOFORDER"),
    ("Available", "HighTemperature", "AVAILABLE"),
]


async def test_every_status_of_a_connector_is_shown_to_drivers_as_the_table_says(house, partner):
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        for number, (status, error, wanted) in enumerate(STATUSES):
            await station.status(1, status, ago(minutes=20) + timedelta(minutes=number), error_code=error)
            shown = (await house.admin.get(f"locations/{site.location}"))["evses"][0]
            assert (status, error, shown["status"]) == (status, error, wanted)
        await until(lambda: partner.evse_status(site) == "AVAILABLE")


async def test_the_same_message_id_again_gets_the_same_answer_and_with_other_content_counts_as_new(house):
    site = await set_up(house)
    async with wire(house, site.station) as station:
        at = ago(minutes=9).strftime("%Y-%m-%dT%H:%M:%SZ")
        start = {"connectorId": 1, "idTag": site.tag, "meterStart": 0, "timestamp": at}
        first = await station.call("StartTransaction", start, "same")
        assert await station.call("StartTransaction", start, "same") == first
        stop = {"transactionId": first["transactionId"], "meterStop": 900, "timestamp": at}
        assert await station.call("StopTransaction", stop, "same") == {}
        refused = await station.call("Authorize", {"idTag": site.tag}, "same")
        assert refused[0] == 4
    assert (await house.admin.cdr(site.station))["total_energy"] == 0.9
    newest = [f for f in await house.admin.frames(site.station) if f["action"] == "StopTransaction"]
    assert newest[0]["deviations"] == ["message id used before"]


async def test_row_28_a_stop_of_two_megabytes_is_processed(house, partner):
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=50), 0)
    values = [
        {"timestamp": "2026-11-20T10:00:00Z", "sampledValue": [{"value": str(n), "unit": "Wh"}]}
        for n in range(26_000)
    ]
    stop = {
        "transactionId": number,
        "meterStop": 7000,
        "timestamp": ago().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "transactionData": values,
    }
    assert len(json.dumps(stop)) > 2 * 2**20
    async with wire(house, site.station) as station:
        assert await station.call("StopTransaction", stop) == {}
        assert await station.alive()
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    assert (await partner.cdr(session_id))["total_energy"] == 7


async def test_security_events_and_other_notices_are_acknowledged(house):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        await station.say(
            call.SecurityEventNotification("TamperDetectionActivated", "2026-11-20T10:00:00Z", "lid open")
        )
        await station.say(call.LogStatusNotification("Uploaded", request_id=4))
        await station.say(call.FirmwareStatusNotification("Installed"))
        await station.say(call.DiagnosticsStatusNotification("Uploaded"))
        assert (await station.say(call.DataTransfer("com.example"))).status == "UnknownVendorId"
    shown = await house.admin.get(f"stations/{site.station}")
    assert (shown["firmware_status"], shown["diagnostics_status"]) == ("Installed", "Uploaded")
    assert shown["boot"]["serial_number"] == "NL-0001"
