"""PartnerRegistry: all partners in memory, found by token, by party and by what they take."""

import asyncio
import math
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from app.domain.audiences import PriceMap, PriceMaps, hidden_from
from app.domain.parties import Party
from app.kit.clock import Clock
from app.store.database.engine import Store
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import tables
from ocpi.partners.partner import Partner, PartnerState
from ocpi.partners.tokens import token_hash


class TokenKind(StrEnum):
    """What a presented token is: the invitation, the working one, or the one that a rotation replaced."""

    INVITATION = "invitation"
    CURRENT = "current"
    PREVIOUS = "previous"


class Known(NamedTuple):
    """Who presented a token, and which of its tokens it was."""

    partner: Partner
    kind: TokenKind
    token: str


class PartnerRegistry:
    """Loaded once; whoever changes a partner calls `reload` after the commit, and `listeners` are told.

    With `shared` other processes change partners, too: each tells the others, who call `refresh`.
    """

    def __init__(self, store: Store, *, shared: bool = False) -> None:
        self.listeners: list[Callable[[str], None]] = []
        self._store = store
        self._shared = shared
        self._looked_at = -math.inf
        self._reading = asyncio.Lock()
        self._used_up: dict[str, str] = {}
        self._partners: dict[str, Partner] = {}
        self._by_hash: dict[str, tuple[str, TokenKind]] = {}
        self._by_party: dict[tuple[str, Party], str] = {}
        self._hearers: dict[tuple[str, ModuleId], tuple[Partner, ...]] = {}
        self._contacts: dict[str, datetime] = {}
        self._prices: dict[Party, PriceMap] = {}
        self._hidden: dict[str, frozenset[str]] = {}

    async def load(self) -> None:
        """Read all partners."""
        async with self._reading:
            async with self._store.reading() as session:
                partners = await tables.load_all(session)
            self._partners = {partner.id: self._as_used(partner) for partner in partners}
            self._index()

    async def reload(self, partner_id: str) -> None:
        """Read one partner that was changed here again, and tell who listens."""
        await self.refresh(partner_id)
        for listener in self.listeners:
            listener(partner_id)

    async def look_again(self, clock: Clock) -> bool:
        """Read all partners again for a caller nobody knows: another process may have just let it in.

        False where there is no other process, or where it was done within the last second.
        """
        if not self._shared or clock.monotonic() - self._looked_at < _LOOK_AGAIN_SECONDS:
            return False
        self._looked_at = clock.monotonic()
        await self.load()
        return True

    async def refresh(self, partner_id: str) -> None:
        """Read one partner again, or forget it where it is gone."""
        # One after the other: what was read before a change must never replace what was read after it.
        async with self._reading:
            async with self._store.reading() as session:
                partner = await tables.load(session, partner_id)
            if partner is None:
                self._partners.pop(partner_id, None)
            else:
                self._partners[partner_id] = self._as_used(partner)
            self._index()

    def find(self, partner_id: str) -> Partner | None:
        """The partner with this id."""
        return self._partners.get(partner_id)

    def all(self) -> tuple[Partner, ...]:
        """Every partner."""
        return tuple(self._partners.values())

    def by_token(self, candidates: tuple[str, ...], now: datetime) -> Known | None:
        """Whose token one of these is. Every candidate is hashed and looked up, whichever fits."""
        found: Known | None = None
        for token in candidates:
            entry = self._by_hash.get(token_hash(token))
            if entry is not None and found is None:
                found = self._known(entry, token, now)
        return found

    def by_party(self, platform: str, party: Party) -> Partner | None:
        """The partner that registered this party on this platform."""
        partner_id = self._by_party.get((platform, party.folded()))
        return None if partner_id is None else self._partners.get(partner_id)

    def receivers(self, platform: str, module: ModuleId) -> tuple[Partner, ...]:
        """The partners on a platform that take pushes of this module."""
        return self._hearers.get((platform, module), ())

    def unreachable(self) -> frozenset[str]:
        """Ids of the partners to whom nothing is sent now, although marks are kept for them."""
        return frozenset(p.id for p in self._partners.values() if not p.reachable)

    def prices(self) -> PriceMaps:
        """The prices of all parties that have their own."""
        return self._prices

    def hidden_from(self, partner: Partner) -> frozenset[str]:
        """The tariffs, by id in upper case, that this partner is not told of."""
        return self._hidden.get(partner.id, frozenset())

    def contacted(self, partner_id: str, now: datetime) -> None:
        """The partner has called us."""
        self._contacts[partner_id] = now

    def last_contact(self, partner: Partner) -> datetime | None:
        """When it last called, what is not written yet included."""
        return self._contacts.get(partner.id, partner.last_contact)

    async def keep_contacts(self, clock: Clock) -> None:
        """Write when partners last called; done every now and then, not on every call."""
        if not self._contacts:
            return
        contacts, self._contacts = self._contacts, {}
        async with self._store.unit_of_work(clock) as unit:
            await tables.save_contacts(unit.session, contacts)
        for partner_id, at in contacts.items():
            partner = self._partners.get(partner_id)
            if partner is not None:
                self._partners[partner_id] = msgspec.structs.replace(partner, last_contact=at)

    def drop_previous(self, partner_id: str) -> None:
        """The partner's replaced token is void from this moment; whoever calls this also stores it."""
        partner = self._partners.get(partner_id)
        if partner is not None and partner.previous_token_hash is not None:
            self._used_up[partner_id] = partner.previous_token_hash
            self._partners[partner_id] = self._as_used(partner)
            self._index()

    def _as_used(self, partner: Partner) -> Partner:
        """The partner without a replaced token that is void already, although the database may not know it yet."""
        void = self._used_up.get(partner.id)
        if void is None or partner.previous_token_hash != void:
            self._used_up.pop(partner.id, None)
            return partner
        return msgspec.structs.replace(partner, previous_token_hash=None, previous_until=None)

    def _known(self, entry: tuple[str, TokenKind], token: str, now: datetime) -> Known | None:
        partner_id, kind = entry
        partner = self._partners[partner_id]
        if kind is TokenKind.PREVIOUS and (partner.previous_until is None or partner.previous_until <= now):
            return None
        return Known(partner, TokenKind.INVITATION if partner.state in _HANDSHAKING else kind, token)

    def _index(self) -> None:
        self._by_hash = {}
        self._by_party = {}
        for partner in self._partners.values():
            if partner.previous_token_hash:
                self._by_hash[partner.previous_token_hash] = (partner.id, TokenKind.PREVIOUS)
            if partner.token_hash:
                self._by_hash[partner.token_hash] = (partner.id, TokenKind.CURRENT)
            self._by_party.update({(partner.platform, p.party): partner.id for p in partner.parties})
        self._index_prices()
        self._hearers = {
            (platform, module): tuple(
                p
                for p in self._partners.values()
                if p.platform == platform
                and p.hears
                and p.endpoint(module, InterfaceRole.RECEIVER) is not None
            )
            for platform in {p.platform for p in self._partners.values()}
            for module in ModuleId
        }

    def _index_prices(self) -> None:
        partners = self._partners.values()
        self._prices = {each.party: p.prices for p in partners if p.prices for each in p.parties}
        special = [p.prices for p in partners if p.prices]
        self._hidden = {p.id: hidden_from(p.prices, special) for p in partners} if special else {}


_LOOK_AGAIN_SECONDS = 1.0
_HANDSHAKING = frozenset({PartnerState.INVITED, PartnerState.REGISTERING})
