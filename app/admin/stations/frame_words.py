"""What a frame of OCPP 1.6 says of one transaction, in a sentence."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from app.domain.transactions import Transaction
from app.store.frames import Frame

Payload = Mapping[str, Any]


class Exchange(NamedTuple):
    """A call and its answer, read; an answer that never came is empty."""

    asked: Payload
    answered: Payload


def words_of(frame: Frame, transaction: Transaction) -> str | None:
    """The sentence; None for a frame that is not about this transaction, or that nobody can read."""
    say = _SAYINGS.get((frame.direction, frame.action))
    if say is None:
        return None
    try:
        return say(Exchange(_payload(frame.request, 3), _payload(frame.answer, 2)), transaction)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        return None


def _payload(raw: bytes | None, place: int) -> Payload:
    if raw is None:
        return {}
    message = json.loads(raw)
    found = message[place] if message[0] != 4 and len(message) > place else {}
    return found if isinstance(found, dict) else {}


def _verdict(answered: Payload) -> str:
    return str((answered.get("idTagInfo") or {}).get("status") or "no answer")


def _same_card(given: Any, transaction: Transaction) -> bool:
    return str(given).upper() == (transaction.id_tag or "").upper()


def _shown(said: Exchange, transaction: Transaction) -> str | None:
    if not _same_card(said.asked["idTag"], transaction):
        return None
    return f"Card {said.asked['idTag']} shown: {_verdict(said.answered)}"


def _started(said: Exchange, transaction: Transaction) -> str | None:
    if said.answered.get("transactionId") != transaction.ocpp_id:
        return None
    return (
        f"Transaction {transaction.ocpp_id} started with card {said.asked['idTag']}, "
        f"meter at {said.asked['meterStart']} Wh: {_verdict(said.answered)}"
    )


def _metered(said: Exchange, transaction: Transaction) -> str | None:
    return "Meter values" if said.asked.get("transactionId") == transaction.ocpp_id else None


def _stopped(said: Exchange, transaction: Transaction) -> str | None:
    if said.asked["transactionId"] != transaction.ocpp_id:
        return None
    reason = said.asked.get("reason", "Local")
    return f"Transaction {transaction.ocpp_id} stopped, meter at {said.asked['meterStop']} Wh: {reason}"


def _status(said: Exchange, transaction: Transaction) -> str | None:
    if said.asked["connectorId"] not in (0, transaction.evse):
        return None
    error = said.asked.get("errorCode", "NoError")
    where = "Station" if said.asked["connectorId"] == 0 else f"Connector {transaction.evse}"
    more = "" if error == "NoError" else f" ({error}{_told(said.asked.get('info'))})"
    return f"{where} {said.asked['status']}{more}"


def _told(info: Any) -> str:
    return f": {info}" if info else ""


def _asked_to_start(said: Exchange, transaction: Transaction) -> str | None:
    connector = said.asked.get("connectorId", transaction.evse)
    if not _same_card(said.asked["idTag"], transaction) or connector != transaction.evse:
        return None
    return f"Asked to start with card {said.asked['idTag']}: {said.answered.get('status', 'no answer')}"


def _asked_to_stop(said: Exchange, transaction: Transaction) -> str | None:
    if said.asked["transactionId"] != transaction.ocpp_id:
        return None
    return f"Asked to stop: {said.answered.get('status', 'no answer')}"


def _asked_to_unlock(said: Exchange, transaction: Transaction) -> str | None:
    if said.asked["connectorId"] != transaction.evse:
        return None
    return f"Asked to unlock: {said.answered.get('status', 'no answer')}"


_SAYINGS: dict[tuple[str, str], Callable[[Exchange, Transaction], str | None]] = {
    ("in", "Authorize"): _shown,
    ("in", "StartTransaction"): _started,
    ("in", "MeterValues"): _metered,
    ("in", "StopTransaction"): _stopped,
    ("in", "StatusNotification"): _status,
    ("out", "RemoteStartTransaction"): _asked_to_start,
    ("out", "RemoteStopTransaction"): _asked_to_stop,
    ("out", "UnlockConnector"): _asked_to_unlock,
}
