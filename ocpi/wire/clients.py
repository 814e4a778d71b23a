"""The HubClientInfo module: the parties behind a hub, and whether they can be reached."""

from enum import StrEnum

from ocpi.wire.base import CountryCode, DateTime, PartyId, WireModel
from ocpi.wire.types import Role


class ConnectionStatus(StrEnum):
    """Whether a party can be reached through the hub."""

    CONNECTED = "CONNECTED"
    OFFLINE = "OFFLINE"
    PLANNED = "PLANNED"
    SUSPENDED = "SUSPENDED"


class ClientInfo(WireModel):
    """One party in one role."""

    party_id: PartyId
    country_code: CountryCode
    role: Role
    status: ConnectionStatus
    last_updated: DateTime
