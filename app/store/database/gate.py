"""The write gate: one writer at a time on SQLite, all writers counted on PostgreSQL, so that no list misses one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from app.store.database.changes import Changes

_WRITERS = 0x766F6C7462726964
"""Advisory lock of PostgreSQL that every writing transaction holds in shared mode."""

ENTER_GATE = f"SELECT pg_advisory_xact_lock_shared({_WRITERS})"
PASS_GATE = f"SELECT pg_advisory_xact_lock({_WRITERS})"
SNAPSHOT = "SELECT CAST(pg_current_snapshot() AS text)"
"""Names what is visible now. While the name stays the same, no transaction of any process has ended."""


class Gate:
    """Who writes now.

    Without `ask` (SQLite) writers go one at a time, behind a lock of this process, and `changes` counts what they
    write. With it (PostgreSQL) they go together, each holding the shared lock, and `ask` returns when the database
    has seen all of them end, with the name of the state it is in then, kept as `seen`.
    """

    def __init__(self, ask: Callable[[], Awaitable[str]] | None = None) -> None:
        self.changes = Changes()
        self.seen = ""
        self._ask = ask
        self._turn = asyncio.Lock()
        self._asked = 0
        self._answered = 0
        self._inside: set[asyncio.Task[Any] | None] = set()

    @asynccontextmanager
    async def transaction(self, *, writes: bool) -> AsyncIterator[None]:
        """Holds the running task's place in the store while its transaction lasts.

        A task that already holds one is refused (RuntimeError): two transactions of one task wait for each
        other for ever, by the lock or by the pool.
        """
        task = asyncio.current_task()
        self._refuse_nested(task)
        self._inside.add(task)
        try:
            if writes and self._ask is None:
                async with self._turn:
                    try:
                        yield
                    finally:
                        self.changes.settle()
            else:
                yield
        finally:
            self._inside.discard(task)

    async def wait(self) -> None:
        """Returns when every writer that had begun before the call has ended."""
        self._refuse_nested(asyncio.current_task())
        came_after = self._asked
        async with self._turn:
            if self._ask is None or self._answered > came_after:
                return  # a question that began after we came was answered while we waited
            self._asked += 1
            question = self._asked
            self.seen = await self._ask()
            self._answered = question

    def _refuse_nested(self, task: "asyncio.Task[Any] | None") -> None:
        if task in self._inside:
            raise RuntimeError("this task already holds a transaction: end it before the next begins")
