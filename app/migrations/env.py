"""What Alembic runs: all tables of the house, on the connection and in the transaction it is given."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import BigInteger, Integer
from sqlalchemy.types import TypeDecorator

from app.migrations import tables


def render_item(kind: str, item: Any, _context: AutogenContext) -> str | Literal[False]:
    """New revisions name what a column is in the database, not the class that reads it."""
    if kind != "type":
        return False
    if isinstance(item, BigInteger) and isinstance(item._variant_mapping.get("sqlite"), Integer):  # noqa: SLF001
        return "sa.BigInteger().with_variant(sa.Integer(), 'sqlite')"
    return f"sa.{item.impl_instance!r}" if isinstance(item, TypeDecorator) else False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=tables(),
    compare_type=True,
    render_item=render_item,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
