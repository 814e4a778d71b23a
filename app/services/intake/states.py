"""Bringing stations' states into memory, from what a batch reads of the database."""

from collections.abc import Sequence
from typing import NamedTuple

from app.domain.charging.starts import register_for
from app.domain.charging.state import Running, StationState
from app.domain.status import EvseStatus
from app.store import locations, stations, transactions
from app.store.bulk.statements import Row
from app.store.bulk.writer import Batch
from app.store.database.columns import moment


class Lease(NamedTuple):
    """How often a station was taken (`epoch`) and written to by others (`turn`), and who has its socket (`node`)."""

    epoch: int
    turn: int
    node: int | None


async def load(batch: Batch, station_ids: Sequence[str]) -> tuple[dict[str, StationState], dict[str, Lease]]:
    """States of those of the stations that exist, and their leases."""
    rows = await batch.fetch(stations.STATIONS_BY_ID, station_ids)
    connectors = stations.connectors_from_batch(
        await batch.fetch(stations.CONNECTORS_OF_STATIONS, station_ids)
    )
    running: dict[str, list[Running]] = {}
    for found in await resume(batch, await batch.fetch(transactions.OPEN_TRANSACTIONS, station_ids)):
        running.setdefault(found.transaction.station_id, []).append(found)
    known = [stations.station_from_batch(doc, updated) for _, doc, _, _, _, updated, *_ in rows]
    sites = sorted({station.location_id for station in known if station.location_id})
    shown: dict[tuple[str, str], EvseStatus] = {
        (site, uid): EvseStatus(reported)
        for site, uid, reported in await batch.fetch(locations.REPORTED_OF_LOCATIONS, sites)
    }
    # A station that was given up stays so until it is back, whatever else happens to its row.
    lost = {row[0]: moment(row[4]) for row in rows if not row[3] and row[4] is not None}
    states = {}
    for station in known:
        site = station.location_id or ""
        uids = {link.evse_uid for link in station.connectors}
        mine = {uid: shown[site, uid] for uid in uids if (site, uid) in shown}
        state = StationState(station, connectors.get(station.id, []), running.get(station.id, []), mine)
        if station.id in lost and EvseStatus.UNKNOWN in mine.values():
            state.lost_at = lost[station.id]
        states[station.id] = state
    return states, {row[0]: Lease(row[2], row[6], row[7]) for row in rows}


async def resume(batch: Batch, rows: Sequence[Row]) -> list[Running]:
    """Transactions as they were left, with what their samples told."""
    samples = await batch.fetch(transactions.SAMPLES_BY_REF, [row[0] for row in rows])
    resumed = []
    for transaction, session, snapshot, readings in transactions.resumed(rows, samples):
        if session is None or snapshot is None:
            continue  # an orphan waits for a person, not for messages
        register = register_for(transaction, snapshot)
        for sample in readings:
            register.add(sample.at, sample.reading)
            transaction.heard_at = max(transaction.heard_at, sample.received_at)
        resumed.append(Running(transaction, register, snapshot, session))
    return resumed
