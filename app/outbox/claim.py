"""Taking what is due: the next deliveries of every partner that can be reached, in order, under a lease."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.outbox.outcomes import Claim
from app.outbox.tables import DeliveryRow
from app.store.bulk.statements import ask, query
from app.store.bulk.statements import update as update_many
from app.store.bulk.writer import Batch
from app.store.database.columns import micros, moment
from app.store.nodes import lost

LEASE = timedelta(seconds=45)
"""How long a claimed delivery belongs to its worker; longer than any delivery takes."""

CLAIMING = 0x766F6C74636C6169
"""Advisory lock of PostgreSQL that one worker at a time holds while it claims."""

# An object that failed five times on its own account no longer holds up what comes after it.
_TEXT = """
    WITH {others}held AS MATERIALIZED (
        SELECT partner_id, rank, min(created_at) AS since FROM deliveries
        WHERE state IN ('waiting', 'failing', 'in_flight') AND rank IN (0, 1, 3) AND attempts < 5
        GROUP BY partner_id, rank
    ), shut AS MATERIALIZED (
        SELECT partner_id FROM lanes WHERE paused OR retry_at > {one0}
    )
    SELECT d.id, d.partner_id, d.kind, d.object_id, d.whole, d.wanted, d.confirmed, d.attempts, d.created_at
    FROM deliveries d
    WHERE ((d.state IN ('waiting', 'failing') AND d.next_at <= {one0})
        OR (d.state = 'in_flight' AND d.leased_until <= {one0}))
    AND d.partner_id {none2}
    AND d.partner_id NOT IN (SELECT partner_id FROM shut){not_theirs}
    AND NOT EXISTS (
        SELECT 1 FROM held h WHERE h.partner_id = d.partner_id AND h.rank < d.rank AND h.since <= d.created_at
    )
    ORDER BY d.next_at, d.id LIMIT {one1}
"""
_OTHERS = """theirs AS MATERIALIZED (
        SELECT DISTINCT partner_id FROM deliveries
        WHERE state = 'in_flight' AND leased_until > {one0} AND node <> {one3}
    ), """
"""Partners to whom another process is delivering: what goes to one partner keeps its order in one process."""


def _text(*, several: bool) -> str:
    """The look-up for a process that is alone, or for one of several."""
    others, not_theirs = (
        (_OTHERS, " AND d.partner_id NOT IN (SELECT partner_id FROM theirs)") if several else ("", "")
    )
    return _TEXT.replace("{others}", others).replace("{not_theirs}", not_theirs)


_ALONE = _text(several=False)
_SEVERAL = _text(several=True)
_DUE = query(_ALONE + " {for_update}", "bigint", "bigint", "text")
_DUE_HERE = query(_SEVERAL + " {for_update}", "bigint", "bigint", "text", "bigint")
"""What is due `now`, at most so many, none for some partners. A delivery waits while an object of a lower rank,
marked for the same partner before it, is not yet told. Who goes first is looked up once, not once for each row.
The second is for one process of several: none for partners whom another one serves at this moment."""
_PEEK = query(_ALONE, "bigint", "bigint", "text")
_PEEK_HERE = query(_SEVERAL, "bigint", "bigint", "text", "bigint")

_LEASED = update_many(
    DeliveryRow,
    ("id", "leased_until", "node"),
    ("id",),
    {"state": "'in_flight'", "leased_until": "{new}.leased_until", "node": "{new}.node"},
)


async def claim(batch: Batch, *, limit: int, without: Collection[str] = (), node: int = 0) -> list[Claim]:
    """Lease the deliveries that are due, at most `limit`, oldest due first; none for partners in `without`.

    `node` is the process that claims, 0 where it is the only one.

    A delivery waits while an object of a lower rank, marked for the same partner before it, is not yet told:
    tariffs, then locations, then sessions, then CDRs. EVSE changes never hold anything up.
    """
    lease = batch.now + LEASE
    asked = _asked(batch.now, limit, without, node)
    rows = await batch.fetch(_DUE_HERE if node else _DUE, *asked)
    await batch.write([(_LEASED, [(row[0], micros(lease), node) for row in rows])])
    return [
        Claim(
            id=id_,
            partner_id=partner_id,
            kind=kind,
            object_id=object_id,
            whole=bool(whole),
            wanted=wanted,
            confirmed=confirmed,
            attempts=attempts,
            created_at=moment(created_at),
            leased_until=lease,
        )
        for id_, partner_id, kind, object_id, whole, wanted, confirmed, attempts, created_at in rows
    ]


async def anything_due(
    session: AsyncSession, now: datetime, without: Collection[str] = (), node: int = 0
) -> bool:
    """Whether a claim would find something."""
    return bool(await ask(session, _PEEK_HERE if node else _PEEK, *_asked(now, 1, without, node)))


async def give_up_lost(session: AsyncSession) -> None:
    """Give back what processes that are gone had claimed."""
    await session.execute(
        update(DeliveryRow)
        .where(col(DeliveryRow.state) == "in_flight", lost(col(DeliveryRow.node)))
        .values(state="waiting", leased_until=None)
        .execution_options(synchronize_session=False)
    )


def _asked(now: datetime, limit: int, without: Collection[str], node: int) -> Sequence[Sequence[Any]]:
    asked: list[Sequence[Any]] = [[micros(now)], [limit], list(without)]
    return [*asked, [node]] if node else asked
