"""The timeline of a session: frames of its station, decisions, pauses, requests to partners, records."""

import json
from datetime import timedelta
from typing import Any

import httpx

from app.domain.events import Mark
from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus
from app.outbox import enqueue
from app.store import frames, messages
from app.store.frames import Frame
from app.store.messages import Message


def frame(at: Any, action: str, asked: dict[str, Any], answered: dict[str, Any], **more: Any) -> Frame:
    name = f"m-{action}-{at.isoformat()}"
    return Frame(
        "CP1",
        at,
        more.get("direction", "in"),
        name,
        action,
        json.dumps([2, name, action, asked]).encode(),
        json.dumps([3, name, answered]).encode(),
        at,
        "result",
    )


async def charged(api: httpx.AsyncClient, house: Any, **more: Any) -> dict[str, Any]:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, **more)
    transaction: dict[str, Any] = (await api.get("/transactions?station=CP1")).json()[0]
    return transaction


async def entries(api: httpx.AsyncClient, session: str) -> list[dict[str, Any]]:
    answer = await api.get(f"/sessions/{session}/timeline")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    assert answer.headers["x-total-count"] == str(len(found))
    assert [each["at"] for each in found] == sorted(each["at"] for each in found)
    return found


async def test_what_the_station_said_of_it_and_nothing_else(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    began = house.clock.now()
    transaction = await charged(api, house)
    number, card = transaction["ocpp_transaction_id"], {"idTag": "CARD1"}
    accepted = {"idTagInfo": {"status": "Accepted"}}
    minute = timedelta(minutes=1)

    def status(connector: int, word: str, error: str = "NoError") -> dict[str, Any]:
        return {"connectorId": connector, "status": word, "errorCode": error, "info": "hot"}

    kept = [
        frame(began - 2 * minute, "StatusNotification", status(1, "Preparing"), {}),
        frame(began - 2 * minute, "StatusNotification", status(2, "Preparing"), {}),
        frame(began - minute, "Authorize", card, accepted),
        frame(began - minute, "Authorize", {"idTag": "OTHER"}, accepted),
        frame(began - minute, "RemoteStartTransaction", card, {"status": "Accepted"}, direction="out"),
        frame(
            began, "StartTransaction", card | {"connectorId": 1, "meterStart": 1000}, {"transactionId": number} | accepted
        ),
        frame(began, "StartTransaction", card | {"connectorId": 1, "meterStart": 1}, {"transactionId": 4} | accepted),
        *(frame(began + n * minute, "MeterValues", {"connectorId": 1, "transactionId": number}, {}) for n in (1, 2, 3)),
        frame(began + 4 * minute, "StatusNotification", status(1, "Faulted", "GroundFailure"), {}),
        frame(began + 5 * minute, "Heartbeat", {}, {}),
        Frame("CP1", began + 5 * minute, "in", "odd", "MeterValues", b"not JSON"),
        frame(began + 6 * minute, "RemoteStopTransaction", {"transactionId": number}, {"status": "Rejected"}, direction="out"),
        frame(began + 7 * minute, "StopTransaction", {"transactionId": number, "meterStop": 11000, "reason": "EVDisconnected"}, {}),
    ]  # fmt: skip
    async with house.store.unit_of_work(house.clock) as unit:
        for each in kept:
            await frames.add(unit.session, each)
    found = [each for each in await entries(api, transaction["session_id"]) if each["kind"] == "station"]
    assert [each["words"] for each in found] == [
        "Connector 1 Preparing",
        "Card CARD1 shown: Accepted",
        "Asked to start with card CARD1: Accepted",
        f"Transaction {number} started with card CARD1, meter at 1000 Wh: Accepted",
        "3 messages of meter values",
        "Connector 1 Faulted (GroundFailure: hot)",
        "Asked to stop: Rejected",
        f"Transaction {number} stopped, meter at 11000 Wh: EVDisconnected",
    ]
    assert json.loads(found[0]["asked"])[2] == "StatusNotification"
    assert (found[4]["count"], found[4]["until"] > found[4]["at"]) == (3, True)


async def test_decision_pushes_with_answers_and_the_record(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    began = house.clock.now()
    transaction = await charged(api, house)
    session, cdr = transaction["session_id"], transaction["cdr_id"]

    def sent(minutes: int, method: str, subject: str, **more: Any) -> Message:
        values = {"http_status": 200, "ocpi_status": 1000, "duration_ms": 35} | more
        return Message(
            began + timedelta(minutes=minutes), "emp", "out", method, "https://emp.example/x", "r", f"c{minutes}",
            request='{"token":"hush"}', subject=subject, **values,
        )  # fmt: skip

    told = [
        sent(0, "PUT", f"session/{session}"),
        sent(1, "PUT", "session/another"),
        sent(61, "POST", f"cdr/{cdr}", ocpi_status=2001),
        sent(62, "POST", f"cdr/{cdr}", http_status=None, ocpi_status=None),
        sent(0, "POST", "authorize/CARD1", duration_ms=120),
    ]
    async with house.store.unit_of_work(house.clock) as unit:
        await messages.add(unit.session, told)
    found = await entries(api, session)
    partner = [
        (each["words"], each["ok"], each["correlation_id"]) for each in found if each["kind"] == "partner"
    ]
    assert partner == [
        ("PUT of the session to emp: 200/1000 in 35 ms", True, "c0"),
        ("POST of the record to emp: 200/2001 in 35 ms", False, "c61"),
        ("POST of the record to emp: no answer in 35 ms", False, "c62"),
    ]
    decided = [each["words"] for each in found if each["kind"] == "decision"]
    assert "Asked emp whether the card may charge: 200/1000 in 120 ms" in decided
    assert any(words.startswith("Authorised by ") for words in decided)
    assert [each["words"] for each in found if each["kind"] == "record"] == [f"Record {cdr} issued"]
    assert "hush" not in json.dumps(found)
    by_subject = (await api.get(f"/messages?subject=cdr/{cdr}")).json()
    assert {each["subject"] for each in by_subject} == {f"cdr/{cdr}"}
    assert len(by_subject) == 2


async def test_pauses_and_held_records(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, stop=False)
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.SUSPENDED_EV))
    (transaction,) = (await api.get("/transactions?active=true")).json()
    found = await entries(api, transaction["session_id"])
    assert [(each["words"], each["ok"]) for each in found if each["kind"] == "interruption"] == [
        ("Interrupted: SuspendedEV", False)
    ]
    assert [each for each in found if each["kind"] == "record"] == []


async def test_a_driver_who_was_not_let_in_and_a_discarded_record(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    transaction = await charged(api, house, tag="STRANGER")
    held = (await api.get(f"/cdrs?session={transaction['session_id']}")).json()[0]
    assert (held["state"], held["reason"]) == ("held", "token_invalid")
    await api.post(f"/cdrs/{held['id']}/discard", json={"reason": "a test"})
    found = await entries(api, transaction["session_id"])
    assert [each["words"] for each in found if each["kind"] in ("decision", "record")] == [
        "Not let in: card STRANGER",
        f"Record {held['id']} held: token_invalid",
        f"Record {held['id']} discarded: a test",
    ]


async def test_no_such_session(api: httpx.AsyncClient, house: Any) -> None:
    assert (await api.get("/sessions/nothing/timeline")).status_code == 404


async def test_sessions_by_station_partner_and_time(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    began = house.clock.now()
    transaction = await charged(api, house)
    (session,) = (await api.get("/sessions?station=CP1")).json()
    assert (session["transaction"], session["station"]) == (transaction["ref"], "CP1")
    owner = f"{session['cdr_token']['country_code']}-{session['cdr_token']['party_id']}"
    for query, count in (
        (f"partner={owner}", 1), ("partner=XX-YYY", 0), ("station=CP9", 0), ("status=COMPLETED&station=CP1", 1),
        (f"from={(began - timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}", 1),
        (f"to={(began - timedelta(days=1)).strftime('%Y-%m-%dT%H:%M:%SZ')}", 0),
    ):  # fmt: skip
        assert len((await api.get(f"/sessions?{query}")).json()) == count, query


async def test_deliveries_of_one_object(api: httpx.AsyncClient, house: Any) -> None:
    partners = [(await api.post("/partners", json={"name": name})).json()["id"] for name in ("One", "Two")]
    async with house.store.unit_of_work(house.clock) as unit:
        for partner, object_id in ((partners[0], "S1"), (partners[1], "S1"), (partners[0], "S2")):
            mark = Mark(
                partner_id=partner, kind="session", object_id=object_id, rank=3, whole=True, wanted=unit.now()
            )
            await enqueue.mark(unit.session, [mark], unit.now())
    found = (await api.get("/deliveries?object=session/S1")).json()
    assert {(each["partner"], each["object"]) for each in found} == {
        (each, "session/S1") for each in partners
    }
    assert [
        each["partner"]
        for each in (await api.get(f"/deliveries?object=session/S2&partner={partners[0]}")).json()
    ]
    assert (await api.get("/deliveries?object=nothing")).status_code == 422
