"""All that is kept of one session, brought together: its transaction, frames, requests to partners, records."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from app.domain.errors import NotFound
from app.domain.sessions import ChargingSession, Snapshot
from app.domain.transactions import Transaction
from app.store import cdrs, frames, messages, sessions, transactions
from app.store.cdrs import StoredCdr
from app.store.database.engine import Store
from app.store.frames import Frame
from app.store.messages import Message

BEFORE, AFTER = timedelta(minutes=15), timedelta(minutes=5)
"""How long before its start and after its end a station's words may belong to a session."""
MOST_FRAMES, MOST_MESSAGES = 5000, 1000


class Kept(NamedTuple):
    """What is kept of a session; without a transaction it has not begun at a station.

    `asked` are questions to issuers about its card, `told` what partners were told of it and of its records.
    """

    session: ChargingSession
    snapshot: Snapshot | None
    transaction: Transaction | None
    frames: Sequence[Frame]
    asked: Sequence[Message]
    told: Sequence[Message]
    records: Sequence[StoredCdr]


async def kept_of(store: Store, session_id: str, now: datetime) -> Kept:
    """Everything about this session. Raises NotFound."""
    async with store.reading() as session:
        found = await sessions.get(session, session_id)
        if found is None:
            raise NotFound(f"there is no session {session_id}")
        ref = await sessions.ref_of(session, session_id)
        transaction = None if ref is None else await transactions.get(session, ref)
        records = await cdrs.of_session(session, session_id)
        subjects = [f"session/{session_id}", *(f"cdr/{each.record.id}" for each in records)]
        said: list[Frame] = []
        asked: list[Message] = []
        if transaction is not None:
            since, until = _span(transaction, found, records, now)
            said = await frames.within(session, transaction.station_id, since, until, limit=MOST_FRAMES)
            asked = await messages.about(
                session,
                [f"authorize/{uid}" for uid in {found.token.uid, transaction.id_tag} if uid],
                since=since,
                until=transaction.received_at + AFTER,
                limit=MOST_MESSAGES,
            )
        return Kept(
            session=found,
            snapshot=await sessions.snapshot_of(session, session_id),
            transaction=transaction,
            frames=said,
            asked=asked,
            told=await messages.about(session, subjects, limit=MOST_MESSAGES),
            records=records,
        )


def _span(
    transaction: Transaction, charging: ChargingSession, records: Sequence[StoredCdr], now: datetime
) -> tuple[datetime, datetime]:
    """When the station spoke of it, as we heard it: late, where it was without a connection meanwhile."""
    if transaction.active:
        return transaction.received_at - BEFORE, now
    billed = records[0].created_at if records else charging.last_updated
    return transaction.received_at - BEFORE, max(billed, transaction.heard_at) + AFTER
