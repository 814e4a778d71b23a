"""Remote commands in the words of OCPP 1.6, held against its schemas, and what stations' answers mean."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

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
from ocpp_bridge.v16 import outbound, remote

UNTIL = datetime(2026, 5, 1, 12, 30, tzinfo=UTC)
RESERVE = ReserveOrder(number=7, id_tag="T", expires_at=UNTIL)


@pytest.mark.parametrize(
    ("order", "action", "payload"),
    [
        (StartOrder(id_tag="T", evse=2), "RemoteStartTransaction", {"idTag": "T", "connectorId": 2}),
        (StartOrder(id_tag="T"), "RemoteStartTransaction", {"idTag": "T"}),
        (StopOrder(transaction_id=5), "RemoteStopTransaction", {"transactionId": 5}),
        (UnlockOrder(evse=1), "UnlockConnector", {"connectorId": 1}),
        (CancelOrder(number=7), "CancelReservation", {"reservationId": 7}),
    ],
)
def test_spelling(order: Order, action: str, payload: dict[str, Any]) -> None:
    assert remote.spell(order) == (action, payload)
    outbound.check_outgoing(action, payload)


def test_a_reservation_is_for_the_whole_group_of_a_token() -> None:
    action, payload = remote.spell(replace(RESERVE, parent_id_tag="FLEET-7"))
    outbound.check_outgoing(action, payload)
    assert payload["parentIdTag"] == "FLEET-7"


def test_a_reservation_of_any_connector_names_connector_0() -> None:
    action, payload = remote.spell(RESERVE)
    outbound.check_outgoing(action, payload)
    assert "parentIdTag" not in payload
    assert (payload["connectorId"], payload["reservationId"], payload["expiryDate"][:16]) == (
        0,
        7,
        "2026-05-01T12:30",
    )


@pytest.mark.parametrize(
    ("order", "status", "result"),
    [
        (StartOrder(id_tag="T"), "Accepted", CommandResult.ACCEPTED),
        (StopOrder(transaction_id=5), "Rejected", CommandResult.REJECTED),
        (UnlockOrder(evse=1), "Unlocked", CommandResult.ACCEPTED),
        (UnlockOrder(evse=1), "UnlockFailed", CommandResult.FAILED),
        (RESERVE, "Faulted", CommandResult.EVSE_INOPERATIVE),
        (RESERVE, "Occupied", CommandResult.EVSE_OCCUPIED),
        (CancelOrder(number=7), "Sideways", CommandResult.FAILED),
    ],
)
def test_meaning_of_answers(order: Order, status: str, result: CommandResult) -> None:
    assert remote.meaning(order, Outcome(kind=OutcomeKind.RESULT, response={"status": status})) is result


@pytest.mark.parametrize(
    ("outcome", "result"),
    [
        (Outcome(kind=OutcomeKind.TIMEOUT), CommandResult.TIMEOUT),
        (Outcome(kind=OutcomeKind.NOT_CONNECTED), CommandResult.FAILED),
        (Outcome(kind=OutcomeKind.RESULT, response=None), CommandResult.FAILED),
        (Outcome(kind=OutcomeKind.ERROR, response={"code": "NotImplemented"}), CommandResult.NOT_SUPPORTED),
        (Outcome(kind=OutcomeKind.ERROR, response={"code": "InternalError"}), CommandResult.FAILED),
    ],
)
def test_meaning_of_everything_else(outcome: Outcome, result: CommandResult) -> None:
    assert remote.meaning(StartOrder(id_tag="T"), outcome) is result
