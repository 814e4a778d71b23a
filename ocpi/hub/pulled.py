"""Objects that the hub read from a party's own list: merged with what it was told, the newest wins.

OCPI 2.2.1 transport, GET ALL: the hub's lists show the objects of parties that never tell everybody, too. A list that
was read to its end is the whole truth of its owner: what was known before and is not in it is gone.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from app.domain.parties import Party, Role
from app.store.database.columns import micros
from app.store.database.unit_of_work import UnitOfWork
from app.store.hub import objects as rows
from app.store.hub.objects import HubObjectRow
from ocpi.hub import our_tokens
from ocpi.hub.hub import Hub
from ocpi.hub.objects import KINDS, id_of, last_updated_of, unlist, write
from ocpi.hub.owners import Fact
from ocpi.hub.routing import Message
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Partner

LISTS = {ModuleId.TARIFFS: Role.CPO, ModuleId.LOCATIONS: Role.CPO, ModuleId.TOKENS: Role.EMSP}
"""What is read, of parties in which role; tariffs before the locations that name them."""

_KEYS = {ModuleId.TARIFFS: "id", ModuleId.LOCATIONS: "id", ModuleId.TOKENS: "uid"}
_TYPES = frozenset({"AD_HOC_USER", "APP_USER", "OTHER", "RFID"})
_AT_A_TIME = 200

_encode = msgspec.json.Encoder(decimal_format="number").encode


class _Item(NamedTuple):
    """An entry of a list as if its owner had told everybody; without a body where it does not say how new it is."""

    id: str
    message: Message
    type_: str
    body: bytes | None
    last_updated: datetime | None


class Reading:
    """One reading of a list of a platform, for all of its parties. `kept` counts what was new or newer than what is
    known, `skipped` entries that are none of the platform's objects.
    """

    def __init__(self, hub: Hub, partner: Partner, module: ModuleId, began: datetime) -> None:
        self._hub = hub
        self._partner = partner
        self._module = module
        self._began = began
        self._listed: set[str] = set()
        self._owners: set[Party] = set()
        self._unclear = False
        self.entries = self.kept = self.skipped = self.withdrawn = 0

    async def take(self, entries: Sequence[Any]) -> None:
        """Keep the entries of one page that are newer than what is known, and have them told; one transaction."""
        items = {item.id: item for entry in entries if (item := self._item(entry)) is not None}
        self._listed |= items.keys()
        self._owners |= {item.message.sender for item in items.values()}
        readable = [item for item in items.values() if item.body is not None]
        async with self._hub.store.unit_of_work(self._hub.clock) as unit:
            known = await rows.objects(unit.session, items)
            kept = [item for item in readable if await self._keep(unit, item, known.get(item.id))]
        for item in kept:
            key = item.message.segments[2].upper()
            self._hub.owners.learn(Fact(KINDS[self._module], key, item.message.sender))
        self.entries += len(entries)
        self.kept += len(kept)
        self.skipped += len(entries) - len(readable)

    async def finish(self) -> None:
        """The list has come to its end, whole: withdraw what is in it no more and was not told since it was begun.

        Nothing is, where an entry does not say what it is. An owner with nothing at all in its list has what it only
        ever told everybody: such a list may be one for somebody else.
        """
        if self._unclear:
            return
        owners = self._partner.parties_as(LISTS[self._module])
        async with self._hub.store.reading() as session:
            older = await rows.told_before(session, self._module, owners, micros(self._began))
        gone = [
            each.id
            for each in older
            if each.id not in self._listed and (each.listed or each.owner in self._owners)
        ]
        for start in range(0, len(gone), _AT_A_TIME):
            async with self._hub.store.unit_of_work(self._hub.clock) as unit:
                for row in (await rows.objects(unit.session, gone[start : start + _AT_A_TIME])).values():
                    if not row.withdrawn and row.version < micros(self._began):
                        unlist(unit, row, sender_id=self._partner.id)
                        self.withdrawn += 1

    async def _keep(self, unit: UnitOfWork, item: _Item, row: HubObjectRow | None) -> bool:
        """Whether the entry was taken; one that was gone from the list and is back is taken however old it is."""
        assert item.body is not None
        assert item.last_updated is not None
        if row is not None and row.listed is not False and row.last_updated >= item.last_updated:
            row.listed = None if row.withdrawn else True
            return False
        query = f"type={item.type_}" if item.type_ else ""
        row = write(
            unit, item.message, row, item.body, whole=item.body, query=query, sender_id=self._partner.id
        )
        row.listed = True
        if (also := our_tokens.keeper(self._hub, item.message)) is not None:
            await also(unit, item.body)
        return True

    def _item(self, entry: Any) -> _Item | None:
        """None for an object of somebody else, and for what does not say what it is."""
        if not isinstance(entry, dict):
            self._unclear = True
            return None
        names = [entry.get(name) for name in ("country_code", "party_id", _KEYS[self._module])]
        is_token = self._module is ModuleId.TOKENS
        type_ = entry.get("type") if is_token else ""
        if not all(isinstance(name, str) and name for name in names) or (is_token and type_ not in _TYPES):
            self._unclear = True
            return None
        owner = Party(names[0], names[1]).folded()  # type: ignore[arg-type]
        if not self._partner.owns(owner, LISTS[self._module]):
            return None
        segments = (owner.country_code, owner.party_id, str(names[2]))
        message = Message(self._module, InterfaceRole.RECEIVER, "PUT", segments, None, owner)
        stamp = last_updated_of(entry)
        body = None if stamp is None else _encode(entry)
        return _Item(id_of(message, str(type_)), message, str(type_), body, stamp)
