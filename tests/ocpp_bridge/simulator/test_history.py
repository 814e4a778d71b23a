"""What simulated stations bring back from an earlier time, and what they remember over a power cut."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.stations import StatusReport
from app.domain.transactions import TransactionEnded, TransactionMetered, TransactionStarted
from ocpp_bridge.simulator import flash
from ocpp_bridge.simulator.history import History, finish, record
from ocpp_bridge.simulator.meter import Meter
from ocpp_bridge.simulator.ocmf import Signer
from ocpp_bridge.simulator.offline import Pace, Queue
from ocpp_bridge.simulator.scenario import CCS_150, TYPE2_22, PastVisit, Visit

BEGAN = datetime(2026, 11, 10, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
# 22 kW into 52 kWh: 26 kWh take 71 minutes.
HALF = Visit(id_tag="TAG", arrives_at=30, leaves_at=80, longest_seconds=1e6, stays_seconds=1200)


def stamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def meter(profile: Any = TYPE2_22, signer: Signer | None = None) -> Meter:
    return Meter(profile, 1000.0, signer)


def past(connector: int = 1, began: datetime = BEGAN, **more: Any) -> PastVisit:
    return PastVisit(connector=connector, began=began, visit=HALF, **more)


def test_a_past_visit_has_the_times_and_the_energy_of_then() -> None:
    counter = meter()
    recording = record(counter, past(), stamp)
    at, stop = finish(counter, recording, HALF, stamp)
    assert [message.action for _, message in recording.messages] == [
        "StartTransaction", *["MeterValues"] * 4, "StatusNotification",
    ]  # fmt: skip
    start, suspended = recording.messages[0][1].payload, recording.messages[-1][1]
    assert (start["timestamp"], start["meterStart"]) == ("2026-11-10T08:00:00Z", 1000)
    assert suspended.payload["timestamp"] == "2026-11-10T09:11:00Z"
    assert suspended.transaction is None
    assert at == BEGAN + 91 * MINUTE
    assert stop.payload["timestamp"] == "2026-11-10T09:31:00Z"
    assert 25_900 <= stop.payload["meterStop"] - 1000 <= 26_400
    assert stop.payload["reason"] == "EVDisconnected"


def test_a_recording_stops_where_the_present_begins() -> None:
    recording = record(meter(), past(), stamp, until=BEGAN + timedelta(minutes=10, seconds=30), every=1)
    assert (recording.at, recording.full) == (BEGAN + 10 * MINUTE, False)
    assert [message.action for _, message in recording.messages] == [
        "StartTransaction",
        *["MeterValues"] * 10,
    ]


def test_a_changed_meter_counts_from_zero() -> None:
    counter = meter()
    recording = record(counter, past(meter_changed=True), stamp)
    registers = [
        int(message.payload["meterValue"][0]["sampledValue"][0]["value"])
        for _, message in recording.messages
        if message.action == "MeterValues"
    ]
    # 22 kW: 5500 Wh before the first sample; the new meter runs since minute 20.
    assert registers[0] == pytest.approx(6500, abs=2)
    assert registers[1] == pytest.approx(22_000 * 10 / 60, abs=2)
    assert finish(counter, recording, HALF, stamp)[1].payload["meterStop"] < 20_000


def test_a_history_is_in_the_order_of_its_times_and_goes_on_where_it_was() -> None:
    visits = [past(), past(2, BEGAN + 5 * MINUTE)]
    history = History([meter(), meter(CCS_150)], visits, stamp)
    queue = Queue(lambda: 3, lambda: 0.0)
    history.fill(queue)
    messages = list(queue)
    times = [message.payload.get("timestamp") for message in messages if message.action != "MeterValues"]
    assert times == sorted(times)
    assert queue.past == len(history) == len(messages)
    assert history.progress(queue) == (0, {})


async def test_what_was_acknowledged_of_a_history_is_not_told_again() -> None:
    queue, sent = Queue(lambda: 3, lambda: 0.0), []

    async def send(action: str, payload: Any) -> Any:
        sent.append((action, payload.get("transactionId")))
        if len(sent) == 3:
            await asyncio.Event().wait()
        return {"transactionId": 7, "idTagInfo": {"status": "Accepted"}}

    history = History([meter()], [past()], stamp)
    history.fill(queue)
    working = asyncio.create_task(queue.work(send))
    async with asyncio.timeout(30):
        while len(sent) < 3:
            await asyncio.sleep(0)
    working.cancel()
    told, numbers = history.progress(queue)
    assert (told, numbers) == (2, {"0": 7})
    again, rest = Queue(lambda: 3, lambda: 0.0), History([meter()], [past()], stamp)
    rest.fill(again, told, numbers)
    assert again.past == len(rest) - 2
    sent.clear()
    sent += [("", 0)] * 3
    working = asyncio.create_task(again.work(send))
    async with asyncio.timeout(30):
        await again.empty.wait()
    working.cancel()
    assert sent[3] == ("MeterValues", 7)
    assert sent[-1] == ("StopTransaction", 7)
    assert rest.progress(again) == (len(rest), {})


async def test_a_pace_is_shared() -> None:
    pace, loop = Pace(100), asyncio.get_running_loop()
    began = loop.time()
    await asyncio.gather(*(pace.turn() for _ in range(11)))
    assert 0.09 <= loop.time() - began < 2


async def test_a_car_that_is_there_already_is_told_with_its_times(
    bridge: Any, make_station: Any, switched_on: Any, settled: Any, of_kind: Any
) -> None:
    station = make_station()
    began = station.now() - 10 * MINUTE
    charging = asyncio.create_task(station.connectors[0].carry_on(Visit(id_tag="TAG"), began))
    async with switched_on(station):
        await settled(lambda: len(of_kind(TransactionMetered)) > 10)
        assert station.connectors[0].stop("Local")
        await asyncio.wait_for(charging, 30)
        await settled(lambda: of_kind(TransactionEnded))
    [start] = of_kind(TransactionStarted)
    assert abs(start.at - began) < timedelta(seconds=1)
    minutes = [report.samples[0].at - began for report in of_kind(TransactionMetered)[:9]]
    assert [round(each / MINUTE) for each in minutes] == list(range(1, 10))
    [stop] = of_kind(TransactionEnded)
    # 22 kW for ten minutes.
    assert 3500 <= stop.meter_stop - start.meter_start <= 4000
    assert all(call.deviations == () and call.outcome == "result" for call in bridge.intake.calls)


async def test_a_full_car_that_is_there_already_is_suspended_since_then(
    make_station: Any, switched_on: Any, settled: Any, of_kind: Any
) -> None:
    station = make_station()
    began = station.now() - 30 * MINUTE
    visit = Visit(id_tag="TAG", arrives_at=78, leaves_at=80, longest_seconds=1e6, stays_seconds=60)
    charging = asyncio.create_task(station.connectors[0].carry_on(visit, began))
    async with switched_on(station):
        await settled(lambda: [each for each in of_kind(StatusReport) if each.status == "SuspendedEV"])
        assert station.connectors[0].stop("Local")
        await asyncio.wait_for(charging, 30)
        await settled(lambda: of_kind(TransactionEnded))
    earliest = min(each.at for each in of_kind(StatusReport) if each.status == "SuspendedEV")
    assert earliest - began < 5 * MINUTE


@pytest.mark.parametrize("numbered", [True, False], ids=["the start was answered", "the start was not"])
async def test_after_a_power_cut_the_transaction_ends_when_the_power_did(
    make_station: Any, switched_on: Any, settled: Any, of_kind: Any, numbered: bool
) -> None:
    before, kept = make_station(signed=True), []
    before.queue.on_change = lambda: kept.append(flash.dump(before))
    charging = asyncio.create_task(before.connectors[0].visit(Visit(id_tag="TAG")))
    if numbered:
        async with switched_on(before):
            await settled(
                lambda: before.connectors[0].transaction and before.connectors[0].transaction.number
            )
            await settled(lambda: not len(before.queue))
    else:
        await settled(lambda: before.connectors[0].transaction)
    last = flash.dump(before)
    charging.cancel()
    # What a station says is kept before it is said.
    assert next(each["waiting"][-1][0] for each in kept if each["waiting"]) == "StartTransaction"
    after = make_station(signed=True, meter_key=tuple(last["meter_key"]))
    assert after.signer.dump() == tuple(last["meter_key"])
    flash.load(after, last)
    assert after.connectors[0].meter.register_wh == last["connectors"][0]["register_wh"]
    async with switched_on(after):
        await settled(lambda: of_kind(TransactionEnded))
        await settled(lambda: not len(after.queue))
    assert len(of_kind(TransactionStarted)) == 1
    [stop] = of_kind(TransactionEnded)
    assert (stop.transaction_id, stop.reason) == (4711, "PowerLoss")
    assert stop.at == datetime.fromisoformat(last["at"])
