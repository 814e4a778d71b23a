"""Connector and EVSE status: what a station says of a connector, and what partners see of the EVSE."""

from collections.abc import Iterable
from enum import StrEnum


class ConnectorStatus(StrEnum):
    """A connector's state in the newer vocabulary, with the phases that only OCPP 1.6 tells."""

    AVAILABLE = "Available"
    PREPARING = "Preparing"
    CHARGING = "Charging"
    SUSPENDED_EV = "SuspendedEV"
    SUSPENDED_EVSE = "SuspendedEVSE"
    FINISHING = "Finishing"
    RESERVED = "Reserved"
    UNAVAILABLE = "Unavailable"
    FAULTED = "Faulted"
    UNKNOWN = "Unknown"


class EvseStatus(StrEnum):
    """Status of an EVSE on the OCPI side (mod_locations, Status enum)."""

    AVAILABLE = "AVAILABLE"
    BLOCKED = "BLOCKED"
    CHARGING = "CHARGING"
    INOPERATIVE = "INOPERATIVE"
    OUTOFORDER = "OUTOFORDER"
    PLANNED = "PLANNED"
    REMOVED = "REMOVED"
    RESERVED = "RESERVED"
    UNKNOWN = "UNKNOWN"


OPERATORS_OWN = frozenset(
    {EvseStatus.PLANNED, EvseStatus.REMOVED, EvseStatus.BLOCKED, EvseStatus.INOPERATIVE}
)
"""The statuses that an operator sets and no station report overrides."""

_SEEN_BY_DRIVERS = {
    ConnectorStatus.AVAILABLE: EvseStatus.AVAILABLE,
    ConnectorStatus.PREPARING: EvseStatus.CHARGING,
    ConnectorStatus.CHARGING: EvseStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EV: EvseStatus.CHARGING,
    ConnectorStatus.SUSPENDED_EVSE: EvseStatus.CHARGING,
    ConnectorStatus.FINISHING: EvseStatus.CHARGING,
    ConnectorStatus.RESERVED: EvseStatus.RESERVED,
    ConnectorStatus.UNAVAILABLE: EvseStatus.INOPERATIVE,
    ConnectorStatus.FAULTED: EvseStatus.OUTOFORDER,
    ConnectorStatus.UNKNOWN: EvseStatus.UNKNOWN,
}

_BROKEN_WITHOUT_FAULTED = frozenset({"ConnectorLockFailure", "PowerSwitchFailure", "GroundFailure"})
_IDLE = frozenset({ConnectorStatus.AVAILABLE, ConnectorStatus.PREPARING})

# One of an EVSE's connectors in use occupies the EVSE; a fault must not hide behind a free connector.
_PRECEDENCE = (
    EvseStatus.CHARGING,
    EvseStatus.OUTOFORDER,
    EvseStatus.RESERVED,
    EvseStatus.INOPERATIVE,
    EvseStatus.UNKNOWN,
    EvseStatus.AVAILABLE,
)


def connector_seen(status: ConnectorStatus, error_code: str) -> EvseStatus:
    """What one connector alone would make of its EVSE.

    A connector that names a fault which makes charging impossible counts as broken although the station
    still says Available or Preparing.
    """
    if status in _IDLE and error_code in _BROKEN_WITHOUT_FAULTED:
        return EvseStatus.OUTOFORDER
    return _SEEN_BY_DRIVERS[status]


def evse_status(connectors: Iterable[tuple[ConnectorStatus, str]]) -> EvseStatus:
    """The EVSE's status from (status, error code) of its connectors; UNKNOWN if none has reported."""
    seen = {connector_seen(status, error_code) for status, error_code in connectors}
    return next((status for status in _PRECEDENCE if status in seen), EvseStatus.UNKNOWN)
