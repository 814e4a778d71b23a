"""The look-ups of a batch go by an index on SQLite, however many rows there are."""

import sqlite3

import pytest
from sqlalchemy import make_url

from app.store import cdrs, grants, locations, sessions, stations, tariffs, tokens, transactions
from app.store.bulk.statements import Query
from app.store.database.engine import SQLITE

_LOOK_UPS = {
    "open": (transactions.OPEN_TRANSACTIONS, "station_id=?"),
    "start key": (transactions.STARTED_BY_KEY, "station_id=? AND start_key=?"),
    "number": (transactions.TRANSACTIONS_BY_OCPP_ID, "station_id=? AND ocpp_id=?"),
    "stopped": (transactions.STOPPED_AT, "stopped_at=?"),
    "decided": (cdrs.DECIDED_BY_OCPP_ID, "station_id=? AND ocpp_id=?"),
    "ref": (transactions.TRANSACTIONS_BY_REF, "ref=?"),
    "samples": (transactions.SAMPLES_BY_REF, "ref=?"),
    "epochs": (stations.EPOCHS, "id=?"),
    "fence": (stations.FENCE, "id=?"),
    "connectors": (stations.CONNECTORS_OF_STATIONS, "station_id=?"),
    "locations": (locations.LOCATIONS_BY_KEY, "id_key=?"),
    "tariffs": (tariffs.TARIFFS_BY_KEY, "id_key=?"),
    "tokens": (tokens.TOKENS_BY_UID, "uid_key=?"),
    "grants": (grants.GRANTS_BY_UID, "uid_key=?"),
    "aliases": (grants.ALIASES_BY_UID, "uid_key=?"),
    "sessions": (sessions.SESSIONS_BY_ID, "id=?"),
}


@pytest.mark.parametrize("database", [SQLITE])
@pytest.mark.parametrize("name", _LOOK_UPS)
def test_by_index(database_url: str, name: str) -> None:
    query: Query
    query, terms = _LOOK_UPS[name]
    connection = sqlite3.connect(str(make_url(database_url).database))
    plan = [row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {query.sqlite}", ["[]"])]
    connection.close()
    assert any(step.startswith("SEARCH") and f"({terms})" in step for step in plan), plan
    assert not any(step.startswith("SCAN") and "json_each" not in step for step in plan), plan
