"""The facts the house announces; partners hear of them through subscribers, in the same transaction."""

from datetime import datetime

import msgspec

from app.domain.parties import Party


class EvseStatusChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A station changed what drivers see of an EVSE."""

    location_id: str
    evse_uid: str
    at: datetime


class LocationChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An operator put a location; `roaming` tells whether OCPI may know it."""

    location_id: str
    roaming: bool
    at: datetime


class TariffChanged(msgspec.Struct, frozen=True, kw_only=True):
    """An operator put or withdrew a tariff."""

    tariff_id: str
    at: datetime


class SessionChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A session that partners may see changed.

    `owner` is the eMSP of its token; `whole` means that charging periods changed, so that a partner needs
    the whole object (receivers append the periods of a PATCH).
    """

    session_id: str
    owner: Party
    whole: bool
    at: datetime


class CdrIssued(msgspec.Struct, frozen=True, kw_only=True):
    """A CDR is final and goes to `owner`, the eMSP of its token."""

    cdr_id: str
    owner: Party
    at: datetime


class CommandEnded(msgspec.Struct, frozen=True, kw_only=True):
    """A partner's command has its result, which is told under `told_id`."""

    told_id: str
    partner_id: str
    at: datetime


class HubResultCame(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a command that was passed on has come back for a partner."""

    result_id: str
    partner_id: str
    at: datetime


class HubObjectChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A party told everybody about an object: it is to be told to those who take the module.

    `sender_id` is the platform it came from; `id` the object's in the hub.
    """

    module: str
    id: str
    owner: Party
    sender_id: str
    at: datetime


class HubClientChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A party behind the hub came, went, or can be reached or no longer be reached.

    `partner_id` is the platform that it is on, empty for our own CPO.
    """

    id: str
    partner_id: str
    at: datetime


class HubAgreementChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Two parties agreed on what may pass between them, or ended it."""

    one: Party
    other: Party
    at: datetime


class StationChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A station was put, let in, connected or lost."""

    station_id: str


class StationConnected(msgspec.Struct, frozen=True, kw_only=True):
    """A station opened a socket."""

    station_id: str
    at: datetime


class TokenChanged(msgspec.Struct, frozen=True, kw_only=True):
    """A token was put, by its issuer or by us."""

    country_code: str
    party_id: str
    uid: str


Event = (
    EvseStatusChanged
    | LocationChanged
    | TariffChanged
    | SessionChanged
    | CdrIssued
    | CommandEnded
    | HubResultCame
    | HubObjectChanged
    | HubClientChanged
    | HubAgreementChanged
    | StationChanged
    | StationConnected
    | TokenChanged
)


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Partner `partner_id` has yet to be told of version `wanted` of an object.

    `kind` is one of tariff, location, evse, session, cdr, command, or of what the hub passes on: hub_result,
    hub_tariff, hub_location, hub_token, hub_client; `object_id` names it (an EVSE as `location/uid`); `whole` asks for the whole object where a part would do otherwise.
    """

    partner_id: str
    kind: str
    object_id: str
    rank: int
    whole: bool
    wanted: datetime
