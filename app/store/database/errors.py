"""Why the store says no, and how a driver's error is read.

StoreError              also the refusals at the start: unwritable folder, settings that could lose data
  RowRefused            the database refused what a row holds: constraint, NUL, surrogate, range
  StoreUnavailable      the store as a whole is away: connection lost, disk full, I/O error
    StoreConflict       another transaction was in the way (deadlock, lock timeout): the same again may work
      Overtaken         another process wrote to what this one had in memory: to be read and decided again
"""

import sqlite3

import asyncpg
from sqlalchemy import exc as sa


class StoreError(Exception):
    """Base of everything that the store reports on purpose."""


class RowRefused(StoreError):
    """The database refused the content of a row; other rows may well be fine."""


class StoreUnavailable(StoreError):
    """The store as a whole cannot be used now; nothing of the transaction was kept, as far as is known."""


class StoreConflict(StoreUnavailable):
    """Another transaction was in the way; nothing was kept, and the same work may succeed at once."""


class Overtaken(StoreConflict):
    """What was decided on is not what is stored; nothing was kept."""


_SQLITE_BUSY, _SQLITE_LOCKED = 5, 6
_SQLITE_AWAY = frozenset({7, 8, 10, 11, 13, 14, 15, 26})
"""NOMEM, READONLY, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOTADB."""

_REFUSED_CLASSES = ("22", "23", "44", "54")
_CONFLICT_STATES = ("40", "55P03")
_AWAY_STATES = ("08", "53", "57", "58", "XX", "25006", "F0", "3D000", "28", "55000")


def read_error(error: BaseException) -> StoreError | None:
    """The store's own error for what a driver or SQLAlchemy raised; None: not the store's business."""
    if isinstance(error, StoreError):
        return error
    if isinstance(error, sa.TimeoutError):
        return StoreUnavailable("no free database connection")
    if isinstance(error, sa.DBAPIError):
        cause = error.orig.__cause__ if error.orig is not None else None
        inner = read_error(cause) if cause is not None else None
        return inner or (read_error(error.orig) if error.orig is not None else None)
    kind = _kind(error)
    return None if kind is None else kind(_text(error))


def _kind(error: BaseException) -> type[StoreError] | None:
    if isinstance(error, sqlite3.Error):
        return _sqlite_kind(error)
    if isinstance(error, asyncpg.PostgresError):
        return _postgres_kind(error.sqlstate or "")
    if isinstance(error, (asyncpg.DataError, OverflowError, UnicodeEncodeError)):
        return RowRefused
    if isinstance(error, (asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, EOFError)):
        return StoreUnavailable
    return None


def _sqlite_kind(error: sqlite3.Error) -> type[StoreError] | None:
    if isinstance(error, (sqlite3.IntegrityError, sqlite3.DataError)):
        return RowRefused
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    if code in (_SQLITE_BUSY, _SQLITE_LOCKED):
        return StoreConflict
    if code in _SQLITE_AWAY:
        return StoreUnavailable
    if isinstance(error, (sqlite3.InterfaceError, sqlite3.ProgrammingError)) and "binding" in str(error):
        return RowRefused
    if isinstance(error, sqlite3.ProgrammingError) and "closed database" in str(error):
        return StoreUnavailable
    return None


def _postgres_kind(state: str) -> type[StoreError] | None:
    if state.startswith(_CONFLICT_STATES):
        return StoreConflict
    if state.startswith(_AWAY_STATES):
        return StoreUnavailable
    if state.startswith(_REFUSED_CLASSES):
        return RowRefused
    return None


def _text(error: BaseException) -> str:
    words = str(error).strip().split("\n", 1)[0]
    return f"{type(error).__name__}: {words}" if words else type(error).__name__
