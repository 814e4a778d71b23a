"""The opened database: its engines, its write gate, its stamps; refuses settings that could lose data."""

import asyncio
import sqlite3
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import URL, event, make_url, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, create_async_engine

from app.kit.clock import Clock
from app.store.announcements import Announcements, Listener, MarkKeeper, Subscriber
from app.store.database.changes import Changes, written_by
from app.store.database.errors import StoreError, StoreUnavailable, read_error
from app.store.database.gate import Gate
from app.store.database.probe import Probe
from app.store.database.stamps import Stamps
from app.store.database.unit_of_work import UnitOfWork, reading, writing

SQLITE, POSTGRESQL = "sqlite", "postgresql"
_DRIVERS = {"sqlite+aiosqlite": SQLITE, "postgresql+asyncpg": POSTGRESQL}
_READERS = 8
_BUSY_SECONDS = 5.0
_DURABLE = frozenset({"on", "remote_apply"})


class Store:
    """An open database. Made by `open_store`; `reader` and `writer` are the engines of the two kinds of unit."""

    def __init__(self, url: URL, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self.url = url
        self.dialect = _DRIVERS[url.drivername]
        self.reader = reader
        self.writer = writer
        self.stamps = Stamps()
        self.announcements = Announcements()
        self.gate = Gate(None if self.dialect == SQLITE else self._ask_for_writers)
        self._probe = Probe(url.set(drivername="postgresql").render_as_string(hide_password=False))

    def reading(self) -> AbstractAsyncContextManager[AsyncSession]:
        """A transaction that only reads: `async with store.reading() as session`. Never blocked by writers."""
        return reading(self.reader, self.gate)

    def unit_of_work(self, clock: Clock) -> AbstractAsyncContextManager[UnitOfWork]:
        """A transaction that writes and commits once, at the end of its block."""
        return writing(self.writer, self.gate, self.stamps, self.announcements, clock)

    def subscribe(self, subscriber: Subscriber) -> None:
        """Asks `subscriber` which marks an event calls for, inside the announcing transaction."""
        self.announcements.subscribers.append(subscriber)

    def keep_marks(self, keeper: MarkKeeper) -> None:
        """Says who writes marks as rows (app.outbox.tables.keep)."""
        self.announcements.keep = keeper

    def after_commit(self, listener: Listener) -> None:
        """Calls `listener` with the events of each unit of work once it has committed."""
        self.announcements.listeners.append(listener)

    def written(self, tables: Iterable[str]) -> tuple[int | str, ...]:
        """The state these tables are in: what was read of them holds until this value differs.

        To be asked after `pass_gate` and before reading. On PostgreSQL, where other processes write, too, it is the
        state of the whole database.
        """
        return self.gate.changes.of(tables) if self.dialect == SQLITE else (self.gate.seen,)

    async def pass_gate(self) -> None:
        """Waits until every writer that has begun has ended: what it stamped is then there to be read.

        Called once before the transaction of every OCPI list. Raises StoreUnavailable.
        """
        await self.gate.wait()

    async def close(self) -> None:
        """Closes all connections."""
        await self._probe.close()
        await self.reader.dispose()
        await self.writer.dispose()

    async def _ask_for_writers(self) -> str:
        try:
            return await self._probe.ask()
        except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as error:
            raise read_error(error) or error from error


async def open_store(url: str) -> Store:
    """Opens `sqlite+aiosqlite:///path` or `postgresql+asyncpg://...`; the database may still be empty.

    Raises StoreError, one readable line, where the place cannot be used or acknowledged data could be lost.
    """
    parsed = _parse(url)
    store = _open_sqlite(parsed) if _DRIVERS[parsed.drivername] == SQLITE else _open_postgresql(parsed)
    try:
        await _refuse_forgetful(store)
    except (SQLAlchemyError, sqlite3.Error, OSError) as error:
        await store.close()
        known = read_error(error)
        kind = type(known) if known is not None else StoreUnavailable
        raise kind(f"{shown(parsed)} cannot be opened: {known or error}") from error
    except BaseException:
        await store.close()
        raise
    return store


def shown(url: URL) -> str:
    """The address of a database without its password."""
    return url.render_as_string(hide_password=True)


def sqlite_path(url: URL) -> str:
    """The file of a SQLite address."""
    return str(Path(url.database or "").expanduser())


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError("the database URL is not one: expected driver://...") from None
    if parsed.drivername not in _DRIVERS:
        raise StoreError(f"{shown(parsed)}: the driver must be one of {', '.join(sorted(_DRIVERS))}")
    return parsed


def _open_sqlite(url: URL) -> Store:
    _prepare_folder(url)
    # Explicit BEGINs (see _begin): the driver's own would come late and upgrade readers to writers.
    options: dict[str, Any] = {"isolation_level": None, "timeout": _BUSY_SECONDS}
    target = url.set(database=sqlite_path(url))
    reader = create_async_engine(
        target, connect_args=options, pool_size=_READERS, max_overflow=0, pool_timeout=10
    )
    writer = create_async_engine(target, connect_args=options, pool_size=1, max_overflow=1)
    _on_connect(reader, "PRAGMA query_only = ON")
    _on_connect(writer)
    _begin(reader, "BEGIN")
    _begin(writer, "BEGIN IMMEDIATE")
    store = Store(url, reader, writer)
    _count_writes(writer, store.gate.changes)
    return store


def _open_postgresql(url: URL) -> Store:
    writer = create_async_engine(url, pool_size=10, max_overflow=10, pool_pre_ping=True, pool_timeout=10)
    # One snapshot for all statements of a reader: a page and its count agree, as they do on SQLite.
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Store(url, reader, writer)


def _prepare_folder(url: URL) -> None:
    if not url.database or url.database == ":memory:" or url.query:
        raise StoreError(
            f"{shown(url)}: SQLite needs a plain file, such as sqlite+aiosqlite:///var/voltbridge.db"
        )
    path = Path(sqlite_path(url))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(f"the folder {path.parent} cannot be made: {error.strerror}") from None
    if path.is_dir():
        raise StoreError(f"{path} is a folder, not a database file")


SQLITE_SETTINGS = (
    f"PRAGMA busy_timeout = {int(_BUSY_SECONDS * 1000)}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA temp_store = MEMORY",
    # Pages that many commits write are copied back once for all of them, so less often than by default (1000).
    "PRAGMA wal_autocheckpoint = 4000",
)


def _on_connect(engine: AsyncEngine, *more: str) -> None:
    @event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        try:
            cursor = connection.cursor()
            for setting in (*SQLITE_SETTINGS, *more):
                cursor.execute(setting)
            cursor.close()
        except BaseException:
            connection.close()
            raise


def _begin(engine: AsyncEngine, statement: str) -> None:
    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql(statement)


def _count_writes(engine: AsyncEngine, changes: Changes) -> None:
    @event.listens_for(engine.sync_engine, "before_cursor_execute")
    def executing(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        changes.notice(written_by(statement))


async def _refuse_forgetful(store: Store) -> None:
    """What is acknowledged must survive a power cut: refuses every setting under which it might not."""
    if store.dialect == SQLITE:
        await asyncio.to_thread(_try_sqlite, store.url)
        return
    async with store.writer.connect() as connection:
        mode = (await connection.execute(text("SHOW synchronous_commit"))).scalar_one()
        if mode not in _DURABLE:
            raise StoreError(
                f"{shown(store.url)}: synchronous_commit is {mode}, so a power cut could lose what was "
                "acknowledged; set it to on for this database or role"
            )


def _try_sqlite(url: URL) -> None:
    """Opens, settles and locks the file once, before anything else does: a bad place shows here."""
    with closing(sqlite3.connect(sqlite_path(url), isolation_level=None)) as connection:
        for setting in SQLITE_SETTINGS:
            connection.execute(setting)
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        (journal,), (synchronous,) = (
            connection.execute(f"PRAGMA {name}").fetchone() for name in ("journal_mode", "synchronous")
        )
    if journal != "wal" or synchronous != 2:
        raise StoreError(
            f"{shown(url)}: this place does not keep a write-ahead log (journal_mode {journal}); "
            "choose a local disk"
        )
