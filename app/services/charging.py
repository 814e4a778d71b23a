"""Transactions by hand: what an operator can still do where a station never sent the stop."""

from app.domain.errors import Conflict, NotFound
from app.domain.stations import CloseTransaction
from app.domain.transactions import Transaction
from app.services.intake.intake import Intake
from app.store import transactions
from app.store.database.engine import Store


async def transaction(store: Store, ref: str) -> Transaction:
    """The transaction with this name of ours. Raises NotFound."""
    async with store.reading() as session:
        found = await transactions.get(session, ref)
    if found is None:
        raise NotFound(f"there is no transaction {ref}")
    return found


async def close(store: Store, intake: Intake, ref: str) -> Transaction:
    """End a transaction at its last good reading; it goes through the one door of its station.

    Raises NotFound; Conflict for one that has ended.
    """
    before = await transaction(store, ref)
    if not before.active:
        raise Conflict(f"transaction {ref} has ended")
    await intake.report(before.station_id, CloseTransaction(ref=ref))
    return await transaction(store, ref)
