"""Objects that the hub read from a party's own list: merged with what it was told, the newest wins.

OCPI 2.2.1 transport, GET ALL: the hub's lists show the objects of parties that never tell everybody, too.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.domain.parties import Party, Role
from app.store import hub as rows
from ocpi.hub import our_tokens
from ocpi.hub.hub import Hub
from ocpi.hub.objects import KINDS, id_of, last_updated_of, write
from ocpi.hub.owners import Fact
from ocpi.hub.routing import Message
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner

LISTS = {ModuleId.TARIFFS: Role.CPO, ModuleId.LOCATIONS: Role.CPO, ModuleId.TOKENS: Role.EMSP}
"""What is read, of parties in which role; tariffs before the locations that name them."""

_KEYS = {ModuleId.TARIFFS: "id", ModuleId.LOCATIONS: "id", ModuleId.TOKENS: "uid"}
_TYPES = frozenset({"AD_HOC_USER", "APP_USER", "OTHER", "RFID"})

_encode = msgspec.json.Encoder(decimal_format="number").encode


class Merged(NamedTuple):
    """What became of a page: objects that were new or newer, and entries that are none of the platform's objects."""

    kept: int
    skipped: int


class _Item(NamedTuple):
    """An entry of a list as if its owner had told everybody."""

    id: str
    message: Message
    body: bytes
    type_: str
    last_updated: datetime


async def merge(hub: Hub, partner: Partner, module: ModuleId, entries: Sequence[Any]) -> Merged:
    """Keep the entries of one page that are newer than what is known, and have them told; one transaction."""
    items = {item.id: item for entry in entries if (item := _item(partner, module, entry)) is not None}
    kept: list[_Item] = []
    async with hub.store.unit_of_work(hub.clock) as unit:
        known = await rows.objects(unit.session, items)
        for item in items.values():
            row = known.get(item.id)
            if row is not None and row.last_updated >= item.last_updated:
                continue
            query = f"type={item.type_}" if item.type_ else ""
            write(unit, item.message, row, item.body, whole=item.body, query=query, sender_id=partner.id)
            if (also := our_tokens.keeper(hub, item.message)) is not None:
                await also(unit, item.body)
            kept.append(item)
    for item in kept:
        hub.owners.learn(Fact(KINDS[module], item.message.segments[2].upper(), item.message.sender))
    return Merged(len(kept), len(entries) - len(items))


def _item(partner: Partner, module: ModuleId, entry: Any) -> _Item | None:
    """None for what has no owner, id or time, and for an object of somebody else."""
    if not isinstance(entry, dict):
        return None
    names = [entry.get(name) for name in ("country_code", "party_id", _KEYS[module])]
    stamp = last_updated_of(entry)
    if stamp is None or not all(isinstance(name, str) and name for name in names):
        return None
    type_ = entry.get("type") if module is ModuleId.TOKENS else ""
    owner = Party(names[0], names[1]).folded()  # type: ignore[arg-type]
    if not partner.owns(owner, LISTS[module]) or (module is ModuleId.TOKENS and type_ not in _TYPES):
        return None
    segments = (owner.country_code, owner.party_id, str(names[2]))
    message = Message(module, InterfaceRole.RECEIVER, "PUT", segments, None, owner)
    return _Item(id_of(message, str(type_)), message, _encode(entry), str(type_), stamp)
