"""Remote commands: what an eMSP or an operator wants of a station, and the one result it is told."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.domain.parties import Party


class CommandType(StrEnum):
    """OCPI 2.2.1 mod_commands, CommandType enum."""

    CANCEL_RESERVATION = "CANCEL_RESERVATION"
    RESERVE_NOW = "RESERVE_NOW"
    START_SESSION = "START_SESSION"
    STOP_SESSION = "STOP_SESSION"
    UNLOCK_CONNECTOR = "UNLOCK_CONNECTOR"


class CommandReply(StrEnum):
    """OCPI 2.2.1 mod_commands, CommandResponseType enum: whether a command is passed on."""

    ACCEPTED = "ACCEPTED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    UNKNOWN_SESSION = "UNKNOWN_SESSION"


class CommandResult(StrEnum):
    """OCPI 2.2.1 mod_commands, CommandResultType enum: what the station said."""

    ACCEPTED = "ACCEPTED"
    CANCELED_RESERVATION = "CANCELED_RESERVATION"
    EVSE_OCCUPIED = "EVSE_OCCUPIED"
    EVSE_INOPERATIVE = "EVSE_INOPERATIVE"
    FAILED = "FAILED"
    NOT_SUPPORTED = "NOT_SUPPORTED"
    REJECTED = "REJECTED"
    TIMEOUT = "TIMEOUT"
    UNKNOWN_RESERVATION = "UNKNOWN_RESERVATION"


class StartOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Let this id tag charge; `evse` None leaves the choice to the station."""

    id_tag: str
    evse: int | None = None


class StopOrder(msgspec.Struct, frozen=True, kw_only=True):
    """End the transaction with the station's number."""

    transaction_id: int


class UnlockOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Let go of the plug."""

    evse: int


class ReserveOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Keep an EVSE (None: any) free for an id tag until `expires_at`; `number` is ours, unique over partners.

    Tags with the same `parent_id_tag` may use it, too.
    """

    number: int
    id_tag: str
    expires_at: datetime
    evse: int | None = None
    parent_id_tag: str | None = None


class CancelOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Give up the reservation with our number."""

    number: int


Order = StartOrder | StopOrder | UnlockOrder | ReserveOrder | CancelOrder


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """Who sent a command: a party of a partner, who is told the result at `response_url`."""

    partner_id: str
    party: Party
    response_url: str


class RemoteCommand(msgspec.Struct, frozen=True, kw_only=True):
    """A command under way. `asker` None: an operator of ours. `due_at`: then it ends as TIMEOUT.

    `session_id` is the name that the session of a START_SESSION will have; `number` that of the reservation.
    """

    id: str
    type: CommandType
    station_id: str
    asker: Asker | None = None
    session_id: str | None = None
    number: int | None = None
    created_at: datetime
    due_at: datetime


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """A result on its way to a partner: POSTed to `url` until `until`, never later."""

    id: str
    partner_id: str
    party: Party
    url: str
    result: CommandResult
    until: datetime
    created_at: datetime
