"""What a simulated station keeps when its power is cut: registers, its password, and what it has yet to tell."""

from typing import Any

from ocpp_bridge.simulator.connector import Connector
from ocpp_bridge.simulator.offline import Message, Transaction
from ocpp_bridge.simulator.station16 import Station16


def dump(station: Station16) -> dict[str, Any]:
    """Everything to keep, as plain JSON values. History is left out: it can be made again."""
    waiting = [message for message in station.queue if not message.past]
    transactions = {id(each): each for message in waiting if (each := message.transaction) is not None}
    open_ = [connector.transaction for connector in station.connectors if connector.transaction is not None]
    transactions |= {id(each): each for each in open_}
    places = {name: place for place, name in enumerate(transactions)}
    return {
        "password": station.password,
        "meter_key": station.signer.dump() if station.signer is not None else (),
        "transactions": [
            {"connector": each.connector, "id_tag": each.id_tag, "number": each.number}
            for each in transactions.values()
        ],
        "waiting": [
            [message.action, message.payload, places.get(id(message.transaction))] for message in waiting
        ],
        "connectors": [_connector(each, places) for each in station.connectors],
        "at": station.stamp(),
    }


def load(station: Station16, kept: dict[str, Any]) -> None:
    """Wake up from a power cut: what waited is told, and what was under way ended when the power did."""
    station.password = kept["password"]
    transactions = [Transaction(each["connector"], each["id_tag"]) for each in kept["transactions"]]
    for transaction, each in zip(transactions, kept["transactions"], strict=True):
        transaction.number = each["number"]
    station.queue.keep(
        [
            Message(action, payload, None if place is None else transactions[place])
            for action, payload, place in kept["waiting"]
        ]
    )
    for connector, each in zip(station.connectors, kept["connectors"], strict=True):
        connector.meter.register_wh = each["register_wh"]
        if each["open"] is not None:
            transaction = transactions[each["open"]]
            stop = {
                "meterStop": connector.meter.register(), "timestamp": kept["at"], "idTag": transaction.id_tag,
                "reason": "PowerLoss",
            }  # fmt: skip
            station.queue.put("StopTransaction", stop, transaction)


def _connector(connector: Connector, places: dict[int, int]) -> dict[str, Any]:
    open_ = connector.transaction
    return {
        "register_wh": connector.meter.register_wh,
        "open": None if open_ is None else places[id(open_)],
    }
