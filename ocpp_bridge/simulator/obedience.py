"""How a simulated station answers the server's calls (OCPP 1.6, 5)."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

from app.kit.tasks import spawn
from ocpp_bridge.simulator.client import NotSupported
from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.scenario import Visit

Rule = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]

_ACCEPTED = {"status": "Accepted"}
_REJECTED = {"status": "Rejected"}


class Station(Protocol):
    """What the answers need of the station."""

    connectors: list[Connector]
    configuration: dict[str, tuple[str, bool]]

    def take_password(self, password: str) -> None: ...
    def now(self) -> datetime: ...
    async def reboot(self, reason: str) -> None: ...
    async def boot(self) -> None: ...
    async def report_all(self) -> None: ...
    async def tell(self, action: str, payload: dict[str, Any]) -> None: ...


class Obedience:
    """The rules, by action; what is missing here the station does not know."""

    def __init__(self, station: Station) -> None:
        self._station = station
        self._local_list = 0
        self._rules: dict[str, Rule] = {
            "CancelReservation": self._cancel_reservation,
            "ChangeAvailability": self._change_availability,
            "ChangeConfiguration": self._change_configuration,
            "ClearCache": self._agree,
            "ClearChargingProfile": self._clear_profile,
            "GetConfiguration": self._get_configuration,
            "GetLocalListVersion": self._list_version,
            "RemoteStartTransaction": self._remote_start,
            "RemoteStopTransaction": self._remote_stop,
            "ReserveNow": self._reserve_now,
            "Reset": self._reset,
            "SendLocalList": self._send_list,
            "SetChargingProfile": self._set_profile,
            "TriggerMessage": self._trigger,
            "UnlockConnector": self._unlock,
        }

    async def handle(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """The answer to a call; raises NotSupported for what this station does not know."""
        rule = self._rules.get(action)
        if rule is None:
            raise NotSupported("NotImplemented")
        return await rule(payload)

    async def _agree(self, _payload: dict[str, Any]) -> dict[str, Any]:
        return _ACCEPTED

    async def _remote_start(self, payload: dict[str, Any]) -> dict[str, Any]:
        wanted, id_tag = payload.get("connectorId"), payload["idTag"]
        free = [c for c in self._station.connectors if c.free_for(id_tag) and wanted in (None, c.number)]
        if not free:
            return _REJECTED
        spawn(free[0].visit(Visit(id_tag=id_tag), remote=True), "remote start")
        return _ACCEPTED

    async def _remote_stop(self, payload: dict[str, Any]) -> dict[str, Any]:
        number = payload["transactionId"]
        for connector in self._station.connectors:
            if connector.transaction is not None and connector.transaction.number == number:
                return _ACCEPTED if connector.stop("Remote") else _REJECTED
        return _REJECTED

    async def _reserve_now(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Keeps one connector; the station as a whole cannot be reserved (OCPP 1.6, 5.13)."""
        connector, number = self._connector(payload["connectorId"]), payload["reservationId"]
        if connector is None:
            return _REJECTED
        if connector.status in ("Faulted", "Unavailable"):
            return {"status": connector.status}
        if connector.busy or (connector.reserved is not None and connector.reserved[0] != number):
            return {"status": "Occupied"}
        connector.reserve(number, payload["idTag"])
        expiry = datetime.fromisoformat(payload["expiryDate"]) - self._station.now()
        self._soon(connector.report("Reserved"))
        spawn(self._expire(connector, number, expiry / timedelta(seconds=1)), "a reservation ends")
        return _ACCEPTED

    async def _cancel_reservation(self, payload: dict[str, Any]) -> dict[str, Any]:
        for connector in self._station.connectors:
            if connector.reserved is not None and connector.reserved[0] == payload["reservationId"]:
                self._soon(connector.release(payload["reservationId"]))
                return _ACCEPTED
        return _REJECTED

    @staticmethod
    async def _expire(connector: Connector, number: int, seconds: float) -> None:
        await asyncio.sleep(max(seconds, 0.1))
        await connector.release(number)

    async def _reset(self, payload: dict[str, Any]) -> dict[str, Any]:
        reason = "HardReset" if payload["type"] == "Hard" else "SoftReset"
        self._soon(self._station.reboot(reason))
        return _ACCEPTED

    async def _unlock(self, payload: dict[str, Any]) -> dict[str, Any]:
        connector = self._connector(payload["connectorId"])
        if connector is None:
            return {"status": "NotSupported"}
        connector.stop("UnlockCommand")
        return {"status": "Unlocked"}

    async def _change_availability(self, payload: dict[str, Any]) -> dict[str, Any]:
        status = "Available" if payload["type"] == "Operative" else "Unavailable"
        number = payload["connectorId"]
        chosen = [c for c in self._station.connectors if number in (0, c.number)]
        if not chosen:
            return _REJECTED
        if any(connector.busy for connector in chosen):
            return {"status": "Scheduled"}
        for connector in chosen:
            self._soon(connector.report(status))
        return _ACCEPTED

    async def _get_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        known = self._station.configuration
        wanted = payload.get("key") or list(known)
        keys = [
            {"key": key, "value": known[key][0], "readonly": known[key][1]} for key in wanted if key in known
        ]
        return {"configurationKey": keys, "unknownKey": [key for key in wanted if key not in known]}

    async def _change_configuration(self, payload: dict[str, Any]) -> dict[str, Any]:
        key, value = payload["key"], payload["value"]
        if key == "AuthorizationKey":
            self._station.take_password(value)
            return _ACCEPTED
        known = self._station.configuration.get(key)
        if known is None:
            return {"status": "NotSupported"}
        number = known[0].isdecimal()
        if known[1] or (number and not value.isdecimal()):
            return _REJECTED
        self._station.configuration[key] = (value, False)
        return _ACCEPTED

    async def _list_version(self, _payload: dict[str, Any]) -> dict[str, Any]:
        return {"listVersion": self._local_list}

    async def _send_list(self, payload: dict[str, Any]) -> dict[str, Any]:
        self._local_list = payload["listVersion"]
        return _ACCEPTED

    async def _set_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Takes the first period's limit as the limit from now on: enough to be seen in the meter values."""
        schedule = payload["csChargingProfiles"]["chargingSchedule"]
        limit = float(schedule["chargingSchedulePeriod"][0]["limit"])
        for connector in self._chosen(payload["connectorId"]):
            profile = connector.meter.profile
            watts = limit if schedule["chargingRateUnit"] == "W" else limit * profile.voltage * profile.phases
            connector.meter.limit_kw = watts / 1000
        return _ACCEPTED

    async def _clear_profile(self, payload: dict[str, Any]) -> dict[str, Any]:
        for connector in self._chosen(payload.get("connectorId", 0)):
            connector.meter.limit_kw = connector.meter.profile.max_kw
        return _ACCEPTED

    async def _trigger(self, payload: dict[str, Any]) -> dict[str, Any]:
        wanted = payload["requestedMessage"]
        messages: dict[str, Callable[[], Awaitable[None]]] = {
            "BootNotification": self._station.boot,
            "Heartbeat": lambda: self._station.tell("Heartbeat", {}),
            "StatusNotification": self._station.report_all,
        }
        if wanted not in messages:
            return {"status": "NotImplemented"}
        self._soon(messages[wanted]())
        return _ACCEPTED

    def _connector(self, number: int) -> Connector | None:
        return next((c for c in self._station.connectors if c.number == number), None)

    def _chosen(self, number: int) -> list[Connector]:
        return [c for c in self._station.connectors if number in (0, c.number)]

    @staticmethod
    def _soon(work: Awaitable[object]) -> None:
        """After the answer is out: a call of ours must not overtake it."""

        async def later() -> None:
            await asyncio.sleep(0.05)
            await work

        spawn(later(), "a simulated station obeys")
