"""One history of all tables, for SQLite and PostgreSQL: bring a database up to date, and say whether it is."""

from functools import cache
from importlib import import_module
from typing import Any

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import SQLModel

from app.store.database.errors import StoreError, read_error

_ROOMS = (
    "app.outbox.tables",
    "app.store.views.availability",
    "app.store.views.availability_days",
    "app.store.cdrs",
    "app.store.hub.clearing",
    "app.store.commands",
    "app.store.foreign_clients",
    "app.store.frames",
    "app.store.grants",
    "app.store.hub.objects",
    "app.store.hub.accounts",
    "app.store.locations",
    "app.store.messages",
    "app.store.nodes",
    "app.store.hub.pulls",
    "app.store.remote",
    "app.store.reservations",
    "app.store.sessions",
    "app.store.station_settings",
    "app.store.stations",
    "app.store.tariffs",
    "app.store.tokens",
    "app.store.transactions",
    "app.store.webhooks",
    "ocpi.partners.tables",
)
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(8461724613310541159)"


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Brings the database up to date, in one transaction: killed half-way, nothing has happened.

    Several processes may try at once. Raises StoreError where the database is not ours or newer than we are.
    """
    await _migrate(engine, lambda config: command.upgrade(config, revision))


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Takes the database back to an older revision (`base`: empty), in one transaction."""
    await _migrate(engine, lambda config: command.downgrade(config, revision))


async def is_current(engine: AsyncEngine) -> bool:
    """Whether the database is at the newest revision. Raises StoreUnavailable."""
    try:
        async with engine.connect() as connection:
            found = await connection.run_sync(_revision)
    except (SQLAlchemyError, OSError) as error:
        raise read_error(error) or error from error
    return found == _head()


async def differences(engine: AsyncEngine) -> list[str]:
    """In what the database differs from the tables in the code: one line each, none when all is well."""
    async with engine.connect() as connection:
        return await connection.run_sync(_compare)


def tables() -> MetaData:
    """All tables of the house."""
    for room in _ROOMS:
        import_module(room)
    return SQLModel.metadata


async def _migrate(engine: AsyncEngine, work: Any) -> None:
    def run(connection: Connection) -> None:
        config = _config()
        config.attributes["connection"] = connection
        work(config)

    try:
        async with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                await connection.execute(text(_ONE_AT_A_TIME))
            await connection.run_sync(run)
    except CommandError as error:
        raise StoreError(f"the database is not one of this version of Voltbridge: {error}") from error
    except (SQLAlchemyError, OSError) as error:
        raise read_error(error) or StoreError(f"the migration failed: {_first_line(error)}") from error


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "app:migrations")
    return config


@cache
def _head() -> str | None:
    return ScriptDirectory.from_config(_config()).get_current_head()


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _compare(connection: Connection) -> list[str]:
    context = MigrationContext.configure(connection, opts={"compare_type": True})
    return [str(difference) for difference in compare_metadata(context, tables())]


def _first_line(error: BaseException) -> str:
    return str(error).split("\n", 1)[0]
