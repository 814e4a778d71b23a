"""The settlement of a month: issued records by eMSP, priced apart by VAT rate."""

import asyncio
from collections.abc import Collection
from datetime import UTC, datetime
from typing import NamedTuple

from app.domain.parties import Party
from app.domain.records.settlement import Entry, Totals, entry, totals
from app.store import cdrs
from app.store.cdrs import StoredCdr
from app.store.database.engine import Store

_PAGE = 500


class Settled(NamedTuple):
    """A record in the settlement, and when it was issued."""

    entry: Entry
    issued_at: datetime


class Settlement(NamedTuple):
    """What one eMSP owes for a month."""

    owner: Party
    records: list[Settled]
    totals: Totals


async def settle(
    store: Store, year: int, month: int, owners: Collection[Party] | None = None
) -> list[Settlement]:
    """The settlements of a month in UTC, one for each eMSP that had records, or only for these."""
    begin = datetime(year, month, 1, tzinfo=UTC)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=UTC)
    by_owner: dict[Party, list[Settled]] = {}
    offset = 0
    async with store.reading() as session:
        while page := await cdrs.issued_within(
            session, begin, end, owners=owners, limit=_PAGE, offset=offset
        ):
            offset += len(page)
            for settled in await asyncio.to_thread(_settled, page):
                token = settled.entry.record.token
                by_owner.setdefault(Party(token.country_code, token.party_id).folded(), []).append(settled)
    return [
        Settlement(owner, records, totals(each.entry for each in records))
        for owner, records in by_owner.items()
    ]


def _settled(page: list[StoredCdr]) -> list[Settled]:
    return [Settled(entry(each.record), each.decided_at or each.created_at) for each in page]
