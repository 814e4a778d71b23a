"""Accounts: what passed between two parties behind the hub in a month, counted in memory and written in batches."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import NamedTuple

import msgspec

from app.domain.cdrs import ChargeDetailRecord
from app.domain.parties import Party
from app.kit import logs
from app.kit.clock import Clock
from app.outbox.delivered import records_told, sessions_told
from app.store.database.engine import Store
from app.store.database.errors import StoreError
from app.store.hub import accounts as hub_accounts
from app.store.hub import clearing
from app.store.hub.accounts import Between
from app.store.hub.clearing import HubCdrRow
from ocpi.headers import Routing
from ocpi.partners.desk import HUB
from ocpi.partners.registry import PartnerRegistry

_log = logs.get("ocpi.hub")
_NO_CURRENCY = "XXX"
"""ISO 4217: of records that name none."""


class Accounts:
    """Counts messages; what was counted in the seconds before a crash is lost, nothing else."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._counted: Counter[Between] = Counter()
        self._month, self._until = "", datetime.min.replace(tzinfo=UTC)

    def passed(self, routing: Routing) -> None:
        """A message of the sender was taken, by the receiver or by the hub itself."""
        if routing.sender is not None and routing.to is not None:
            self.count(Party(*routing.sender.key), Party(*routing.to.key))

    def count(self, sender: Party, receiver: Party) -> None:
        """One message more; both in folded form."""
        now = self._clock.now()
        if now >= self._until:
            start, self._until = month_of(now.year, now.month)
            self._month = f"{start:%Y-%m}"
        self._counted[Between(self._month, sender, receiver)] += 1

    async def keep(self) -> None:
        """Write what was counted; done by a periodic task, before a question, and at the end."""
        if not self._counted:
            return
        counted, self._counted = self._counted, Counter()
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await hub_accounts.count(unit.session, counted)
        except StoreError as error:
            _log.warning("the hub's accounts could not be written", error=str(error))
            self._counted.update(counted)


class Amount(msgspec.Struct, kw_only=True):
    """The records in one currency; without VAT known for all of them no sum with VAT."""

    cdrs: int = 0
    excl_vat: Decimal = Decimal(0)
    incl_vat: Decimal | None = Decimal(0)


class Account(msgspec.Struct, kw_only=True):
    """From one party to another. Records and their kWh in the month of delivery, credits below zero."""

    sender: Party
    receiver: Party
    messages: int = 0
    sessions: int = 0
    kwh: Decimal = Decimal(0)
    amounts: dict[str, Amount] = msgspec.field(default_factory=dict)


class _Billed(NamedTuple):
    """What counts of a delivered record."""

    sender: Party
    receiver: Party
    currency: str
    kwh: Decimal
    excl_vat: Decimal
    incl_vat: Decimal | None


def month_of(year: int, month: int) -> tuple[datetime, datetime]:
    """Beginning and end of a month in UTC."""
    begin = datetime(year, month, 1, tzinfo=UTC)
    return begin, datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)


async def accounts_of(
    store: Store, registry: PartnerRegistry, ours: Party, year: int, month: int
) -> list[Account]:
    """Every pair of parties that had to do with each other in a month, in order of their names.

    Call `Accounts.keep` before. What our own CPO told parties behind the hub is in it.
    """
    start, end = month_of(year, month)
    behind = [partner.id for partner in registry.all() if partner.platform == HUB]
    async with store.reading() as session:
        messages = await hub_accounts.messages_of(session, f"{start:%Y-%m}")
        sessions = await hub_accounts.sessions_between(session, start, end)
        sessions += [(ours, party, many) for party, many in await sessions_told(session, behind, start, end)]
        billed = [_theirs(row) for row in await clearing.delivered_between(session, start, end)]
        billed += [_own(ours, record) for record in await records_told(session, behind, start, end)]
    found: dict[tuple[Party, Party], Account] = {}
    for row in messages:
        _of(found, _party(row.sender), _party(row.receiver)).messages = row.messages
    for sender, receiver, many in sessions:
        _of(found, sender, receiver).sessions += many
    _add(found, billed)
    return sorted(found.values(), key=lambda each: (str(each.sender), str(each.receiver)))


def summed(accounts: Sequence[Account]) -> Account:
    """All of them together; the parties are empty."""
    total = Account(sender=Party("", ""), receiver=Party("", ""))
    for each in accounts:
        total.messages += each.messages
        total.sessions += each.sessions
        total.kwh += each.kwh
        for currency, amount in each.amounts.items():
            _count(total, currency, amount)
    return total


def _of(found: dict[tuple[Party, Party], Account], sender: Party, receiver: Party) -> Account:
    pair = sender.folded(), receiver.folded()
    return found.setdefault(pair, Account(sender=pair[0], receiver=pair[1]))


def _add(found: dict[tuple[Party, Party], Account], billed: Iterable[_Billed]) -> None:
    for each in billed:
        account = _of(found, each.sender, each.receiver)
        account.kwh += each.kwh
        _count(account, each.currency, Amount(cdrs=1, excl_vat=each.excl_vat, incl_vat=each.incl_vat))


def _count(account: Account, currency: str, amount: Amount) -> None:
    known = account.amounts.setdefault(currency, Amount())
    known.cdrs += amount.cdrs
    known.excl_vat += amount.excl_vat
    both = known.incl_vat is not None and amount.incl_vat is not None
    known.incl_vat = known.incl_vat + amount.incl_vat if both else None  # type: ignore[operator]


def _theirs(row: HubCdrRow) -> _Billed:
    return _Billed(
        _party(row.owner),
        _party(row.receiver),
        row.currency or _NO_CURRENCY,
        row.kwh or Decimal(0),
        row.excl_vat or Decimal(0),
        row.incl_vat,
    )


def _own(ours: Party, record: ChargeDetailRecord) -> _Billed:
    sign = -1 if record.credit else 1
    total = record.total_cost
    incl = None if total is None or total.incl_vat is None else sign * abs(total.incl_vat)
    excl = Decimal(0) if total is None else sign * abs(total.excl_vat)
    receiver = Party(record.token.country_code, record.token.party_id)
    return _Billed(ours, receiver, record.currency, sign * abs(record.total_energy), excl, incl)


def _party(name: str) -> Party:
    country, _, party = name.partition("-")
    return Party(country, party)
