"""What a simulated partner has received: every message, and the objects as they are now."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from ocpi.errors import InvalidParameterError, NotFoundError
from ocpi.wire.base import WireModel, render, same_id
from ocpi.wire.cdrs import CDR
from ocpi.wire.locations import EVSE, Connector, Location
from ocpi.wire.patch import apply_patch
from ocpi.wire.sessions import Session
from ocpi.wire.tariffs import Tariff

_KEPT_MESSAGES = 20_000

Owned = TypeVar("Owned", Location, Session, Tariff)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """One message to a receiver interface; `problem` says what was wrong with it, None when it was taken."""

    at: datetime
    kind: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: Any
    problem: str | None


class Ledger:
    """The memory of a partner. Objects are found by their id; `rejected` counts the messages that broke a rule."""

    def __init__(self) -> None:
        self.messages: deque[Received] = deque(maxlen=_KEPT_MESSAGES)
        self.rejected = 0
        self.locations: dict[str, Location] = {}
        self.sessions: dict[str, Session] = {}
        self.tariffs: dict[str, Tariff] = {}
        self.cdrs: dict[str, CDR] = {}

    def note(self, message: Received) -> None:
        """Write down a message, good or bad."""
        self.messages.append(message)
        self.rejected += message.problem is not None

    def of(self, kind: str) -> Mapping[str, WireModel]:
        """Give the objects of a kind; raises NotFoundError for a kind that we do not receive."""
        kinds: dict[str, Mapping[str, WireModel]] = {
            "locations": self.locations,
            "sessions": self.sessions,
            "tariffs": self.tariffs,
            "cdrs": self.cdrs,
        }
        if kind not in kinds:
            raise NotFoundError("there is no such interface")
        return kinds[kind]

    def find(self, kind: str, path: list[str]) -> WireModel:
        """Find an object, or for a location's `path` of two or three ids its EVSE or connector."""
        found = _entry(self.of(kind), path[0])
        if len(path) > 1:
            found = _child(found.evses if isinstance(found, Location) else [], "uid", path[1])
        if len(path) > 2:
            found = _child(found.connectors if isinstance(found, EVSE) else [], "id", path[2])
        return found

    def put(self, kind: str, path: list[str], body: Any) -> bool:
        """Take a whole object, EVSE or connector; True when it is new."""
        if kind == "locations" and len(path) > 1:
            return self._put_into_location(path, body)
        self.of(kind)
        if kind == "locations":
            return _put(self.locations, path[0], Location.read(body))
        if kind == "sessions":
            return _put(self.sessions, path[0], Session.read(body))
        return _put(self.tariffs, path[0], Tariff.read(body))

    def patch(self, kind: str, path: list[str], body: Any) -> None:
        """Take a partial update of an object that is known."""
        current = self.find(kind, path)
        changed = apply_patch(current, body)
        if isinstance(changed, Session):
            self.sessions[changed.id] = changed
        elif isinstance(changed, Location):
            self.locations[changed.id] = changed
        else:
            self._put_into_location(path, changed.to_wire())

    def post_cdr(self, cdr: CDR) -> bool:
        """Take a CDR; the same once more is fine, another one under its id is not. True when it is new."""
        known = next((each for each in self.cdrs.values() if same_id(each.id, cdr.id)), None)
        if known is not None and render(known) != render(cdr):
            raise InvalidParameterError("a CDR with this id and other content is known")
        self.cdrs.setdefault(cdr.id, cdr)
        return known is None

    def delete_tariff(self, tariff_id: str) -> None:
        """Forget a tariff; raises NotFoundError when it is not known."""
        found = self.find("tariffs", [tariff_id])
        self.tariffs = {key: each for key, each in self.tariffs.items() if each is not found}

    def _put_into_location(self, path: list[str], body: Any) -> bool:
        """Lay an EVSE or connector into its location, whose last_updated follows (2.2.1 locations)."""
        location = self.find("locations", path[:1])
        child = EVSE.read(body) if len(path) == 2 else Connector.read(body)
        _require_same(path[-1], child.uid if isinstance(child, EVSE) else child.id)
        stamp = body["last_updated"]
        if isinstance(child, EVSE):
            evse = child.to_wire()
        else:
            parent = self.find("locations", path[:2]).to_wire()
            others = [each for each in parent["connectors"] if not same_id(each["id"], child.id)]
            evse = parent | {"connectors": [*others, child.to_wire()], "last_updated": stamp}
        whole = location.to_wire()
        evses = whole.get("evses", [])
        kept = [each for each in evses if not same_id(each["uid"], evse["uid"])]
        changed = Location.read(whole | {"evses": [*kept, evse], "last_updated": stamp})
        self.locations[changed.id] = changed
        return len(kept) == len(evses)


def _put(known: dict[str, Owned], object_id: str, sent: Owned) -> bool:
    _require_same(object_id, sent.id)
    new = sent.id not in known
    known[sent.id] = sent
    return new


def _require_same(in_url: str, in_body: str) -> None:
    if not same_id(in_url, in_body):
        raise InvalidParameterError("the id in the URL is not the id in the body")


def _entry(known: Mapping[str, WireModel], object_id: str) -> WireModel:
    for each_id, each in known.items():
        if same_id(each_id, object_id):
            return each
    raise NotFoundError("there is no such object")


def _child(children: Sequence[WireModel], key: str, child_id: str) -> WireModel:
    for each in children:
        if same_id(getattr(each, key), child_id):
            return each
    raise NotFoundError("there is no such object")
