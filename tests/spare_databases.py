"""Databases on a PostgreSQL server that are lent to one test after the other: emptying one is quicker than making one."""

import asyncio
import threading
import uuid
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import asyncpg
from sqlalchemy import URL, make_url

_CLEAN = """
DO $$
DECLARE it text;
BEGIN
    SET LOCAL lock_timeout = '5s';
    SET LOCAL session_replication_role = replica;
    FOR it IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
        EXECUTE format('DELETE FROM %I', it);
    END LOOP;
    FOR it IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND last_value IS NOT NULL LOOP
        PERFORM setval(format('%I', it)::regclass, 1, false);
    END LOOP;
END $$
"""
_LEAVE = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_SHAPE = """
SELECT md5(string_agg(concat_ws(' ', c.oid, c.relname, c.relkind, c.relchecks, c.relhastriggers, a.attname,
                                a.atttypid, a.attnotnull, a.attisdropped), ',' ORDER BY c.oid, a.attnum))
    || coalesce((SELECT string_agg(s.setconfig::text, ',') FROM pg_db_role_setting s
                 JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()), '')
FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
WHERE c.relnamespace = 'public'::regnamespace
"""


@dataclass
class _Spare:
    """A database, and a connection to it that stays open between tests."""

    url: URL
    connection: Any
    shape: str


class SpareDatabases:
    """Made from a template when there is none to lend. One whose tables or settings a test has
    changed is thrown away."""

    def __init__(self, server_url: str, template: str) -> None:
        self._server = make_url(server_url)
        self._template = template
        self._idle: list[_Spare] = []
        self._admin: Any = None
        # A loop of its own: connections outlive the loops of tests.
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    @contextmanager
    def lent(self) -> Iterator[str]:
        """The address of an empty, migrated database."""
        spare = self._idle.pop() if self._idle else self._run(self._made())
        yield spare.url.render_as_string(hide_password=False)
        if self._run(self._cleaned(spare)):
            self._idle.append(spare)

    def end(self) -> None:
        """Drop them all."""
        for spare in self._idle:
            self._run(self._dropped(spare))
        if self._admin is not None:
            self._run(self._admin.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    async def _made(self) -> _Spare:
        if self._admin is None or self._admin.is_closed():
            self._admin = await _connected(self._server)
        url = self._server.set(database=f"voltbridge_test_{uuid.uuid4().hex[:12]}")
        await self._admin.execute(f"CREATE DATABASE {url.database} TEMPLATE {self._template}")
        connection = await _connected(url)
        return _Spare(url, connection, await connection.fetchval(_SHAPE))

    async def _cleaned(self, spare: _Spare) -> bool:
        """Whether it can be lent again; what cannot is gone."""
        try:
            await spare.connection.execute(_LEAVE)
            if await spare.connection.fetchval(_SHAPE) == spare.shape:
                await spare.connection.execute(_CLEAN)
                return True
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            pass
        await self._dropped(spare)
        return False

    async def _dropped(self, spare: _Spare) -> None:
        with suppress(Exception):
            await spare.connection.close()
        if self._admin.is_closed():
            self._admin = await _connected(self._server)
        await self._admin.execute(f"DROP DATABASE {spare.url.database} WITH (FORCE)")


async def _connected(url: URL) -> Any:
    return await asyncpg.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
