"""A charging station that speaks OCPP 1.6-J: boots, reports, charges, goes offline, comes back, obeys."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import Any

import websockets

from app.kit import logs
from app.kit.clock import Clock, SystemClock
from app.kit.tasks import spawn
from ocpp_bridge.simulator.client import CallFailed, Client, Gone
from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.meter import Meter
from ocpp_bridge.simulator.obedience import Obedience
from ocpp_bridge.simulator.ocmf import Signer
from ocpp_bridge.simulator.offline import Pace, Queue
from ocpp_bridge.simulator.scenario import StationPlan, configuration

_log = logs.get("ocpp.simulator")


class Station16:
    """One station. `run` keeps it alive until cancelled; its connectors are driven from outside or by a fleet.

    `clock_error`: by how much the station's own clock is wrong. `reconnect`: seconds before the first attempt to
    come back; doubled up to `patience`. `pace`: how quickly it tells of its history.
    """

    def __init__(
        self,
        plan: StationPlan,
        url: str,
        *,
        clock: Clock | None = None,
        clock_error: timedelta = timedelta(0),
        reconnect: float = 1.0,
        patience: float = 60.0,
        pace: Pace | None = None,
    ) -> None:
        self.plan = plan
        self.password = plan.password
        self.configuration = configuration(plan)
        self.signer = Signer(plan.serial_number or plan.id, *plan.meter_key) if plan.signed else None
        self.connectors = [
            Connector(self, number, Meter(profile, plan.register_wh + 1000 * number, self.signer))
            for number, profile in enumerate(plan.connectors, start=1)
        ]
        self.queue = Queue(
            lambda: int(self.setting("TransactionMessageAttempts")),
            lambda: float(self.setting("TransactionMessageRetryInterval")),
            pace,
        )
        self.accepted = asyncio.Event()
        self._url = url
        self._clock = clock or SystemClock()
        self._clock_error = clock_error
        self._reconnect = reconnect
        self._patience = patience
        self._client: Client | None = None
        self._away_until = 0.0
        self._heartbeat = 300.0
        self._booted = asyncio.Event()
        self._obedience = Obedience(self)

    def now(self) -> datetime:
        """The station's time."""
        return self._clock.now() + self._clock_error

    def stamp(self, at: datetime | None = None) -> str:
        """A moment (UTC), or now, as the station writes it."""
        return (at or self.now()).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def setting(self, key: str) -> str:
        """A configuration key's value."""
        return self.configuration[key][0]

    @property
    def online(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    async def authorize(self, id_tag: str) -> bool:
        """Asks the server; offline the station decides by AllowOfflineTxForUnknownId."""
        try:
            if self._client is not None:
                answer = await self._client.call("Authorize", {"idTag": id_tag})
                return bool(answer["idTagInfo"]["status"] == "Accepted")
        except CallFailed:
            return False
        except Gone:
            pass
        return self.setting("AllowOfflineTxForUnknownId") == "true"

    async def tell(self, action: str, payload: dict[str, Any]) -> None:
        """Says something that is not worth keeping when there is no connection."""
        if self._client is not None:
            with contextlib.suppress(CallFailed, Gone):
                await self._client.call(action, payload)

    def take_password(self, password: str) -> None:
        """From the next connection on this is presented."""
        self.password = password
        self.queue.on_change()

    async def leave(self, seconds: float) -> None:
        """Loses the network for a while; charging goes on, and its messages are kept."""
        self._away_until = asyncio.get_running_loop().time() + seconds
        if self._client is not None:
            await self._client.close()

    async def reboot(self, reason: str) -> None:
        """Ends what is under way and starts anew; the queue survives."""
        for connector in self.connectors:
            connector.stop(reason)
        await asyncio.sleep(0)
        self._booted.clear()
        await self.leave(self._reconnect)

    async def run(self) -> None:
        """Connects, and comes back whenever the connection is lost, until cancelled."""
        wait = self._reconnect
        while True:
            try:
                client = await Client.open(self._url, self.plan.id, self.password, self._obedience.handle)
            except (OSError, websockets.InvalidHandshake, websockets.ConnectionClosed, TimeoutError) as error:
                _log.debug("a simulated station cannot connect", station=self.plan.id, reason=str(error))
                await asyncio.sleep(wait * random.uniform(0.8, 1.2))  # noqa: S311  # no secret hangs on it
                wait = min(wait * 2, self._patience)
                continue
            wait = self._reconnect
            await self._stay(client)
            away = self._away_until - asyncio.get_running_loop().time()
            await asyncio.sleep(max(away, self._reconnect))

    async def _stay(self, client: Client) -> None:
        """One connection from its opening to its loss."""
        self._client = client
        reading = spawn(client.run(), f"{self.plan.id} reads")
        living = spawn(self._live(client), f"{self.plan.id} lives")
        try:
            await reading
        finally:
            self._client = None
            self.accepted.clear()
            living.cancel()
            reading.cancel()
            await client.close()

    async def _live(self, client: Client) -> None:
        with contextlib.suppress(Gone):
            if not self._booted.is_set():
                await self.boot()
            await self.report_all()
            self.accepted.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._quietly(self.queue.work(client.call)))
                tasks.create_task(self._quietly(self._beat(client)))

    async def boot(self) -> None:
        """BootNotification, again and again until the server accepts the station. Raises Gone."""
        while self._client is not None:
            try:
                answer = await self._client.call("BootNotification", self._identity())
            except CallFailed:
                answer = {"status": "Rejected", "interval": 30}
            if answer.get("interval", 0) > 0:
                self._heartbeat = float(answer["interval"])
            if answer["status"] == "Accepted":
                self.configuration["HeartbeatInterval"] = (str(int(self._heartbeat)), False)
                self._booted.set()
                return
            # The server may ask for another attempt meanwhile, and accept that one.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._heartbeat):
                    await self._booted.wait()
                    return

    async def report_all(self) -> None:
        """The status of the station and of each connector."""
        whole = {"connectorId": 0, "errorCode": "NoError", "status": "Available", "timestamp": self.stamp()}
        await self.tell("StatusNotification", whole)
        for connector in self.connectors:
            await connector.report(connector.status)

    async def _beat(self, client: Client) -> None:
        while True:
            await asyncio.sleep(max(float(self.setting("HeartbeatInterval")), 1.0))
            with contextlib.suppress(CallFailed):
                await client.call("Heartbeat", {})

    @staticmethod
    async def _quietly(work: Awaitable[None]) -> None:
        with contextlib.suppress(Gone):
            await work

    def _identity(self) -> dict[str, Any]:
        identity = {
            "chargePointVendor": self.plan.vendor,
            "chargePointModel": self.plan.model,
            "chargePointSerialNumber": self.plan.serial_number,
            "firmwareVersion": self.plan.firmware_version,
        }
        return {key: value for key, value in identity.items() if value is not None}
