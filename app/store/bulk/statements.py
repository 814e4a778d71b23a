"""Statements of the bulk door: one SQL text per database, many rows at once, built once when a module loads.

Templates of expressions may say {old} (the row in the table), {new} (the row that comes), {greatest}.
"""

# ruff: noqa: S608 - texts are built from the names of our own tables and columns, never from input

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple

from sqlalchemy import Table, Text
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import SQLModel

Row = tuple[Any, ...]
_ROWS_AT_ONCE = 64
"""Rows of one statement. SQLite gives up the interpreter lock at each step, and the busy event loop gives it
back late; one step for many rows keeps a batch quick."""
_SQLITE_CASTS = {"text": "TEXT", "bigint": "INTEGER"}
"""What comes out of JSON has no type of its own; without one SQLite would not look into an index."""

_POSTGRESQL = postgresql.dialect()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False, kw_only=True)
class Statement:
    """Writes many rows; each row is a tuple in the order of `columns`, in stored form (micros, JSON text)."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]
    postgresql: str
    sqlite_head: str
    sqlite_tail: str
    texts: tuple[int, ...]
    """Places of the columns that hold text as others wrote it; in our own JSON every NUL is escaped."""

    def sqlite(self, rows: int) -> str:
        """The text that takes so many rows of parameters."""
        return _sqlite_text(self.sqlite_head, self.sqlite_tail, len(self.columns), rows)

    def ordered(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Rows by key: two writers that touch the same rows meet them in the same order, so none deadlocks."""
        if not self.key or len(rows) < 2:
            return rows
        return sorted(rows, key=itemgetter(*(self.columns.index(column) for column in self.key)))


@dataclass(frozen=True, eq=False, kw_only=True)
class Query:
    """Looks up what a batch needs. Its parameters are lists, in the order of their numbers."""

    sqlite: str
    postgresql: str
    pairs: bool


class Guard(NamedTuple):
    """What a look-up by id must find just before a commit: these rows, their ids first."""

    query: Query
    expected: Sequence[Row]


def insert(row: type[SQLModel], columns: Sequence[str], *, ignore: Sequence[str] = ()) -> Statement:
    """New rows. A row whose columns `ignore` equal those of a stored one is passed over."""
    tail = f" ON CONFLICT ({', '.join(ignore)}) DO NOTHING" if ignore else ""
    return _inserting(row, columns, tuple(ignore), tail)


def upsert(
    row: type[SQLModel],
    columns: Sequence[str],
    key: Sequence[str],
    update: Sequence[str] | Mapping[str, str],
) -> Statement:
    """New rows, or an update of the stored ones with the same key: plain columns, or {column: expression}.

    The rows of one statement must differ in their keys.
    """
    expressions = update if isinstance(update, Mapping) else {column: "{new}." + column for column in update}
    table = _table(row)
    sets = {
        greatest: ", ".join(
            f"{column} = {text.format(old=table.name, new='excluded', greatest=greatest)}"
            for column, text in expressions.items()
        )
        for greatest in ("max", "greatest")
    }
    tail = f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET "
    return _inserting(row, columns, tuple(key), tail + sets["max"], tail + sets["greatest"])


def update(
    row: type[SQLModel],
    columns: Sequence[str],
    key: Sequence[str],
    set_: Mapping[str, str],
    *,
    where: str = "",
) -> Statement:
    """Changes stored rows found by `key`; rows that are not there are passed over.

    `where` is one more condition, a template like the expressions.
    """
    table = _table(row)
    on = " AND ".join(f"{table.name}.{column} = v.{column}" for column in key)

    def text(greatest: str) -> str:
        words = {"old": table.name, "new": "v", "greatest": greatest}
        changes = ", ".join(f"{column} = {value.format(**words)}" for column, value in set_.items())
        more = f" AND {where.format(**words)}" if where else ""
        return f"SET {changes} FROM v WHERE {on}{more}"

    names = ", ".join(columns)
    return Statement(
        table=table.name,
        columns=tuple(columns),
        key=tuple(key),
        postgresql=(
            f"WITH v ({names}) AS (SELECT * FROM unnest({_arrays(table, columns)})) "
            f"UPDATE {table.name} {text('greatest')}"
        ),
        sqlite_head=f"WITH v ({names}) AS (VALUES ",
        sqlite_tail=f") UPDATE {table.name} {text('max')}",
        texts=_texts(table, columns),
    )


def query(sql: str, *types: str) -> Query:
    """A look-up with one list per type; {any0}, {any1}... stand after a column: "id {any0}".

    {none2} is its opposite; {one0} is the only value of a list, wherever a value may stand.
    {pairs} stands after two columns, "(a, b) {pairs}", for two lists read side by side; {for_share} holds
    the rows found until the transaction ends (PostgreSQL; on SQLite nobody else writes).
    {for_no_key_update} likewise, against others who would hold them too.
    {for_update} likewise takes rows of the table named d, passing over those that others have taken.
    """
    arrays = [f"${n}::{kind}[]" for n, kind in enumerate(types, 1)]
    casts = [_SQLITE_CASTS[kind] for kind in types]
    fields = ", ".join(f"CAST(json_extract(value, '$[{n}]') AS {cast})" for n, cast in enumerate(casts))
    return Query(
        sqlite=sql.format(
            **{
                f"any{n}": f"IN (SELECT CAST(value AS {cast}) FROM json_each(?{n + 1}))"
                for n, cast in enumerate(casts)
            },
            **{
                f"none{n}": f"NOT IN (SELECT CAST(value AS {cast}) FROM json_each(?{n + 1}))"
                for n, cast in enumerate(casts)
            },
            **{f"one{n}": f"CAST(json_extract(?{n + 1}, '$[0]') AS {cast})" for n, cast in enumerate(casts)},
            pairs=f"IN (SELECT {fields} FROM json_each(?1))",
            for_share="",
            for_no_key_update="",
            for_update="",
        ),
        postgresql=sql.format(
            **{f"any{n}": f"= ANY({array})" for n, array in enumerate(arrays)},
            **{f"none{n}": f"<> ALL({array})" for n, array in enumerate(arrays)},
            **{f"one{n}": f"({array})[1]" for n, array in enumerate(arrays)},
            pairs=f"IN (SELECT * FROM unnest({', '.join(arrays)}))",
            for_share="FOR SHARE",
            for_no_key_update="FOR NO KEY UPDATE",
            for_update="FOR UPDATE OF d SKIP LOCKED",
        ),
        pairs="{pairs}" in sql,
    )


def _inserting(
    row: type[SQLModel],
    columns: Sequence[str],
    key: tuple[str, ...],
    sqlite_tail: str,
    postgresql_tail: str | None = None,
) -> Statement:
    table = _table(row)
    head = f"INSERT INTO {table.name} ({', '.join(columns)}) "
    return Statement(
        table=table.name,
        columns=tuple(columns),
        key=key,
        postgresql=(
            f"{head}SELECT * FROM unnest({_arrays(table, columns)})"
            f"{sqlite_tail if postgresql_tail is None else postgresql_tail}"
        ),
        sqlite_head=f"{head}VALUES ",
        sqlite_tail=sqlite_tail,
        texts=_texts(table, columns),
    )


def _arrays(table: Table, columns: Sequence[str]) -> str:
    types = (table.columns[column].type.compile(dialect=_POSTGRESQL) for column in columns)
    return ", ".join(f"${n}::{kind.lower()}[]" for n, kind in enumerate(types, 1))


def _texts(table: Table, columns: Sequence[str]) -> tuple[int, ...]:
    return tuple(
        place for place, column in enumerate(columns) if isinstance(table.columns[column].type, Text)
    )


def _table(row: type[SQLModel]) -> Table:
    return row.__table__  # type: ignore[attr-defined,no-any-return]


def parts(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows in the portions in which SQLite gets them: each power of two gives one text, so that few are kept."""
    done = 0
    while done < len(rows):
        step = min(_ROWS_AT_ONCE, 1 << ((len(rows) - done).bit_length() - 1))
        yield rows[done : done + step]
        done += step


@cache
def _sqlite_text(head: str, tail: str, columns: int, rows: int) -> str:
    one = f"({', '.join('?' * columns)})"
    return head + ", ".join([one] * rows) + tail


async def run(session: AsyncSession, statement: Statement, rows: Sequence[Row]) -> None:
    """Runs a bulk statement in an ordinary unit of work, so that both doors write by the same words."""
    if not rows:
        return
    connection = await session.connection()
    rows = statement.ordered(rows)
    if connection.dialect.name == "postgresql":
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        await connection.exec_driver_sql(statement.postgresql, columns)
        return
    for part in parts(rows):
        values = tuple(value for row in part for value in row)
        await connection.exec_driver_sql(statement.sqlite(len(part)), values)


async def ask(session: AsyncSession, query: Query, *params: Sequence[Any]) -> list[Row]:
    """The rows of a query of the bulk door in an ordinary session."""
    connection = await session.connection()
    if connection.dialect.name == "postgresql":
        found = await connection.exec_driver_sql(query.postgresql, tuple(list(each) for each in params))
    else:
        found = await connection.exec_driver_sql(query.sqlite, sqlite_params(query, params))
    return [tuple(row) for row in found]


def sqlite_params(query: Query, params: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """The lists of a query as SQLite gets them: JSON."""
    lists = [list(zip(*params, strict=True))] if query.pairs else params
    return tuple(json.dumps(list(each)) for each in lists)
