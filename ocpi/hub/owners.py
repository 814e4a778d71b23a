"""Whose an object is: learned from the URLs of messages that pass, asked where a message names no receiver."""

from collections import OrderedDict
from typing import NamedTuple

import msgspec
from sqlalchemy.ext.asyncio import AsyncSession

from app.domain.parties import Party
from app.kit import logs
from app.kit.clock import Clock
from app.store import locations, sessions, tariffs
from app.store.database.columns import micros
from app.store.database.engine import Store
from app.store.database.errors import StoreError
from app.store.hub import objects as rows
from ocpi.errors import NotEnoughInformationError, UnknownReceiverError, UnknownTokenError
from ocpi.hub.routing import Kind, Message, Wanted
from ocpi.modules import InterfaceRole, ModuleId

_log = logs.get("ocpi.hub")
_MOST_REMEMBERED = 100_000
_MODULES = {Kind.LOCATION: ModuleId.LOCATIONS, Kind.TOKEN: ModuleId.TOKENS, Kind.TARIFF: ModuleId.TARIFFS}


class Fact(NamedTuple):
    """This party has this object; `issuer` is the eMSP of its token, where there is one."""

    kind: Kind
    key: str
    owner: Party
    issuer: Party | None = None


class Owners:
    """What was learned is written now and then, in one go: it may be lost in a crash, and is learned again."""

    def __init__(self, store: Store, clock: Clock, ours: Party) -> None:
        self._store = store
        self._clock = clock
        self._ours = ours.folded()
        self._known: OrderedDict[Fact, None] = OrderedDict()
        self._new: dict[Fact, None] = {}

    def learn(self, fact: Fact) -> None:
        """Remember it; quick, and never in the way of a message."""
        if fact in self._known:
            self._known.move_to_end(fact)
            return
        self._known[fact] = None
        self._new[fact] = None
        if len(self._known) > _MOST_REMEMBERED:
            self._known.popitem(last=False)

    async def keep(self) -> None:
        """Write what is new; done by a periodic task, and before a question."""
        if not self._new:
            return
        new, self._new = self._new, {}
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await rows.learn(unit.session, [_row(fact, micros(unit.now())) for fact in new])
        except StoreError as error:
            _log.warning("what was learned of owners could not be written", error=str(error))
            self._new = new | self._new

    async def find(self, wanted: Wanted, sender: Party) -> Party:
        """The one party that can be meant. A sender means nobody else's driver, and never itself.

        Raises UnknownTokenError (2004), UnknownReceiverError (4001) or NotEnoughInformationError (2002).
        """
        found = await self.candidates(wanted, sender)
        if len(found) == 1:
            return found.pop()
        if found:
            raise NotEnoughInformationError(
                f"several parties have a {wanted.kind} {wanted.id}: name one in the OCPI-to headers"
            )
        if wanted.kind is Kind.TOKEN:
            raise UnknownTokenError("nobody here is known to have this token")
        raise UnknownReceiverError(f"nobody here is known to have a {wanted.kind} {wanted.id}")

    async def candidates(self, wanted: Wanted, sender: Party) -> set[Party]:
        """Everybody that can be meant."""
        await self.keep()
        async with self._store.reading() as session:
            found = await self._candidates(session, wanted, sender)
        found.discard(sender)
        return found

    async def _candidates(self, session: AsyncSession, wanted: Wanted, sender: Party) -> set[Party]:
        key = wanted.id.upper()
        learned = await rows.owners(session, wanted.kind, key)
        if wanted.issuer:
            return {issuer for owner, issuer in learned if issuer is not None and owner == sender}
        if wanted.kind in (Kind.SESSION, Kind.RESERVATION):
            mine = {owner for owner, issuer in learned if issuer in (None, sender)}
        else:
            mine = {owner for owner, _ in learned}
        module = _MODULES.get(wanted.kind)
        if module is not None:
            mine |= await rows.owners_told(session, module, key)
        if await self._is_ours(session, wanted):
            mine.add(self._ours)
        return mine

    async def _is_ours(self, session: AsyncSession, wanted: Wanted) -> bool:
        match wanted.kind:
            case Kind.LOCATION:
                location = await locations.get(session, wanted.id)
                return location is not None and location.roaming
            case Kind.SESSION:
                return await sessions.get(session, wanted.id) is not None
            case Kind.TARIFF:
                return await tariffs.get(session, wanted.id) is not None
            case _:
                return False


class _Reservation(msgspec.Struct):
    """The one member of a RESERVE_NOW that is looked at."""

    reservation_id: str


def facts_of(message: Message, to: Party, body: bytes) -> list[Fact]:
    """What the URL and the parties of a message that was taken tell, and of a reservation its name."""
    if message.module is ModuleId.COMMANDS and message.segments == ("RESERVE_NOW",):
        try:
            name = msgspec.json.decode(body, type=_Reservation).reservation_id
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return []
        return [Fact(Kind.RESERVATION, name.upper(), to.folded(), message.sender)]
    if message.role is not InterfaceRole.RECEIVER or message.method not in ("PUT", "PATCH"):
        return []
    match message.module:
        case ModuleId.LOCATIONS:
            return [Fact(Kind.LOCATION, message.segments[2].upper(), message.sender)]
        case ModuleId.TOKENS:
            return [Fact(Kind.TOKEN, message.segments[2].upper(), message.sender)]
        case ModuleId.SESSIONS:
            return [Fact(Kind.SESSION, message.segments[2].upper(), message.sender, to.folded())]
        case _:
            return []


def _row(fact: Fact, stamp: int) -> tuple[object, ...]:
    issuer = fact.issuer or Party("", "")
    return (
        fact.kind.value, fact.key, fact.owner.country_code, fact.owner.party_id, issuer.country_code, issuer.party_id,
        stamp,
    )  # fmt: skip
