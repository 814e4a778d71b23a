"""The bulk door: many rows in one commit, for what stations say. Used only by the intake."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Protocol

from app.kit.clock import Clock
from app.store.bulk.postgres import PostgresBulk
from app.store.bulk.sqlite import SqliteBulk
from app.store.bulk.statements import Guard, Query, Row, Statement
from app.store.database.changes import Changes
from app.store.database.engine import SQLITE, SQLITE_SETTINGS, Store, sqlite_path
from app.store.database.errors import RowRefused, StoreConflict, read_error

Work = Sequence[tuple[Statement, Sequence[Row]]]


Asked = tuple[Query, Sequence[list[Any]]]


class Bulk(Protocol):
    """What a database must do for the writer: one transaction at a time, step by step."""

    async def begin(self) -> None: ...
    async def fetch(self, asked: Sequence[Asked], work: Work) -> list[list[Row]]: ...
    async def commit(self, work: Work, guard: Guard | None) -> None: ...
    async def rollback(self) -> None: ...
    async def reset(self) -> None: ...
    async def close(self) -> None: ...


class Batch:
    """One transaction of the bulk door."""

    def __init__(self, bulk: Bulk, now: datetime, changes: Changes) -> None:
        self.now = now
        self._changes = changes
        self._bulk = bulk
        self._pending: list[tuple[Statement, Sequence[Row]]] = []
        self._guard: Guard | None = None

    async def fetch(self, query: Query, *params: Sequence[Any]) -> list[Row]:
        """Rows that a query finds, this batch's own writes included. Booleans may come as 0 and 1.

        `params`: the lists that the query asks for, in order. A query whose lists are empty is not asked.
        """
        return (await self.fetch_each((query, params)))[0]

    async def fetch_each(self, *asked: tuple[Query, Sequence[Sequence[Any]]]) -> list[list[Row]]:
        """The rows of several queries, each as by `fetch`, on one way to the database."""
        wanted = [(query, [list(each) for each in params]) for query, params in asked if _asks(params)]
        if not wanted:
            return [[] for _ in asked]
        pending, self._pending = self._pending, []
        found = iter(await self._bulk.fetch(wanted, pending))
        return [next(found) if _asks(params) else [] for _, params in asked]

    async def write(self, work: Work) -> None:
        """Adds rows: (statement, rows), each row a tuple in the statement's columns and in stored form.

        They travel together with the next fetch or with the commit, so a refused row may be reported only
        at the end of the block.
        """
        self._changes.notice(statement.table for statement, _ in work)
        self._pending += [(statement, statement.ordered(rows)) for statement, rows in work if rows]

    def guard(self, query: Query, expected: Sequence[Row]) -> None:
        """Commit only if `query`, asked for the first columns of these rows, finds them just so.

        It is asked together with the last rows that are written. Raises Overtaken at the end of the block. On
        SQLite nobody else writes, and nothing is asked.
        """
        self._guard = Guard(query, expected) if expected else None

    async def commit(self) -> None:
        """The end of the block; called by the writer."""
        pending, self._pending = self._pending, []
        await self._bulk.commit(pending, self._guard)


def _asks(params: Sequence[Sequence[Any]]) -> bool:
    return not params or bool(params[0])


class Writer:
    """Opens batches, one at a time; comes back by itself after the store was away.

    `turn`: the number of a lock that only one writer of all processes holds while it has a batch (PostgreSQL).
    """

    def __init__(self, store: Store, clock: Clock, *, turn: int | None = None) -> None:
        self._store = store
        self._clock = clock
        self._one_at_a_time = asyncio.Lock()
        self._bulk: Bulk = (
            SqliteBulk(sqlite_path(store.url), SQLITE_SETTINGS)
            if store.dialect == SQLITE
            else PostgresBulk(
                store.url.set(drivername="postgresql").render_as_string(hide_password=False), turn=turn
            )
        )

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        """Passes the gate and begins; commits at the end of the block, rolls back on an exception.

        Raises RowRefused (the content of some row; nothing of the batch is kept), StoreUnavailable (the store
        is away) or StoreConflict (the same batch may succeed at once).
        """
        async with self._store.gate.transaction(writes=True), self._one_at_a_time:
            try:
                await self._bulk.begin()
                batch = Batch(self._bulk, self._store.stamps.take(self._clock), self._store.gate.changes)
                yield batch
                await batch.commit()
            except BaseException as error:
                known = read_error(error)
                await self._undo(lost=not isinstance(known, (RowRefused, StoreConflict)))
                if known is None or known is error:
                    raise
                raise known from error

    async def close(self) -> None:
        """Ends the writer's connection."""
        async with self._one_at_a_time:
            await self._bulk.close()

    async def _undo(self, *, lost: bool) -> None:
        """After a row or a conflict the connection is good; after anything else a fresh one is cheap and sure."""
        with suppress(Exception):
            if not lost:
                await self._bulk.rollback()
                return
        with suppress(Exception):
            await self._bulk.reset()
