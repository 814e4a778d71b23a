"""What a batch of messages has to know before it can be decided, asked for in one query each."""

from collections.abc import Iterable

from app.domain.decisions import Report, needs
from app.domain.state import NOTHING, Known, StationState
from app.services.states import resume
from app.store import locations, tariffs, tokens, transactions
from app.store.writer import Batch


async def look_up(batch: Batch, messages: Iterable[tuple[StationState, Report]]) -> dict[str, Known]:
    """By station, what its messages need: tokens, earlier transactions, places with their tariffs.

    A station whose messages need nothing is not named.
    """
    uid_keys: set[str] = set()
    starts: set[tuple[str, str]] = set()
    numbers: set[tuple[str, int]] = set()
    sites: set[str] = set()
    known: dict[str, Known] = {}
    for state, report in messages:
        wanted = needs(state, report)
        if wanted is NOTHING:
            continue
        station_id = state.station.id
        known.setdefault(station_id, Known(started={}, numbered={}))
        uid_keys |= wanted.uid_keys
        starts |= {(station_id, key) for key in wanted.start_keys}
        numbers |= {(station_id, number) for number in wanted.ocpp_ids}
        if wanted.place and state.station.location_id:
            sites.add(state.station.location_id.upper())
    if uid_keys:
        found = tokens.from_batch(await batch.fetch(tokens.TOKENS_BY_UID, sorted(uid_keys)))
        for one in known.values():
            one.tokens = found
    if starts or numbers:
        await _earlier(batch, starts, numbers, known)
    if sites:
        await _places(batch, sorted(sites), known)
    return known


async def _earlier(
    batch: Batch, starts: set[tuple[str, str]], numbers: set[tuple[str, int]], known: dict[str, Known]
) -> None:
    """Transactions that ended long ago, or that a restart took from memory, for repeated messages."""
    if starts:
        pairs = zip(*sorted(starts), strict=True)
        for transaction in transactions.started(await batch.fetch(transactions.STARTED_BY_KEY, *pairs)):
            known[transaction.station_id].started[transaction.start_key] = transaction
    if numbers:
        pairs = zip(*sorted(numbers), strict=True)
        rows = await batch.fetch(transactions.TRANSACTIONS_BY_OCPP_ID, *pairs)
        for running in await resume(batch, rows):
            known[running.transaction.station_id].numbered[running.transaction.ocpp_id] = running


async def _places(batch: Batch, sites: list[str], known: dict[str, Known]) -> None:
    places = locations.from_batch(await batch.fetch(locations.LOCATIONS_BY_KEY, sites))
    named = {
        tariff_id.upper()
        for place in places.values()
        for evse in place.evses
        for connector in evse.connectors
        for tariff_id in connector.tariff_ids
    }
    prices = tariffs.from_batch(await batch.fetch(tariffs.TARIFFS_BY_KEY, sorted(named))) if named else {}
    for one in known.values():
        one.locations, one.tariffs = places, prices
