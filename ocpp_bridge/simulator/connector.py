"""One connector of a simulated station: a car comes, is charged, and leaves; faults; what it tells the server."""

import asyncio
import contextlib
from datetime import datetime, timedelta
from typing import Any, Protocol

from msgspec.structs import replace

from ocpp_bridge.simulator.history import boundary, record
from ocpp_bridge.simulator.meter import Meter
from ocpp_bridge.simulator.offline import Queue, Transaction
from ocpp_bridge.simulator.scenario import Fault, PastVisit, Visit


class Home(Protocol):
    """What a connector needs of its station."""

    queue: Queue

    def now(self) -> datetime:
        """The station's time."""
        ...

    def stamp(self, at: datetime | None = None) -> str:
        """A moment, or now, as the station writes it."""
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
        self.reserved: tuple[int, str] | None = None
        """A reservation's number and the id tag that it waits for."""
        self._home = home
        self._stop_reason: str | None = None
        self._ended = asyncio.Event()
        self._busy = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether a car is there, or a fault."""
        return self._busy.locked()

    def free_for(self, id_tag: str) -> bool:
        """Whether this driver may plug in: nobody is there, and it is not reserved for somebody else."""
        return (
            not self.busy
            and self.status != "Unavailable"
            and (self.reserved is None or self.reserved[1] == id_tag)
        )

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
                await self.report("Available" if self.reserved is None else "Reserved")
                return None
            transaction = self._start(visit.id_tag)
            begun = self._boundary("Transaction.Begin")
            await self._to_the_end(visit, begun, "Charging")
            return transaction

    async def carry_on(self, visit: Visit, began: datetime) -> None:
        """A car that came before the station was switched on: what it missed is told, then it charges on."""
        async with self._busy:
            past, now = PastVisit(connector=self.number, began=began, visit=visit), self._home.now()
            recording = record(self.meter, past, self._home.stamp, until=now, every=1, kept=False)
            self._stop_reason = None
            self._ended.clear()
            self.transaction = recording.transaction
            self._home.queue.keep([message for _, message in recording.messages])
            stayed = (now - recording.at) / timedelta(seconds=1) if recording.full else 0.0
            left = replace(
                visit, stays_seconds=max(visit.stays_seconds - stayed, 1.0 if recording.full else 0.0)
            )
            await self._to_the_end(left, recording.begun, "SuspendedEV" if recording.full else "Charging")

    async def fail(self, fault: Fault) -> None:
        """Something is wrong for a while: nobody can come, and a car that is there gets no energy.

        A mere warning changes nothing but what is reported.
        """
        if self.busy or fault.status is None:
            await self._wrong(fault)
            return
        async with self._busy:
            await self._wrong(fault)

    def reserve(self, number: int, id_tag: str) -> None:
        """Keep the connector for a driver."""
        self.reserved = (number, id_tag)

    async def release(self, number: int) -> bool:
        """Give a reservation up; False if there is none of this number."""
        if self.reserved is None or self.reserved[0] != number:
            return False
        self.reserved = None
        if self.status == "Reserved":
            await self.report("Available")
        return True

    async def _wrong(self, fault: Fault) -> None:
        before = self.status
        more = {"info": fault.info, "vendorErrorCode": fault.vendor_error_code}
        given = {key: value for key, value in more.items() if value is not None}
        if fault.status is not None:
            self.meter.rest()
        await self.report(fault.status or before, errorCode=fault.error_code, **given)
        await asyncio.sleep(fault.seconds)
        # A car may have come or gone under a warning; a fault lasts until here.
        await self.report(self.status if fault.status is None else before)

    def _start(self, id_tag: str) -> Transaction:
        self._stop_reason = None
        self._ended.clear()
        self.transaction = Transaction(self.number, id_tag)
        start: dict[str, Any] = {
            "connectorId": self.number, "idTag": id_tag, "meterStart": self.meter.register(),
            "timestamp": self._home.stamp(),
        }  # fmt: skip
        if self.reserved is not None:
            start["reservationId"] = self.reserved[0]
            self.reserved = None
        self._home.queue.put("StartTransaction", start, self.transaction)
        return self.transaction

    async def _to_the_end(self, visit: Visit, begun: dict[str, Any], status: str) -> None:
        """What was started is stopped, whatever interrupts it."""
        try:
            await self.report(status)
            await self._charge(visit)
        finally:
            self._finish(begun, visit.id_tag)
        await self.report("Finishing")
        await self.report("Available")

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
        transaction = self.transaction
        assert transaction is not None
        self.meter.rest()
        stop: dict[str, Any] = {
            "meterStop": self.meter.register(), "timestamp": self._home.stamp(), "idTag": id_tag,
            "reason": self._stop_reason or "Other",
            "transactionData": [begun, self._boundary("Transaction.End")],
        }  # fmt: skip
        self.transaction = None
        self._home.queue.put("StopTransaction", stop, transaction)

    def _boundary(self, context: str) -> dict[str, Any]:
        id_tag = self.transaction.id_tag if self.transaction is not None else ""
        return boundary(self.meter, context, self._home.stamp(), id_tag)

    def _interval(self) -> float:
        return max(float(self._home.setting("MeterValueSampleInterval")), 0.01)
