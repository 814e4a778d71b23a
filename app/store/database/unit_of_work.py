"""The ordinary doors: a reading transaction, and a unit of work that writes and commits once, at its edge."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from app.domain.events import Event
from app.kit.clock import Clock
from app.store.announcements import Announcements
from app.store.database.errors import read_error
from app.store.database.gate import ENTER_GATE, Gate
from app.store.database.stamps import Stamps


class UnitOfWork:
    """One writing transaction: its session, its time, and the events it announces."""

    def __init__(self, session: AsyncSession, now: datetime) -> None:
        self.session = session
        self._now = now
        self._events: list[Event] = []

    def now(self) -> datetime:
        """The time of this transaction, taken once, after it passed the write gate."""
        return self._now

    def emit(self, event: Event) -> None:
        """Announces a fact: partners' marks are written in this transaction, listeners told after it."""
        self._events.append(event)

    @property
    def events(self) -> Sequence[Event]:
        """What was announced so far."""
        return tuple(self._events)


@asynccontextmanager
async def reading(engine: AsyncEngine, gate: Gate) -> AsyncIterator[AsyncSession]:
    """A session that sees one state of the database and is rolled back at the end.

    Raises StoreUnavailable; a write inside is refused by the database itself.
    """
    async with gate.transaction(writes=False):
        try:
            async with AsyncSession(engine, expire_on_commit=False, autoflush=False) as session:
                yield session
        except _DATABASE as error:
            raise read_error(error) or error from error


@asynccontextmanager
async def writing(
    engine: AsyncEngine, gate: Gate, stamps: Stamps, announcements: Announcements, clock: Clock
) -> AsyncIterator[UnitOfWork]:
    """A unit of work; commits when its block ends well, rolls back otherwise.

    Raises RowRefused (the content of a row) or StoreUnavailable (the store is away; nothing was kept).
    """
    async with gate.transaction(writes=True):
        try:
            async with AsyncSession(engine, expire_on_commit=False) as session:
                await _enter(session)
                unit = UnitOfWork(session, stamps.take(clock))
                yield unit
                await _keep_marks(unit, announcements)
                await session.commit()
        except _DATABASE as error:
            raise read_error(error) or error from error
    if unit.events:
        announcements.committed(unit.events)


_DATABASE = (SQLAlchemyError, OverflowError, UnicodeEncodeError, ConnectionError)


async def _enter(session: AsyncSession) -> None:
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        await connection.execute(text(ENTER_GATE))


async def _keep_marks(unit: UnitOfWork, announcements: Announcements) -> None:
    if not unit.events:
        return
    marks, unheard = announcements.marks(unit.events)
    if not marks and not unheard:
        return
    if announcements.keep is None:
        raise RuntimeError("events have subscribers but nobody keeps their marks")
    await announcements.keep(unit.session, marks, unheard, unit.now())
