"""An independent client, the charge point of the `ocpp` library, holds a whole conversation with the bridge."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ocpp.routing import on
from ocpp.v16 import ChargePoint, call, call_result

from app.domain.commands import OutcomeKind
from app.domain.stations import BootReport, StatusReport
from app.domain.transactions import TransactionEnded, TransactionMetered, TransactionStarted
from ocpp_bridge.gateway import LocalGateway

STAMP = "2026-11-20T10:00:00Z"


class Station(ChargePoint):  # type: ignore[misc]  # the library has no types
    """Answers remote starts."""

    @on("RemoteStartTransaction")  # type: ignore[untyped-decorator]
    def on_remote_start(self, id_tag: str, **_: Any) -> Any:
        return call_result.RemoteStartTransaction(status="Accepted" if id_tag == "GOOD" else "Rejected")


@asynccontextmanager
async def station(bridge: Any) -> AsyncIterator[Station]:
    async with bridge.station() as wire:
        point = Station("CS1", wire.socket)
        running = asyncio.create_task(point.start())
        try:
            yield point
        finally:
            running.cancel()


async def test_a_session_from_boot_to_stop(bridge: Any) -> None:
    async with station(bridge) as point:
        boot = await point.call(call.BootNotification("Model", "Vendor"), suppress=False)
        assert boot.status == "Accepted"
        await point.call(call.StatusNotification(1, "NoError", "Preparing", timestamp=STAMP), suppress=False)
        assert (await point.call(call.Authorize("TAG"), suppress=False)).id_tag_info["status"] == "Accepted"
        started = await point.call(call.StartTransaction(1, "TAG", 100, STAMP), suppress=False)
        meter = [{"timestamp": STAMP, "sampledValue": [{"value": "150"}]}]
        await point.call(call.MeterValues(1, meter, started.transaction_id), suppress=False)
        await point.call(
            call.StopTransaction(meter_stop=200, timestamp=STAMP, transaction_id=started.transaction_id),
            suppress=False,
        )
        assert (await point.call(call.Heartbeat(), suppress=False)).current_time.endswith("Z")
    kinds = [type(report) for report in bridge.intake.reports]
    assert kinds[0:2] == [BootReport, StatusReport]
    assert kinds[3:6] == [TransactionStarted, TransactionMetered, TransactionEnded]
    assert all(call.deviations == () for call in bridge.intake.calls)


async def test_calls_in_both_directions_at_once(bridge: Any) -> None:
    gateway = LocalGateway(bridge.context.live)

    async def start(number: int) -> Any:
        payload = {"idTag": "GOOD" if number % 2 else "BAD", "connectorId": 1}
        await gateway.check("CS1", "RemoteStartTransaction", payload)
        return await gateway.call(
            "CS1", "RemoteStartTransaction", payload, message_id=f"r{number}", timeout=5
        )

    async with station(bridge) as point:
        await point.call(call.Heartbeat(), suppress=False)
        beats = asyncio.gather(*(point.call(call.Heartbeat(), suppress=False) for _ in range(20)))
        outcomes = await asyncio.gather(*(start(number) for number in range(20)))
        assert all(beat.current_time for beat in await beats)
    assert {outcome.kind for outcome in outcomes} == {OutcomeKind.RESULT}
    assert [outcome.response["status"] for outcome in outcomes] == ["Rejected", "Accepted"] * 10
