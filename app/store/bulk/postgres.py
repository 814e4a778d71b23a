"""The bulk writer's PostgreSQL half: one connection of its own, arrays as parameters, statements prepared once."""

# ruff: noqa: S608 - texts are put together from our own statements, never from input

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg
from asyncpg.prepared_stmt import PreparedStatement

from app.store.bulk.statements import Guard, Query, Row, Statement
from app.store.database.errors import Overtaken, RowRefused, StoreUnavailable
from app.store.database.gate import ENTER_GATE

Work = Sequence[tuple[Statement, Sequence[Row]]]

_COMMAND_SECONDS = 30.0
_MOST_PREPARED = 256
_MANY = 100
"""From so many rows on COPY is cheaper, though it goes its own way to the server and back."""
_PARAMETER = re.compile(r"\$(\d+)")
_SETTINGS = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = off"
"""A few statements run thousands of times: each is planned once, by index, not anew for every batch."""


def _parts(work: Work) -> list[list[tuple[Statement, Sequence[Row]]]]:
    """The work cut so that no part writes to one table twice: within a part there is no order."""
    parts: list[list[tuple[Statement, Sequence[Row]]]] = []
    for statement, rows in work:
        if not rows:
            continue
        if not parts or any(other.table == statement.table for other, _ in parts[-1]):
            parts.append([])
        parts[-1].append((statement, rows))
    return parts


@lru_cache(maxsize=_MOST_PREPARED)
def _together(statements: tuple[Statement, ...], guard: Query | None = None) -> str:
    """One statement that does the work of several: a round trip costs more than most of them.

    With a guard it answers what that look-up finds, whose list of ids comes first.
    """
    if len(statements) == 1 and guard is None:
        return statements[0].postgresql
    texts, before = [], 0
    if guard is not None:
        texts, before = [f"guard AS ({guard.postgresql})"], 1
    for number, statement in enumerate(statements):
        text = _PARAMETER.sub(lambda match, n=before: f"${int(match[1]) + n}", statement.postgresql)  # type: ignore[misc]
        texts.append(f"part{number} AS ({text})")
        before += len(statement.columns)
    return f"WITH {', '.join(texts)} SELECT{'' if guard is None else ' * FROM guard'}"


@lru_cache(maxsize=_MOST_PREPARED)
def _side_by_side(queries: tuple[Query, ...]) -> str:
    """One query that gives the rows of several, an array of records for each."""
    texts, before = [], 0
    for query in queries:
        text = _PARAMETER.sub(lambda match, n=before: f"${int(match[1]) + n}", query.postgresql)  # type: ignore[misc]
        texts.append(f"ARRAY(SELECT ROW(q.*) FROM ({text}) q)")
        before += len(set(_PARAMETER.findall(query.postgresql)))
    return f"SELECT {', '.join(texts)}"


class PostgresBulk:
    """A transaction at a time on one dedicated connection; opened when the first batch begins."""

    def __init__(self, dsn: str, *, turn: int | None = None) -> None:
        self._dsn = dsn
        self._begin = f"BEGIN; {ENTER_GATE}"
        if turn is not None:
            self._begin += f"; SELECT pg_advisory_xact_lock({turn})"
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None
        self._prepared: dict[str, PreparedStatement[asyncpg.Record]] = {}

    async def begin(self) -> None:
        """Begins and passes the write gate, in one round trip."""
        if self._connection is None or self._connection.is_closed():
            self._prepared.clear()
            self._connection = await asyncpg.connect(self._dsn, command_timeout=_COMMAND_SECONDS)
            await self._connection.execute(_SETTINGS)
        await self._connection.execute(self._begin)

    async def fetch(self, asked: Sequence[tuple[Query, Sequence[list[Any]]]], work: Work) -> list[list[Row]]:
        """Writes rows, without committing; then the rows that each query finds, all in one round trip."""
        await self._write(work)
        statement = await self._prepare(_side_by_side(tuple(query for query, _ in asked)))
        found = await statement.fetchrow(*(each for _, params in asked for each in params))
        return [[tuple(record) for record in records] for records in found or ()]

    async def _write(self, work: Work) -> None:
        """Many rows without a key of ours by COPY, the others together."""
        for part in _parts(await self._copied(work)):
            await self._run(part)

    async def commit(self, work: Work, guard: Guard | None = None) -> None:
        """Writes the last rows and commits: returns when the server's disk has them. Raises Overtaken."""
        *before, last = _parts(await self._copied(work)) or [[]]
        for part in before:
            await self._run(part)
        found = await self._run(last, guard)
        if guard is not None and set(found) != set(guard.expected):
            raise Overtaken("another process has written to what this batch was decided on")
        await self._open().execute("COMMIT")

    async def _copied(self, work: Work) -> Work:
        """Writes what is worth a COPY; gives the rest."""
        rest = []
        for statement, rows in work:
            if statement.key or len(rows) < _MANY:
                rest.append((statement, rows))
            else:
                await self._copy(statement, rows)
        return rest

    async def _copy(self, statement: Statement, rows: Sequence[Row]) -> None:
        try:
            await self._open().copy_records_to_table(statement.table, records=rows, columns=statement.columns)
        except TypeError as error:
            raise RowRefused(f"{statement.table}: {error}") from error

    async def _run(
        self, part: Sequence[tuple[Statement, Sequence[Row]]], guard: Guard | None = None
    ) -> list[Row]:
        if not part and guard is None:
            return []
        statements = tuple(statement for statement, _ in part)
        prepared = await self._prepare(_together(statements, None if guard is None else guard.query))
        columns = [list(column) for _, rows in part for column in zip(*rows, strict=True)]
        if guard is not None:
            columns.insert(0, [row[0] for row in guard.expected])
        return [tuple(record) for record in await prepared.fetch(*columns)]

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
        prepared = self._prepared.pop(sql, None) or await self._open().prepare(sql)
        self._prepared[sql] = prepared
        if len(self._prepared) > _MOST_PREPARED:
            del self._prepared[next(iter(self._prepared))]
        return prepared

    def _open(self) -> "asyncpg.Connection[asyncpg.Record]":
        if self._connection is None:
            raise StoreUnavailable("the writer's connection is closed")
        return self._connection
