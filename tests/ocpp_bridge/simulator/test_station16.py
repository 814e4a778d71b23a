"""The simulated station in conversation with the bridge: all it says is valid, and it does as stations do."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_der_public_key

from app.domain.stations import AuthorizeReport, BootAnswer, BootReport, Heartbeat, StatusReport
from app.domain.tokens import Authorization, Verdict
from app.domain.transactions import StartAnswer, TransactionEnded, TransactionMetered, TransactionStarted
from ocpp_bridge.gateway import LocalGateway
from ocpp_bridge.simulator.client import CallFailed
from ocpp_bridge.simulator.fleet import Fleet
from ocpp_bridge.simulator.ocmf import Signer
from ocpp_bridge.simulator.offline import Queue, Transaction
from ocpp_bridge.simulator.scenario import (
    CCS_150,
    CHADEMO_50,
    PROFILES,
    TYPE2_11,
    TYPE2_22,
    Fault,
    StationPlan,
    Traffic,
    Visit,
)
from ocpp_bridge.simulator.station16 import Station16

FAST = {"MeterValueSampleInterval": "0", "TransactionMessageRetryInterval": "0", "HeartbeatInterval": "300"}
VISIT = Visit(id_tag="TAG", arrives_at=20, leaves_at=80, longest_seconds=0.1)


@asynccontextmanager
async def living(bridge: Any, **plan: Any) -> AsyncIterator[Station16]:
    settings = FAST | plan.pop("settings", {})
    defaults: dict[str, Any] = {"id": "SIM1", "connectors": (TYPE2_22, CCS_150), "settings": settings}
    station = Station16(StationPlan(**defaults | plan), bridge.url, reconnect=0.05)
    running = asyncio.create_task(station.run())
    try:
        await asyncio.wait_for(station.accepted.wait(), 30)
        yield station
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running


async def settled(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


def of_kind(bridge: Any, kind: type) -> list[Any]:
    return [report for report in bridge.intake.reports if isinstance(report, kind)]


async def ask(bridge: Any, action: str, payload: Any) -> Any:
    gateway = LocalGateway(bridge.context.live)
    await gateway.check("SIM1", action, payload)
    ask.number += 1  # type: ignore[attr-defined]
    outcome = await gateway.call("SIM1", action, payload, message_id=f"q{ask.number}", timeout=5)  # type: ignore[attr-defined]
    return outcome.response


ask.number = 0  # type: ignore[attr-defined]


async def test_a_visit_from_plug_to_unplug(bridge: Any) -> None:
    async with living(bridge, signed=True) as station:
        await station.connectors[1].visit(VISIT)
        await settled(lambda: not len(station.queue))
        await settled(lambda: of_kind(bridge, StatusReport)[-1].status == "Available")
    assert len(of_kind(bridge, BootReport)) == 1
    assert of_kind(bridge, AuthorizeReport) == [AuthorizeReport(id_tag="TAG")]
    states = [r.status.value for r in of_kind(bridge, StatusReport) if r.evse == 2]
    assert states == ["Available", "Preparing", "Charging", "Finishing", "Available"]
    [start], [stop] = of_kind(bridge, TransactionStarted), of_kind(bridge, TransactionEnded)
    assert (start.evse, start.id_tag) == (2, "TAG")
    assert stop.transaction_id == 4711
    assert stop.meter_stop > start.meter_start
    assert stop.reason == "Local"
    assert [sample.values[-1].signed for sample in stop.samples] == [True, True]
    metered = of_kind(bridge, TransactionMetered)
    assert metered
    assert {value.measurand for value in metered[0].samples[0].values} >= {
        "SoC",
        "Power.Active.Import",
        "Voltage",
    }
    assert all(call.deviations == () and call.outcome == "result" for call in bridge.intake.calls)


async def test_a_car_that_stays_on_when_it_is_full(bridge: Any) -> None:
    visit = Visit(id_tag="TAG", arrives_at=90, leaves_at=80, stays_seconds=0.1)
    async with living(bridge) as station:
        await station.connectors[0].visit(visit)
        await settled(lambda: of_kind(bridge, TransactionEnded))
    states = [r.status.value for r in of_kind(bridge, StatusReport) if r.evse == 1]
    assert states[2:5] == ["Charging", "SuspendedEV", "Finishing"]
    [stop] = of_kind(bridge, TransactionEnded)
    assert (stop.reason, stop.meter_stop) == (
        "EVDisconnected",
        of_kind(bridge, TransactionStarted)[0].meter_start,
    )


async def test_what_happens_offline_is_replayed_with_the_stations_own_times(bridge: Any) -> None:
    async with living(bridge) as station:
        await station.leave(0.5)
        await settled(lambda: not station.online)
        visited = await station.connectors[0].visit(VISIT)
        waiting = len(station.queue)
        assert waiting >= 2
        assert of_kind(bridge, TransactionStarted) == []
        await settled(lambda: of_kind(bridge, TransactionEnded))
        assert visited is not None
        assert visited.number == 4711
    [start], [stop] = of_kind(bridge, TransactionStarted), of_kind(bridge, TransactionEnded)
    assert stop.transaction_id == 4711
    assert start.at < stop.at
    assert len(of_kind(bridge, BootReport)) == 1


async def test_a_lost_connection_costs_a_message_no_attempt(bridge: Any) -> None:
    async with living(bridge, settings={"TransactionMessageAttempts": "2"}) as station:
        answer = bridge.intake.answer

        def broken(report: Any) -> Any:
            if isinstance(report, TransactionEnded):
                raise ZeroDivisionError
            return answer(report)

        bridge.intake.answer = broken
        await station.connectors[0].visit(VISIT)
        # Our socket closes unanswered each time, which costs the station no attempt.
        await settled(lambda: len(of_kind(bridge, TransactionEnded)) >= 2)
        assert station.queue.discarded == []
        bridge.intake.answer = answer
        await settled(lambda: not len(station.queue))


async def test_a_message_answered_with_errors_is_given_up_after_its_attempts() -> None:
    queue = Queue(lambda: 3, lambda: 0.0)
    start, stop = Transaction(1, "TAG"), Transaction(2, "TAG")
    queue.put("StartTransaction", {"idTag": "TAG"}, start)
    queue.put("MeterValues", {"connectorId": 1}, start)
    queue.put("StartTransaction", {"idTag": "TAG"}, stop)
    sent: list[Any] = []

    async def send(action: str, payload: Any) -> Any:
        sent.append((action, payload.get("transactionId")))
        if len(sent) <= 3:
            raise CallFailed("InternalError")
        return {"transactionId": 5, "idTagInfo": {"status": "Accepted"}}

    working = asyncio.create_task(queue.work(send))
    await settled(lambda: not len(queue))
    working.cancel()
    assert sent == [("StartTransaction", None)] * 3 + [("MeterValues", -1), ("StartTransaction", None)]
    assert [message.action for message in queue.discarded] == ["StartTransaction"]
    assert (start.number, stop.number) == (None, 5)


async def test_a_refused_tag_does_not_charge_and_a_refused_start_ends_at_once(bridge: Any) -> None:
    refusal = Authorization(verdict=Verdict.INVALID)
    bridge.intake.answer = _first(
        {AuthorizeReport: refusal, TransactionStarted: StartAnswer(transaction_id=9, authorization=refusal)},
        bridge.intake.answer,
    )
    async with living(bridge) as station:
        assert await station.connectors[0].visit(VISIT) is None
        long = Visit(id_tag="TAG", longest_seconds=60)
        await asyncio.wait_for(station.connectors[0].visit(long, remote=True), 30)
        await settled(lambda: of_kind(bridge, TransactionEnded))
    [stop] = of_kind(bridge, TransactionEnded)
    assert (stop.transaction_id, stop.reason) == (9, "DeAuthorized")


def _first(answers: dict[type, Any], otherwise: Any) -> Any:
    return lambda report: answers.get(type(report)) or otherwise(report)


async def test_remote_start_and_stop(bridge: Any) -> None:
    async with living(bridge) as station:
        assert await ask(bridge, "RemoteStartTransaction", {"idTag": "R", "connectorId": 2}) == {
            "status": "Accepted"
        }
        await settled(lambda: of_kind(bridge, TransactionMetered))
        assert await ask(bridge, "RemoteStartTransaction", {"idTag": "R", "connectorId": 2}) == {
            "status": "Rejected"
        }
        assert await ask(bridge, "RemoteStopTransaction", {"transactionId": 5}) == {"status": "Rejected"}
        assert await ask(bridge, "RemoteStopTransaction", {"transactionId": 4711}) == {"status": "Accepted"}
        await settled(lambda: of_kind(bridge, TransactionEnded))
        await settled(lambda: not station.connectors[1].busy)
    assert of_kind(bridge, TransactionEnded)[0].reason == "Remote"


async def test_other_calls_are_answered_by_the_book(bridge: Any) -> None:
    async with living(bridge) as station:
        assert await ask(bridge, "ChangeConfiguration", {"key": "HeartbeatInterval", "value": "60"}) == {
            "status": "Accepted"
        }
        for key, value, status in (
            ("HeartbeatInterval", "soon", "Rejected"),
            ("NumberOfConnectors", "3", "Rejected"),
            ("Nonsense", "1", "NotSupported"),
        ):
            assert await ask(bridge, "ChangeConfiguration", {"key": key, "value": value}) == {
                "status": status
            }
        got = await ask(bridge, "GetConfiguration", {"key": ["HeartbeatInterval", "Nonsense"]})
        assert got == {
            "configurationKey": [{"key": "HeartbeatInterval", "value": "60", "readonly": False}],
            "unknownKey": ["Nonsense"],
        }
        assert len((await ask(bridge, "GetConfiguration", {}))["configurationKey"]) > 10
        assert await ask(bridge, "GetLocalListVersion", {}) == {"listVersion": 0}
        await ask(bridge, "SendLocalList", {"listVersion": 4, "updateType": "Full"})
        assert await ask(bridge, "GetLocalListVersion", {}) == {"listVersion": 4}
        assert await ask(bridge, "UnlockConnector", {"connectorId": 1}) == {"status": "Unlocked"}
        assert await ask(bridge, "UnlockConnector", {"connectorId": 9}) == {"status": "NotSupported"}
        assert await ask(bridge, "ChangeAvailability", {"connectorId": 1, "type": "Inoperative"}) == {
            "status": "Accepted"
        }
        await settled(lambda: of_kind(bridge, StatusReport)[-1].status == "Unavailable")
        assert await ask(bridge, "TriggerMessage", {"requestedMessage": "Heartbeat"}) == {
            "status": "Accepted"
        }
        await settled(lambda: of_kind(bridge, Heartbeat))
        assert (await ask(bridge, "ClearCache", {}))["status"] == "Accepted"
        assert (await ask(bridge, "GetDiagnostics", {"location": "ftp://x"}))["code"] == "NotImplemented"
        period = {"chargingRateUnit": "W", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 4000.0}]}
        profile = {
            "chargingProfileId": 1, "stackLevel": 0, "chargingProfilePurpose": "TxDefaultProfile",
            "chargingProfileKind": "Absolute", "chargingSchedule": period,
        }  # fmt: skip
        await ask(bridge, "SetChargingProfile", {"connectorId": 1, "csChargingProfiles": profile})
        assert station.connectors[0].meter.limit_kw == 4.0
        await ask(bridge, "ClearChargingProfile", {})
        assert station.connectors[0].meter.limit_kw == TYPE2_22.max_kw


async def test_a_reset_ends_the_transaction_and_boots_again(bridge: Any) -> None:
    async with living(bridge) as station:
        visiting = asyncio.create_task(station.connectors[0].visit(Visit(id_tag="TAG", longest_seconds=60)))
        await settled(lambda: of_kind(bridge, TransactionMetered))
        assert await ask(bridge, "Reset", {"type": "Hard"}) == {"status": "Accepted"}
        await settled(lambda: len(of_kind(bridge, BootReport)) == 2)
        await asyncio.wait_for(visiting, 30)
        await settled(lambda: of_kind(bridge, TransactionEnded))
    assert of_kind(bridge, TransactionEnded)[0].reason == "HardReset"


async def test_a_new_password_is_used_from_the_next_connection_on(bridge: Any) -> None:
    async with living(bridge, password="old") as station:
        assert bridge.stations.seen[-1] == ("SIM1", b"old")
        await ask(bridge, "ChangeConfiguration", {"key": "AuthorizationKey", "value": "ab" * 20})
        await station.leave(0)
        await settled(lambda: len(bridge.stations.seen) > 1)
        assert bridge.stations.seen[-1] == ("SIM1", b"ab" * 20)


async def test_a_fault_comes_and_goes(bridge: Any) -> None:
    async with living(bridge) as station:
        fault = Fault(error_code="OtherError", vendor_error_code="PowerLimitExceeded", seconds=0.05)
        await station.connectors[0].fail(fault)
    last = of_kind(bridge, StatusReport)[-2:]
    assert [(r.status.value, r.error_code) for r in last] == [
        ("Faulted", "OtherError"),
        ("Available", "NoError"),
    ]
    assert last[0].vendor_error_code == "PowerLimitExceeded"


async def test_a_warning_leaves_the_car_charging(bridge: Any) -> None:
    async with living(bridge) as station:
        charging = asyncio.create_task(station.connectors[1].visit(Visit(id_tag="TAG")))
        await settled(lambda: of_kind(bridge, TransactionMetered))
        fault = Fault(
            error_code="OtherError", status=None, vendor_error_code="PowerLimitExceeded", seconds=0.05
        )
        await station.connectors[1].fail(fault)
        assert station.connectors[1].meter.power_kw > 0
        assert station.connectors[1].stop("Local")
        await charging
        await settled(lambda: of_kind(bridge, TransactionEnded))
    reports = [(r.status.value, r.error_code) for r in of_kind(bridge, StatusReport) if r.evse == 2]
    warned = reports.index(("Charging", "OtherError"))
    assert reports[warned + 1] == ("Charging", "NoError")


async def test_nobody_plugs_in_while_a_connector_is_out_of_order(bridge: Any) -> None:
    async with living(bridge) as station:
        failing = asyncio.create_task(station.connectors[0].fail(Fault(seconds=0.2)))
        await settled(lambda: station.connectors[0].status == "Faulted")
        start = {"idTag": "R", "connectorId": 1}
        assert await ask(bridge, "RemoteStartTransaction", start) == {"status": "Rejected"}
        assert await ask(bridge, "ReserveNow", reservation(connectorId=1)) == {"status": "Faulted"}
        await failing


def reservation(*, seconds: float = 60, **more: Any) -> dict[str, Any]:
    expiry = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "connectorId": 2,
        "idTag": "R",
        "reservationId": 5,
        "expiryDate": expiry.isoformat().replace("+00:00", "Z"),
    } | more


async def test_a_reserved_connector_waits_for_its_driver(bridge: Any) -> None:
    async with living(bridge) as station:
        connector = station.connectors[1]
        assert await ask(bridge, "ReserveNow", reservation(connectorId=0)) == {"status": "Rejected"}
        assert await ask(bridge, "ReserveNow", reservation()) == {"status": "Accepted"}
        await settled(lambda: connector.status == "Reserved")
        assert await ask(bridge, "ReserveNow", reservation(reservationId=6)) == {"status": "Occupied"}
        other, mine = ({"idTag": tag, "connectorId": 2} for tag in ("OTHER", "R"))
        assert await ask(bridge, "RemoteStartTransaction", other) == {"status": "Rejected"}
        assert await ask(bridge, "RemoteStartTransaction", mine) == {"status": "Accepted"}
        await settled(lambda: of_kind(bridge, TransactionStarted))
        assert connector.stop("Local")
        await settled(lambda: connector.status == "Available")
    assert of_kind(bridge, TransactionStarted)[0].reservation_id == 5


async def test_a_reservation_is_cancelled_or_runs_out(bridge: Any) -> None:
    async with living(bridge) as station:
        connector = station.connectors[1]
        cancel = {"reservationId": 5}
        assert await ask(bridge, "CancelReservation", cancel) == {"status": "Rejected"}
        for seconds, cancelled in ((60.0, True), (0.2, False)):
            assert await ask(bridge, "ReserveNow", reservation(seconds=seconds)) == {"status": "Accepted"}
            await settled(lambda: connector.status == "Reserved")
            if cancelled:
                assert await ask(bridge, "CancelReservation", cancel) == {"status": "Accepted"}
            await settled(lambda: connector.status == "Available")
            assert connector.free_for("ANYBODY")


async def test_a_station_that_was_told_to_wait_comes_in_when_it_is_asked_to_boot_again(bridge: Any) -> None:
    answer = bridge.intake.answer
    bridge.intake.answer = _first(
        {BootReport: BootAnswer(status="Pending", now=datetime.now(UTC), interval=300)}, answer
    )
    station = Station16(StationPlan(id="SIM1", connectors=(TYPE2_22,), settings=FAST), bridge.url)
    running = asyncio.create_task(station.run())
    await settled(lambda: of_kind(bridge, BootReport))
    bridge.intake.answer = answer
    asked = {"requestedMessage": "BootNotification"}
    assert await ask(bridge, "TriggerMessage", asked) == {"status": "Accepted"}
    await asyncio.wait_for(station.accepted.wait(), 30)
    await settled(lambda: of_kind(bridge, StatusReport))
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_fleet_is_busy_on_all_its_stations(bridge: Any) -> None:
    traffic = Traffic(
        id_tags=("A", "B"), free_seconds=(0, 0.05), charge_seconds=(0.05, 0.1), stay_seconds=(0, 0.05), fault_chance=0
    )  # fmt: skip
    plans = [
        (StationPlan(id=f"F{n}", connectors=(TYPE2_11, CHADEMO_50), settings=FAST), traffic) for n in range(3)
    ]
    fleet = Fleet(plans, bridge.url, reconnect=0.05)
    fleet.start()
    await settled(lambda: len(of_kind(bridge, TransactionEnded)) >= 6)
    await fleet.stop(seconds=20)
    # Whoever was charging then was stopped, and the server heard of it.
    assert len(of_kind(bridge, TransactionEnded)) == len(of_kind(bridge, TransactionStarted))
    assert {line.station_id for line in bridge.intake.lines} == {"F0", "F1", "F2"}
    assert all(call.deviations == () and call.outcome == "result" for call in bridge.intake.calls)
    await settled(lambda: len(bridge.context.live) == 0)


@pytest.mark.parametrize("profile", PROFILES, ids=[profile.name for profile in PROFILES])
def test_power_follows_the_curve_and_never_exceeds_the_connector(profile: Any) -> None:
    powers = [profile.power_kw(soc / 2) for soc in range(201)]
    assert all(0 < power <= profile.max_kw for power in powers)
    assert max(powers) > 0.85 * profile.max_kw
    assert powers[-1] < 0.2 * profile.max_kw


def test_a_signed_reading_can_be_verified_with_the_public_key() -> None:
    signer = Signer("M1")
    document = signer.reading("Transaction.Begin", "2026-11-20T10:00:00.000Z", 12.3456, "TAG")
    head, payload, signature = document.split("|")
    key = load_der_public_key(bytes.fromhex(signer.public_key))
    assert head == "OCMF"
    assert isinstance(key, ec.EllipticCurvePublicKey)
    key.verify(bytes.fromhex(json.loads(signature)["SD"]), payload.encode(), ec.ECDSA(hashes.SHA256()))
    assert json.loads(payload)["RD"][0]["RV"] == 12.346
