"""Sessions that a simulated station had while it was offline: they wait in its queue with their own timestamps."""

from datetime import datetime, timedelta
from typing import Any

from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.offline import Queue, Transaction

_MINUTE = timedelta(minutes=1)
_WANTED = ["Energy.Active.Import.Register", "Power.Active.Import", "SoC"]


def earlier_visit(queue: Queue, connector: Connector, id_tag: str, began: datetime, minutes: int) -> None:
    """A car that came at `began`, charged for so many minutes and left before the station was back online."""
    meter, transaction = connector.meter, Transaction(connector.number, id_tag)
    meter.arrive(25.0)
    start: dict[str, Any] = {
        "connectorId": connector.number,
        "idTag": id_tag,
        "meterStart": meter.register(),
        "timestamp": _stamp(began),
    }
    queue.put("StartTransaction", start, transaction)
    for minute in range(1, minutes + 1):
        meter.charge(60)
        value = {"timestamp": _stamp(began + minute * _MINUTE), "sampledValue": meter.sampled(_WANTED)}
        queue.put("MeterValues", {"connectorId": connector.number, "meterValue": [value]}, transaction)
    meter.rest()
    stop: dict[str, Any] = {
        "meterStop": meter.register(),
        "timestamp": _stamp(began + minutes * _MINUTE),
        "idTag": id_tag,
        "reason": "Local",
    }
    queue.put("StopTransaction", stop, transaction)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")
