"""One connector of a simulated station: a car comes, is charged, and leaves; faults; what it tells the server."""

import asyncio
import contextlib
from typing import Any, Protocol

from ocpp_bridge.simulator.meter import Meter
from ocpp_bridge.simulator.offline import Queue, Transaction
from ocpp_bridge.simulator.scenario import Fault, Visit


class Home(Protocol):
    """What a connector needs of its station."""

    queue: Queue

    def stamp(self) -> str:
        """The station's time, as it writes it."""
        ...

    def setting(self, key: str) -> str:
        """A configuration key's value."""
        ...

    async def authorize(self, id_tag: str) -> bool:
        """Whether this id tag may charge; offline by the station's own rules."""
        ...

    async def tell(self, action: str, payload: dict[str, Any]) -> None:
        """Say something that is not worth keeping when there is no connection."""
        ...


class Connector:
    """A socket or a cable, numbered from 1."""

    def __init__(self, home: Home, number: int, meter: Meter) -> None:
        self.number = number
        self.meter = meter
        self.status = "Available"
        self.transaction: Transaction | None = None
        self._home = home
        self._stop_reason: str | None = None
        self._ended = asyncio.Event()
        self._busy = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether a car is there, or a fault."""
        return self._busy.locked()

    def stop(self, reason: str) -> bool:
        """End the transaction under way, for a reason of OCPP 1.6, 7.36; False if there is none."""
        if self.transaction is None or self._stop_reason is not None:
            return False
        self._stop_reason = reason
        self._ended.set()
        return True

    async def report(self, status: str, **more: Any) -> None:
        """The connector's status changed, or is asked for."""
        self.status = status
        payload = {"connectorId": self.number, "errorCode": "NoError", "status": status}
        await self._home.tell("StatusNotification", payload | {"timestamp": self._home.stamp()} | more)

    async def visit(self, visit: Visit, *, remote: bool = False) -> Transaction | None:
        """A car from plug to unplug. None if it was not allowed to charge."""
        async with self._busy:
            await self.report("Preparing")
            self.meter.arrive(visit.arrives_at)
            asked = not remote or self._home.setting("AuthorizeRemoteTxRequests") == "true"
            if asked and not await self._home.authorize(visit.id_tag):
                await self.report("Available")
                return None
            transaction = self._start(visit.id_tag)
            begun = self._boundary("Transaction.Begin")
            await self.report("Charging")
            try:
                await self._charge(visit)
            finally:
                self._finish(begun, visit.id_tag)
            await self.report("Finishing")
            await self.report("Available")
            return transaction

    async def fail(self, fault: Fault) -> None:
        """Out of order for a while; a transaction under way goes on afterwards only if it was one."""
        before = self.status
        more = {"info": fault.info, "vendorErrorCode": fault.vendor_error_code}
        given = {key: value for key, value in more.items() if value is not None}
        self.meter.rest()
        await self.report("Faulted", errorCode=fault.error_code, **given)
        await asyncio.sleep(fault.seconds)
        await self.report(before)

    def _start(self, id_tag: str) -> Transaction:
        self._stop_reason = None
        self._ended.clear()
        self.transaction = Transaction(self.number, id_tag)
        start = {
            "connectorId": self.number, "idTag": id_tag, "meterStart": self.meter.register(),
            "timestamp": self._home.stamp(),
        }  # fmt: skip
        self._home.queue.put("StartTransaction", start, self.transaction)
        return self.transaction

    async def _charge(self, visit: Visit) -> None:
        """Charge until full, stopped, refused or out of time; then the car may stay on without taking energy."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        while self.meter.soc < visit.leaves_at and loop.time() - began < visit.longest_seconds:
            left = visit.longest_seconds - (loop.time() - began)
            if await self._pause(min(self._interval(), max(left, 0.01)), flowing=self.status != "Faulted"):
                return
        if visit.stays_seconds > 0:
            self.meter.rest()
            await self.report("SuspendedEV")
            until = loop.time() + visit.stays_seconds
            while (left := until - loop.time()) > 0:
                if await self._pause(min(self._interval(), left), flowing=False):
                    return
        self._stop_reason = "EVDisconnected" if visit.stays_seconds > 0 else "Local"

    async def _pause(self, seconds: float, *, flowing: bool) -> bool:
        """Let time pass and send the meter's values; True if the transaction was ended meanwhile."""
        began = asyncio.get_running_loop().time()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._ended.wait()
        if flowing:
            self.meter.charge(asyncio.get_running_loop().time() - began)
        transaction = self.transaction
        assert transaction is not None
        if transaction.refused and self._home.setting("StopTransactionOnInvalidId") == "true":
            self._stop_reason = self._stop_reason or "DeAuthorized"
        if self._stop_reason is not None:
            return True
        self._send_values(transaction)
        return False

    def _send_values(self, transaction: Transaction) -> None:
        wanted = self._home.setting("MeterValuesSampledData").split(",")
        value = {"timestamp": self._home.stamp(), "sampledValue": self.meter.sampled(wanted)}
        if value["sampledValue"]:
            payload = {"connectorId": self.number, "meterValue": [value]}
            self._home.queue.put("MeterValues", payload, transaction)

    def _finish(self, begun: dict[str, Any], id_tag: str) -> None:
        assert self.transaction is not None
        self.meter.rest()
        stop: dict[str, Any] = {
            "meterStop": self.meter.register(), "timestamp": self._home.stamp(), "idTag": id_tag,
            "reason": self._stop_reason or "Other",
            "transactionData": [begun, self._boundary("Transaction.End")],
        }  # fmt: skip
        self._home.queue.put("StopTransaction", stop, self.transaction)
        self.transaction = None

    def _boundary(self, context: str) -> dict[str, Any]:
        """The register at the beginning or the end, and the signed reading where the meter signs."""
        stamp = self._home.stamp()
        values = self.meter.sampled(["Energy.Active.Import.Register"], context)
        id_tag = self.transaction.id_tag if self.transaction is not None else ""
        return {"timestamp": stamp, "sampledValue": values + self.meter.signed(context, stamp, id_tag)}

    def _interval(self) -> float:
        return max(float(self._home.setting("MeterValueSampleInterval")), 0.01)
