"""Words of OCPP 1.6 beside the words of the house: tables only."""

from app.domain.status import ConnectorStatus
from app.domain.tokens import Verdict

CONNECTOR_STATUS: dict[str, ConnectorStatus] = {
    "Available": ConnectorStatus.AVAILABLE,
    "Preparing": ConnectorStatus.PREPARING,
    "Charging": ConnectorStatus.CHARGING,
    "SuspendedEV": ConnectorStatus.SUSPENDED_EV,
    "SuspendedEVSE": ConnectorStatus.SUSPENDED_EVSE,
    "Finishing": ConnectorStatus.FINISHING,
    "Reserved": ConnectorStatus.RESERVED,
    "Unavailable": ConnectorStatus.UNAVAILABLE,
    "Faulted": ConnectorStatus.FAULTED,
    # Stations that were 1.5 or 2.x yesterday still say this.
    "Occupied": ConnectorStatus.PREPARING,
}

AUTHORIZATION_STATUS: dict[Verdict, str] = {
    Verdict.ACCEPTED: "Accepted",
    Verdict.BLOCKED: "Blocked",
    Verdict.EXPIRED: "Expired",
    Verdict.INVALID: "Invalid",
}

MONEY = frozenset({"StartTransaction", "MeterValues", "StopTransaction"})
"""Transaction messages (OCPP 1.6, 3.7.1): never answered with CALLERROR for what they say."""

REMOTE_STOP, REMOTE_START, ORDINARY = 0, 1, 2
PRIORITY: dict[str, int] = {"RemoteStopTransaction": REMOTE_STOP, "RemoteStartTransaction": REMOTE_START}
"""Which of several waiting calls goes first: a driver who wants to leave, then one who wants to start."""
