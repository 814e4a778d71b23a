"""Charging stations: what is known of them, and what they say of themselves."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.domain.authorization import Grant
from app.domain.status import ConnectorStatus
from app.domain.upkeep.setting_up import Commissioning
from app.domain.upkeep.uid_order import UidHint, UidOrder


class Admission(StrEnum):
    """Whether the operator has let the station in."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


class ConnectorLink(msgspec.Struct, frozen=True, kw_only=True):
    """Which of our EVSEs and connectors a station's connector is (OCPP 1.6: connector n is EVSE n)."""

    evse: int
    connector: int = 1
    evse_uid: str
    connector_id: str


class BootReport(msgspec.Struct, frozen=True, kw_only=True):
    """BootNotification: what the station is made of."""

    vendor: str
    model: str
    serial_number: str | None = None
    box_serial_number: str | None = None
    firmware_version: str | None = None
    iccid: str | None = None
    imsi: str | None = None
    meter_type: str | None = None
    meter_serial_number: str | None = None


class ChargingStation(msgspec.Struct, frozen=True, kw_only=True):
    """A station as the operator set it up, and what it last said of itself.

    `connection_timeout`: how long (s) it waits for a plug. `triggers`: whether it sends messages on demand. Both are
    None where that is not known.
    """

    id: str
    state: Admission
    location_id: str | None = None
    connectors: tuple[ConnectorLink, ...] = ()
    security_profile: int | None = None
    ocpp_version: str | None = None
    boot: BootReport | None = None
    booted_at: datetime | None = None
    firmware_status: str | None = None
    diagnostics_status: str | None = None
    tolerated: dict[str, int] = {}
    uid_order: UidOrder = UidOrder.AS_READ
    uid_hint: UidHint | None = None
    commissioning: Commissioning | None = None
    connection_timeout: int | None = None
    triggers: bool | None = None
    last_updated: datetime

    def link(self, evse: int, connector: int) -> ConnectorLink | None:
        """Which of our connectors this is, if the operator has told."""
        return next((c for c in self.connectors if (c.evse, c.connector) == (evse, connector)), None)


class Knocks(msgspec.Struct, frozen=True, kw_only=True):
    """How often a station was refused at the door, and how it came last.

    `credentials` says of what kind they were, never what was in them; `reason` why it was refused.
    """

    times: int
    first_at: datetime
    last_at: datetime
    address: str
    subprotocols: tuple[str, ...]
    credentials: str
    reason: str


class ConnectorReport(msgspec.Struct, frozen=True, kw_only=True):
    """The last word of a station about one connector; connector 0 of EVSE 0 is the station as a whole."""

    evse: int
    connector: int
    status: ConnectorStatus
    error_code: str = "NoError"
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    at: datetime
    received_at: datetime


class Heartbeat(msgspec.Struct, frozen=True, kw_only=True):
    """Heartbeat: the station lives and wants the time."""


class AuthorizeReport(msgspec.Struct, frozen=True, kw_only=True):
    """Authorize: may this id tag charge?"""

    id_tag: str


class StatusReport(msgspec.Struct, frozen=True, kw_only=True):
    """StatusNotification. `at` is None where the station gave no (usable) time: then it is now."""

    evse: int
    connector: int
    status: ConnectorStatus
    error_code: str = "NoError"
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None
    at: datetime | None = None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Anything else worth keeping: security events, firmware, diagnostics, log status, data transfer.

    `kind` is the station's own name of the message; `text` its payload as JSON.
    """

    kind: str
    status: str | None = None
    at: datetime | None = None
    text: str


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """A call that is answered with an error but kept in the wire log all the same."""

    reason: str


class BootAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Registration status (Accepted, Pending, Rejected), our time, heartbeat interval in seconds."""

    status: str
    now: datetime
    interval: int


class TimeAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Our time, in answer to a heartbeat."""

    now: datetime


class Acknowledged(msgspec.Struct, frozen=True, kw_only=True):
    """The message is kept; there is nothing more to say."""


class Unreadable(msgspec.Struct, frozen=True, kw_only=True):
    """A transaction message that cannot be read even with tolerance; its frame is kept for a person."""

    action: str
    reason: str


class Connected(msgspec.Struct, frozen=True, kw_only=True):
    """The station opened a socket and speaks this OCPP version."""

    version: str


class Disconnected(msgspec.Struct, frozen=True, kw_only=True):
    """The station's socket is gone."""


class Silent(msgspec.Struct, frozen=True, kw_only=True):
    """The station has been without a socket for so long that its last status cannot be trusted."""


class SetUp(msgspec.Struct, frozen=True, kw_only=True):
    """The operator put the station: where it stands and which connectors are which."""

    state: Admission | None = None
    location_id: str | None = None
    connectors: tuple[ConnectorLink, ...] = ()
    security_profile: int | None = None
    uid_order: UidOrder = UidOrder.AS_READ


class Learned(msgspec.Struct, frozen=True, kw_only=True):
    """What the house has found out about a station by asking it; None: nothing new."""

    commissioning: Commissioning | None = None
    connection_timeout: int | None = None
    triggers: bool | None = None


class CloseTransaction(msgspec.Struct, frozen=True, kw_only=True):
    """The operator ends a transaction by hand, from the last good reading."""

    ref: str


class CloseOverdue(msgspec.Struct, frozen=True, kw_only=True):
    """Housekeeping: close what has shown its end, or said nothing for days."""


class StartAwaited(msgspec.Struct, frozen=True, kw_only=True):
    """The station agreed to a remote start: `grant` says whose it is and how its session is called."""

    grant: Grant
    id_tag: str
    evse_uid: str | None = None


class StartOverdue(msgspec.Struct, frozen=True, kw_only=True):
    """Housekeeping: no transaction followed a remote start in time."""

    session_id: str
