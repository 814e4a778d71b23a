"""A plain central system of the `ocpp` library that stores nothing. Run: python -m bench.plain PORT [CORE].

Written as the library's own documentation teaches, with its validation and on the stock event loop; only its log
is set to WARNING.
"""

import asyncio
import contextlib
import itertools
import logging
import sys
from datetime import UTC, datetime
from typing import Any

import websockets
from ocpp.routing import on
from ocpp.v16 import ChargePoint, call_result
from ocpp.v16.datatypes import IdTagInfo
from ocpp.v16.enums import Action, AuthorizationStatus, RegistrationStatus

from bench import processes

_numbers = itertools.count(1)


class PlainStation(ChargePoint):
    """Answers what the load mix asks."""

    @on(Action.boot_notification)
    def on_boot(self, **_payload: Any) -> call_result.BootNotification:
        return call_result.BootNotification(
            current_time=_now(), interval=300, status=RegistrationStatus.accepted
        )

    @on(Action.heartbeat)
    def on_heartbeat(self) -> call_result.Heartbeat:
        return call_result.Heartbeat(current_time=_now())

    @on(Action.status_notification)
    def on_status(self, **_payload: Any) -> call_result.StatusNotification:
        return call_result.StatusNotification()

    @on(Action.meter_values)
    def on_meter_values(self, **_payload: Any) -> call_result.MeterValues:
        return call_result.MeterValues()

    @on(Action.start_transaction)
    def on_start(self, **_payload: Any) -> call_result.StartTransaction:
        accepted = IdTagInfo(status=AuthorizationStatus.accepted)
        return call_result.StartTransaction(transaction_id=next(_numbers), id_tag_info=accepted)

    @on(Action.stop_transaction)
    def on_stop(self, **_payload: Any) -> call_result.StopTransaction:
        return call_result.StopTransaction(id_tag_info=IdTagInfo(status=AuthorizationStatus.accepted))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


async def _connected(socket: Any) -> None:
    station = PlainStation(socket.request.path.rpartition("/")[2], socket)
    with contextlib.suppress(websockets.ConnectionClosed):
        await station.start()


async def _serve(port: int) -> None:
    server = await websockets.serve(_connected, "127.0.0.1", port, subprotocols=["ocpp1.6"])
    await server.serve_forever()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    processes.stay_on(int(sys.argv[2]) if len(sys.argv) > 2 else None)
    asyncio.run(_serve(int(sys.argv[1])))
