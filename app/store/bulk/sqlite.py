"""The bulk writer's SQLite half: one thread with its own connection, few and large steps."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Any, TypeVar

from app.store.bulk.statements import Query, Row, Statement, parts, sqlite_params
from app.store.database.errors import RowRefused

T = TypeVar("T")
Work = Sequence[tuple[Statement, Sequence[Row]]]


class SqliteBulk:
    """A transaction at a time on a connection that only its own thread touches."""

    def __init__(self, path: str, settings: Sequence[str]) -> None:
        self._path = path
        self._settings = settings
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store-writer")
        self._connection: sqlite3.Connection | None = None

    async def begin(self) -> None:
        """Nothing yet: the thread begins with the first thing it is asked to do."""

    async def fetch(self, asked: Sequence[tuple[Query, Sequence[list[Any]]]], work: Work) -> list[list[Row]]:
        """Writes rows, without committing; then the rows that each query finds."""
        return await self._in_thread(lambda: self._written_and_fetched(work, asked))

    async def commit(self, work: Work, guard: object = None) -> None:
        """Writes the last rows and commits: returns when the disk has them."""
        await self._in_thread(lambda: self._commit(work))

    async def rollback(self) -> None:
        """Forgets the transaction."""
        await self._in_thread(self._rollback)

    async def reset(self) -> None:
        """Drops the connection; the next batch opens another."""
        await self._in_thread(self._close)

    async def close(self) -> None:
        """Ends the thread and its connection."""
        await self.reset()
        self._thread.shutdown()

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def _begun(self) -> sqlite3.Connection:
        if self._connection is None:
            connection = sqlite3.connect(self._path, isolation_level=None, cached_statements=512)
            for setting in self._settings:
                connection.execute(setting)
            self._connection = connection
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        return self._connection

    def _written_and_fetched(
        self, work: Work, asked: Sequence[tuple[Query, Sequence[list[Any]]]]
    ) -> list[list[Row]]:
        self._write(work)
        return [self._fetch(query, params) for query, params in asked]

    def _fetch(self, query: Query, params: Sequence[list[Any]]) -> list[Row]:
        return self._begun().execute(query.sqlite, sqlite_params(query, params)).fetchall()

    def _write(self, work: Work) -> None:
        connection = self._begun()
        for statement, rows in work:
            _refuse_nul(statement, rows)
            for part in parts(rows):
                connection.execute(statement.sqlite(len(part)), list(chain.from_iterable(part)))

    def _commit(self, work: Work) -> None:
        self._write(work)
        self._begun().execute("COMMIT")

    def _rollback(self) -> None:
        if self._connection is not None and self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _refuse_nul(statement: Statement, rows: Sequence[Row]) -> None:
    """PostgreSQL refuses NUL in text; SQLite would take it and lose what follows it in many a tool."""
    for place in statement.texts:
        try:
            if "\0" in "".join([row[place] or "" for row in rows]):
                raise RowRefused(f"{statement.table}: a text holds the character NUL")
        except TypeError as error:
            raise RowRefused(f"{statement.table}.{statement.columns[place]}: not a text") from error
