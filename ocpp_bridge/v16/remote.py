"""Remote commands in the words of OCPP 1.6, and what a station's answer to them means."""

from typing import Any

from app.domain.commands import Outcome, OutcomeKind
from app.domain.remote import (
    CancelOrder,
    CommandResult,
    Order,
    ReserveOrder,
    StartOrder,
    StopOrder,
    UnlockOrder,
)
from ocpp_bridge.v16 import timestamps

_AGREED = {"Accepted": CommandResult.ACCEPTED, "Rejected": CommandResult.REJECTED}
_UNLOCKED = {
    "Unlocked": CommandResult.ACCEPTED,
    "UnlockFailed": CommandResult.FAILED,
    "NotSupported": CommandResult.NOT_SUPPORTED,
}
_RESERVED = _AGREED | {
    "Faulted": CommandResult.EVSE_INOPERATIVE,
    "Unavailable": CommandResult.EVSE_INOPERATIVE,
    "Occupied": CommandResult.EVSE_OCCUPIED,
}
_MEANINGS: dict[type, dict[str, CommandResult]] = {UnlockOrder: _UNLOCKED, ReserveOrder: _RESERVED}
_NOT_KNOWN = frozenset({"NotSupported", "NotImplemented"})


def spell(order: Order) -> tuple[str, dict[str, Any]]:
    """The action and the payload of an order (OCPP 1.6, 5); connector n is our EVSE n."""
    match order:
        case StartOrder():
            where = {} if order.evse is None else {"connectorId": order.evse}
            return "RemoteStartTransaction", {"idTag": order.id_tag, **where}
        case StopOrder():
            return "RemoteStopTransaction", {"transactionId": order.transaction_id}
        case UnlockOrder():
            return "UnlockConnector", {"connectorId": order.evse}
        case ReserveOrder():
            group = {} if order.parent_id_tag is None else {"parentIdTag": order.parent_id_tag}
            return "ReserveNow", {
                "connectorId": order.evse or 0,
                "expiryDate": timestamps.written(order.expires_at),
                "idTag": order.id_tag,
                **group,
                "reservationId": order.number,
            }
        case CancelOrder():
            return "CancelReservation", {"reservationId": order.number}


def meaning(order: Order, outcome: Outcome) -> CommandResult:
    """What became of an order, in OCPI's words; an answer without sense is a failure."""
    if outcome.kind is OutcomeKind.TIMEOUT:
        return CommandResult.TIMEOUT
    answer = outcome.response if isinstance(outcome.response, dict) else {}
    if outcome.kind is OutcomeKind.ERROR and answer.get("code") in _NOT_KNOWN:
        return CommandResult.NOT_SUPPORTED
    if outcome.kind is not OutcomeKind.RESULT:
        return CommandResult.FAILED
    words = _MEANINGS.get(type(order), _AGREED)
    return words.get(str(answer.get("status")), CommandResult.FAILED)
