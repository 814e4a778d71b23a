"""Probe: the connection on which PostgreSQL is asked whether all writers have ended, before every list."""

import asyncpg

from app.store.database.gate import PASS_GATE, SNAPSHOT

_SECONDS = 30.0


class Probe:
    """One connection of its own, opened when it is first needed; one question at a time."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: asyncpg.Connection[asyncpg.Record] | None = None

    async def ask(self) -> str:
        """Return when every writer that had begun has ended: the name of the state that is then to be seen.

        Raises what the driver raises; the next question gets a fresh connection.
        """
        if self._connection is None or self._connection.is_closed():
            self._connection = await asyncpg.connect(self._dsn, command_timeout=_SECONDS, timeout=_SECONDS)
        try:
            await self._connection.execute(PASS_GATE)
            return str(await self._connection.fetchval(SNAPSHOT))
        except BaseException:
            self._connection.terminate()
            self._connection = None
            raise

    async def close(self) -> None:
        """Take leave of the server."""
        if self._connection is not None and not self._connection.is_closed():
            await self._connection.close(timeout=5)
        self._connection = None
