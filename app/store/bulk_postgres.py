"""The bulk writer's PostgreSQL half: one connection of its own, arrays as parameters, statements prepared once."""

from collections.abc import Sequence
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from app.store.errors import StoreUnavailable
from app.store.gate import ENTER_GATE
from app.store.statements import Query, Row, Statement

Work = Sequence[tuple[Statement, Sequence[Row]]]

_COMMAND_SECONDS = 30.0


class PostgresBulk:
    """A transaction at a time on one dedicated connection; opened when the first batch begins."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._prepared: dict[str, PreparedStatement[asyncpg.Record]] = {}

    async def begin(self) -> None:
        """Begins and passes the write gate, in one round trip."""
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await asyncpg.connect(
                self._dsn, command_timeout=_COMMAND_SECONDS, statement_cache_size=0
            )
        await self._connection.execute(f"BEGIN; {ENTER_GATE}")

    async def fetch(self, query: Query, params: Sequence[list[Any]]) -> list[Row]:
        """The rows that a query finds."""
        statement = await self._prepare(query.postgresql)
        return [tuple(record) for record in await statement.fetch(*params)]

    async def write(self, work: Work) -> None:
        """Writes rows, without committing."""
        for statement, rows in work:
            if rows:
                prepared = await self._prepare(statement.postgresql)
                await prepared.fetch(*(list(column) for column in zip(*rows, strict=True)))

    async def commit(self, work: Work) -> None:
        """Writes the last rows and commits: returns when the server's disk has them."""
        await self.write(work)
        await self._open().execute("COMMIT")

    async def rollback(self) -> None:
        """Forgets the transaction."""
        await self._open().execute("ROLLBACK")

    async def reset(self) -> None:
        """Drops the connection at once; the next batch opens another."""
        if self._connection is not None:
            self._connection.terminate()
            self._connection = None

    async def close(self) -> None:
        """Takes leave of the server."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)
        self._connection = None

    async def _prepare(self, sql: str) -> "PreparedStatement[asyncpg.Record]":
        prepared = self._prepared.get(sql)
        if prepared is None:
            prepared = self._prepared[sql] = await self._open().prepare(sql)
        return prepared

    def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None:
            raise StoreUnavailable("the writer's connection is closed")
        return self._connection
