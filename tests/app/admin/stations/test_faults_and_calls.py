"""What was wrong with a station, what can be told to it, what was metered: as the console asks for it."""

import asyncio
import json

from app.domain.stations import Admission, SetUp, StatusReport
from app.domain.status import ConnectorStatus
from app.services.intake.intake import Call


async def say(house, line, error, status):
    payload = {"connectorId": 1, "errorCode": error, "status": status.value, "info": "<b>L1</b>"}
    report = StatusReport(evse=1, connector=1, status=status, error_code=error)
    frame = json.dumps([2, "m", "StatusNotification", payload]).encode()
    over = asyncio.Event()
    house.intake.take(
        Call(
            line=line,
            report=report,
            request=frame,
            message_id="m",
            action="StatusNotification",
            reply=lambda _answer: b'[3,"m",{}]',
            done=lambda *_: over.set(),
        )
    )
    await over.wait()
    house.clock.advance(60)


async def test_faults_have_a_beginning_and_an_end(api, house, site):
    line = await house.intake.connect("CP1", "1.6")
    await say(house, line, "GroundFailure", ConnectorStatus.FAULTED)
    await say(house, line, "NoError", ConnectorStatus.AVAILABLE)
    await say(house, line, "HighTemperature", ConnectorStatus.FAULTED)
    found = await api.get("/stations/CP1/faults")
    assert found.headers["x-total-count"] == "2"
    assert found.json()[1] == {
        "connector": 1,
        "status": "Faulted",
        "error_code": "GroundFailure",
        "vendor_error_code": None,
        "info": "<b>L1</b>",
        "from": "2026-11-20T12:00:00Z",
        "to": "2026-11-20T12:01:00Z",
    }
    assert (found.json()[0]["error_code"], found.json()[0]["to"]) == ("HighTemperature", None)
    assert (await api.get("/stations/NOBODY/faults")).status_code == 404


async def test_every_call_comes_with_its_schema(api, house):
    await house.intake.report("CP9", SetUp(state=Admission.ACCEPTED))
    found = (await api.get("/stations/CP9/ocpp")).json()
    assert found["Reset"]["properties"]["type"]["enum"] == ["Hard", "Soft"]
    assert "BootNotification" not in found
    assert (await api.get("/stations/NOBODY/ocpp")).status_code == 404


async def test_samples_of_a_transaction(api, house, site):
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line)
    (transaction,) = (await api.get("/transactions")).json()
    (sample,) = (await api.get(f"/transactions/{transaction['ref']}/samples")).json()
    assert (sample["at"], sample["register_wh"], sample["power_kw"]) == ("2026-11-20T12:30:00Z", 6000, None)
    assert (await api.get("/transactions/NONE/samples")).status_code == 404


async def test_stations_are_looked_for_and_a_sort_that_is_none_refused(api, site):
    assert [each["id"] for each in (await api.get("/stations", params={"search": "cp1"})).json()] == ["CP1"]
    assert (await api.get("/stations", params={"online": "true"})).json() == []
    refused = await api.get("/stations", params={"sort": "colour"})
    assert (refused.status_code, refused.json()["field"]) == (422, "sort")
    fleet = (await api.get("/statistics/fleet")).json()
    assert fleet == {
        "ocpp_url": "ws://127.0.0.1:9000/ocpp",
        "makes": [{"model": None, "firmware": None, "version": None, "stations": 1}],
    }
