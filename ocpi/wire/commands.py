"""The Commands module."""

from enum import StrEnum

from ocpi.wire.base import CiString36, DateTime, Integer, Url, WireModel
from ocpi.wire.tokens import Token
from ocpi.wire.types import DisplayText


class CommandType(StrEnum):
    """What can be asked of a charge point."""

    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    RESERVE_NOW = "RESERVE_NOW"
    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"


class CommandResponseType(StrEnum):
    """Whether a command is passed on to the charge point."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class CommandResultType(StrEnum):
    """What the charge point said, or that it said nothing."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


class StartSession(WireModel):
    """Let this token charge."""

    response_url: Url
    token: Token
    location_id: CiString36
    evse_uid: CiString36 | None = None
    connector_id: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class StopSession(WireModel):
    """End a running session."""

    response_url: Url
    session_id: CiString36


class ReserveNow(WireModel):
    """Keep an EVSE free for this token until `expiry_date`."""

    response_url: Url
    token: Token
    expiry_date: DateTime
    reservation_id: CiString36
    location_id: CiString36
    evse_uid: CiString36 | None = None
    authorization_reference: CiString36 | None = None


class CancelReservation(WireModel):
    """Give up a reservation."""

    response_url: Url
    reservation_id: CiString36


class UnlockConnector(WireModel):
    """Let go of the plug."""

    response_url: Url
    location_id: CiString36
    evse_uid: CiString36
    connector_id: CiString36


class CommandResponse(WireModel):
    """The answer at once; the result follows within `timeout` seconds."""

    result: CommandResponseType
    timeout: Integer
    message: list[DisplayText] = []


class CommandResult(WireModel):
    """What came of a command that was accepted."""

    result: CommandResultType
    message: list[DisplayText] = []
