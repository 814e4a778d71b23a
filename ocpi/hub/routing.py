"""Where a message goes: one decision with its reason, made of headers, URL and as little content as will do.

OCPI 2.2.1 transport and format, message routing: to a party by the OCPI-to headers, to everybody by those of the
hub, by content where there are none. Nothing here touches the network or the database.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, NamedTuple

from app.domain.parties import Party
from ocpi.errors import (
    InvalidParameterError,
    MethodNotAllowedError,
    NotEnoughInformationError,
    NotFoundError,
    UnknownReceiverError,
)
from ocpi.headers import RoutedParty
from ocpi.modules import InterfaceRole, ModuleId


class Reason(StrEnum):
    """Why a message goes where it goes."""

    TO_HEADER = "to-header"
    OWNER = "owner of object"
    ISSUER = "token issuer"
    BROADCAST = "broadcast"
    HERE = "here"


class Kind(StrEnum):
    """What a message without receiver names instead of one."""

    LOCATION = "location"
    TARIFF = "tariff"
    TOKEN = "token"  # noqa: S105 - a kind of object
    SESSION = "session"
    RESERVATION = "reservation"


class Message(NamedTuple):
    """What is known of a message before its body is read; `sender` in folded form, `segments` behind the interface."""

    module: ModuleId
    role: InterfaceRole
    method: str
    segments: tuple[str, ...]
    to: RoutedParty | None
    sender: Party


class Route(NamedTuple):
    """The decision: the receiver, None where it is the hub itself."""

    reason: Reason
    to: RoutedParty | None = None


class Wanted(NamedTuple):
    """The receiver is whoever has this object; for a session `issuer` asks for the eMSP instead of the CPO."""

    reason: Reason
    kind: Kind
    id: str
    issuer: bool = False


class Sealed(NamedTuple):
    """A path of a link of ours that leads to a party, instead of a path of the interface."""

    to: RoutedParty
    path: str


BROADCAST: dict[ModuleId, frozenset[str]] = {
    ModuleId.LOCATIONS: frozenset({"PUT", "PATCH"}),
    ModuleId.TARIFFS: frozenset({"PUT", "DELETE"}),
    ModuleId.TOKENS: frozenset({"PUT", "PATCH"}),
}
"""What may be told to everybody. DELETE is in no list of the specification, and tariffs have no other end."""

OWNED = frozenset({ModuleId.LOCATIONS, ModuleId.SESSIONS, ModuleId.TARIFFS, ModuleId.TOKENS})
"""Modules whose RECEIVER URLs begin with the owner of the object."""

METHODS: dict[tuple[ModuleId, InterfaceRole], dict[tuple[str, ...], str]] = {
    (ModuleId.LOCATIONS, InterfaceRole.SENDER): {
        (): "GET",
        ("*",): "GET",
        ("*",) * 2: "GET",
        ("*",) * 3: "GET",
    },
    (ModuleId.LOCATIONS, InterfaceRole.RECEIVER): dict.fromkeys(
        (("*",) * 3, ("*",) * 4, ("*",) * 5), "GET PUT PATCH"
    ),
    (ModuleId.SESSIONS, InterfaceRole.SENDER): {(): "GET", ("*", "charging_preferences"): "PUT"},
    (ModuleId.SESSIONS, InterfaceRole.RECEIVER): {("*",) * 3: "GET PUT PATCH"},
    (ModuleId.CDRS, InterfaceRole.SENDER): {(): "GET"},
    (ModuleId.CDRS, InterfaceRole.RECEIVER): {
        (): "POST",
        ("*",): "GET",
        ("*",) * 2: "GET",
        ("*",) * 3: "GET",
    },
    (ModuleId.TARIFFS, InterfaceRole.SENDER): {(): "GET"},
    (ModuleId.TARIFFS, InterfaceRole.RECEIVER): {("*",) * 3: "GET PUT DELETE"},
    (ModuleId.TOKENS, InterfaceRole.SENDER): {(): "GET", ("*", "authorize"): "POST"},
    (ModuleId.TOKENS, InterfaceRole.RECEIVER): {("*",) * 3: "GET PUT PATCH"},
    (ModuleId.COMMANDS, InterfaceRole.RECEIVER): {("*",): "POST"},
    (ModuleId.COMMANDS, InterfaceRole.SENDER): {},
    (ModuleId.CHARGING_PROFILES, InterfaceRole.RECEIVER): {("*",): "GET PUT DELETE"},
    (ModuleId.CHARGING_PROFILES, InterfaceRole.SENDER): {("*",): "PUT"},
}
"""What an interface answers to, by the shape of the path behind it."""

_NO_SEGMENTS = frozenset({"", ".", ".."})


def check_shape(message: Message) -> None:
    """Raise NotFoundError (404) or MethodNotAllowedError (405) for what no interface of the module has."""
    shapes = METHODS[message.module, message.role]
    allowed = next((methods for shape, methods in shapes.items() if _fits(shape, message.segments)), None)
    if allowed is None or any(map(_odd, message.segments)):
        raise NotFoundError("there is nothing at this URL")
    if message.method not in allowed.split():
        raise MethodNotAllowedError(f"{message.method} is not possible here, only {allowed}")


def check_owner(message: Message) -> None:
    """Raise InvalidParameterError (2001) for a push of an object that is not the sender's."""
    if message.role is InterfaceRole.RECEIVER and message.module in OWNED and message.method != "GET":
        owner = Party(*message.segments[:2]).folded()
        if owner != message.sender:
            raise InvalidParameterError(
                f"the object belongs to {owner}, and the message comes from {message.sender}"
            )


def decide(message: Message, hub: Party, body: Callable[[], Any]) -> Route | Wanted:
    """Where a message goes; `body` reads it, and is called only where nothing else says so.

    Raises InvalidParameterError for what may not be told to everybody, NotEnoughInformationError for a list without
    receiver, UnknownReceiverError where the content leads nowhere.
    """
    if message.to is None:
        return _by_content(message, body)
    if Party(*message.to.key) != hub.folded():
        return Route(Reason.TO_HEADER, message.to)
    if is_list(message):
        return _everybodys(message)
    if message.role is InterfaceRole.RECEIVER:
        return _broadcast(message)
    return _by_content(message, body)


def is_list(message: Message) -> bool:
    """Whether this is a GET of a whole list."""
    return message.role is InterfaceRole.SENDER and message.method == "GET" and not message.segments


def _everybodys(message: Message) -> Route:
    if message.module not in BROADCAST:
        raise InvalidParameterError(
            f"the hub keeps no {message.module} of others: name the party in the OCPI-to headers"
        )
    return Route(Reason.HERE)


def _broadcast(message: Message) -> Route:
    if message.method not in BROADCAST.get(message.module, frozenset()):
        raise InvalidParameterError(f"{message.method} of {message.module} cannot be addressed to the hub")
    return Route(Reason.BROADCAST)


def _by_content(message: Message, body: Callable[[], Any]) -> Route | Wanted:
    if is_list(message):
        raise NotEnoughInformationError(
            "OCPI-to-country-code and OCPI-to-party-id are needed: a party, or the hub"
        )
    if message.role is InterfaceRole.SENDER:
        return _of_sender(message)
    match message.module:
        case ModuleId.COMMANDS:
            return _of_command(message.segments[0], _members(body()))
        case ModuleId.CHARGING_PROFILES:
            return Wanted(Reason.OWNER, Kind.SESSION, message.segments[0])
        case ModuleId.CDRS:
            if message.method == "POST":
                return Route(Reason.ISSUER, _issuer(_members(body())))
            raise UnknownReceiverError("this URL does not say whose CDR it is")
        case ModuleId.SESSIONS:
            return _of_session(message, body)
        case _:
            return Route(Reason.HERE if message.method == "GET" else Reason.BROADCAST)


def _of_sender(message: Message) -> Wanted:
    first = message.segments[0]
    match message.module:
        case ModuleId.LOCATIONS:
            return Wanted(Reason.OWNER, Kind.LOCATION, first)
        case ModuleId.TOKENS:
            return Wanted(Reason.ISSUER, Kind.TOKEN, first)
        case ModuleId.CHARGING_PROFILES:
            return Wanted(Reason.ISSUER, Kind.SESSION, first, issuer=True)
        case _:
            return Wanted(Reason.OWNER, Kind.SESSION, first)


def _of_session(message: Message, body: Callable[[], Any]) -> Route | Wanted:
    if message.method != "GET":
        members = _members(body())
        if members.get("cdr_token") is not None:
            return Route(Reason.ISSUER, _issuer(members))
    return Wanted(Reason.ISSUER, Kind.SESSION, message.segments[2], issuer=True)


_NAMED: dict[str, tuple[Kind, str]] = {
    "START_SESSION": (Kind.LOCATION, "location_id"),
    "RESERVE_NOW": (Kind.LOCATION, "location_id"),
    "UNLOCK_CONNECTOR": (Kind.LOCATION, "location_id"),
    "STOP_SESSION": (Kind.SESSION, "session_id"),
    "CANCEL_RESERVATION": (Kind.RESERVATION, "reservation_id"),
}


def _of_command(command: str, members: dict[str, Any]) -> Wanted:
    if command not in _NAMED:
        raise NotFoundError("there is no such command")
    kind, field = _NAMED[command]
    named = members.get(field)
    if not isinstance(named, str) or not named:
        raise InvalidParameterError(f"{field} is missing or no string")
    return Wanted(Reason.OWNER, kind, named)


def _issuer(members: dict[str, Any]) -> RoutedParty:
    token = members.get("cdr_token")
    if isinstance(token, dict):
        country, party = token.get("country_code"), token.get("party_id")
        if isinstance(country, str) and isinstance(party, str) and country and party:
            return RoutedParty(country, party)
    raise InvalidParameterError("cdr_token does not say whose token it is")


def _members(body: Any) -> dict[str, Any]:
    if not isinstance(body, dict):
        raise InvalidParameterError("the body is no object")
    return body


def _odd(segment: str) -> bool:
    """Whether a receiver that decodes a URL before it reads the path would end up somewhere else."""
    parts = segment.replace("\\", "/").split("/")
    return segment in _NO_SEGMENTS or bool(_NO_SEGMENTS & set(parts)) or not segment.isprintable()


def _fits(shape: tuple[str, ...], segments: tuple[str, ...]) -> bool:
    return len(shape) == len(segments) and all(
        part in ("*", segment) for part, segment in zip(shape, segments, strict=True)
    )
