"""What we send is checked against the schema of OCPP 1.6, with the path of what is wrong."""

from typing import Any

import pytest

from app.domain.errors import Invalid, NotFound
from ocpp_bridge.v16 import outbound

GOOD: list[tuple[str, dict[str, Any]]] = [
    ("Reset", {"type": "Soft"}),
    ("ChangeConfiguration", {"key": "HeartbeatInterval", "value": "300"}),
    ("GetConfiguration", {}),
    ("DataTransfer", {"vendorId": "org.example"}),
    ("ExtendedTriggerMessage", {"requestedMessage": "BootNotification"}),
    (
        "RemoteStartTransaction",
        {
            "idTag": "A",
            "chargingProfile": {
                "chargingProfileId": 1,
                "stackLevel": 0,
                "chargingProfilePurpose": "TxProfile",
                "chargingProfileKind": "Relative",
                "chargingSchedule": {
                    "chargingRateUnit": "A",
                    "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 16.3}],
                },
            },
        },
    ),
]


@pytest.mark.parametrize(("action", "payload"), GOOD, ids=[action for action, _ in GOOD])
def test_good_calls_pass(action: str, payload: dict[str, Any]) -> None:
    outbound.check_outgoing(action, payload)


@pytest.mark.parametrize(
    ("action", "payload", "field"),
    [
        ("Reset", {"type": "Hot"}, "$.type"),
        ("Reset", {}, "$"),
        ("Reset", [], "$"),
        ("Reset", {"type": "Soft", "extra": 1}, "$"),
        ("UnlockConnector", {"connectorId": "1"}, "$.connectorId"),
        ("RemoteStartTransaction", {"idTag": "X" * 21}, "$.idTag"),
        ("Reset", float("nan"), "$"),
    ],
)
def test_bad_payloads_are_refused_with_their_path(action: str, payload: Any, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        outbound.check_outgoing(action, payload)
    assert refused.value.field == field


@pytest.mark.parametrize(
    "action", ["Heartbeat", "BootNotification", "RequestStartTransaction", "", "../Reset"]
)
def test_what_1_6_does_not_let_us_call_is_not_found(action: str) -> None:
    with pytest.raises(NotFound):
        outbound.check_outgoing(action, {})


def test_a_driver_who_wants_to_leave_goes_first() -> None:
    order = sorted(["Reset", "RemoteStartTransaction", "RemoteStopTransaction"], key=outbound.priority)
    assert order == ["RemoteStopTransaction", "RemoteStartTransaction", "Reset"]
