"""A CSV table as nested objects and back: which column is which field, and which line a field came from."""

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

SEPARATOR = "|"
"""Between the entries of a cell that holds several."""

_RISKY = re.compile(r"'*[=+\-@\t\r]")
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class Kind(StrEnum):
    """What a cell holds. `rest` is a JSON object with all fields that have no column."""

    TEXT = "text"
    WHOLE = "whole number"
    NUMBER = "number"
    FLAG = "true or false"
    SEVERAL = f"entries separated by {SEPARATOR}"
    REST = "a JSON object"


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, the path of its field within the object of its level, what its cells hold."""

    heading: str
    path: tuple[str, ...]
    kind: Kind = Kind.TEXT


@dataclass(frozen=True, slots=True)
class Level:
    """One kind of object in a row. `name` is the list of the object around it that it stands in.

    Rows with the same `key` cell are about the same object; without a key every row has its own.
    `hidden` is a field that only orders the objects and is not part of them.
    """

    columns: Sequence[Column]
    name: str = ""
    key: str | None = None
    hidden: str | None = None


@dataclass(slots=True)
class Item:
    """One object as it was given, with the line it began on and the lines of its parts, by their path."""

    line: int
    document: dict[str, Any]
    lines: dict[str, int] = field(default_factory=dict)

    def line_of(self, path: str) -> int:
        """The line of the innermost part that a field belongs to."""
        parts = [part for part in self.lines if path == part or path.startswith((f"{part}.", f"{part}["))]
        return self.lines[max(parts, key=len)] if parts else self.line


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong on a line."""

    line: int
    field: str
    message: str


def read(text: str, levels: Sequence[Level]) -> tuple[list[Item], list[Fault]]:
    """The objects of a table and what cannot be read in it. Comma or semicolon, with or without a BOM."""
    text = text.removeprefix("\ufeff")
    heading = text.split("\n", 1)[0]
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=";" if heading.count(";") > heading.count(",") else ","
    )
    try:
        headings = [name.strip() for name in next(reader, [])]
        faults = list(_wrong_headings(headings, levels))
        items = {} if faults else _rows(reader, headings, levels, faults)
    except csv.Error as error:
        return [], [Fault(reader.line_num, "", str(error))]
    for item in items.values():
        _unhide(item.document, levels)
    return list(items.values()), faults


def write(documents: Iterable[Mapping[str, Any]], levels: Sequence[Level]) -> str:
    """The table of these objects; no cell is one that a spreadsheet would calculate."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([column.heading for level in levels for column in level.columns])
    for document in documents:
        for row in _spread(document, levels):
            writer.writerow(row)
    return out.getvalue()


def _wrong_headings(headings: Sequence[str], levels: Sequence[Level]) -> Iterator[Fault]:
    known = {column.heading for level in levels for column in level.columns}
    key = levels[0].key
    for heading in dict.fromkeys(headings):
        if heading not in known:
            yield Fault(1, heading, f"there is no such column; known: {', '.join(sorted(known))}")
        elif headings.count(heading) > 1:
            yield Fault(1, heading, "the column is there twice")
    if key is not None and key not in headings:
        yield Fault(1, key, "the column is missing")


def _rows(
    reader: Any, headings: Sequence[str], levels: Sequence[Level], faults: list[Fault]
) -> dict[str, Item]:
    items: dict[str, Item] = {}
    # A cell may hold line breaks: a row begins where the one before it ended.
    line = reader.line_num + 1
    for row in reader:
        began, line = line, reader.line_num + 1
        if not any(cell.strip() for cell in row):
            continue
        if len(row) > len(headings):
            faults.append(Fault(began, "", f"{len(row)} cells, but {len(headings)} columns"))
            continue
        cells = dict.fromkeys(headings, "") | {
            name: _unguarded(cell.strip()) for name, cell in zip(headings, row, strict=False)
        }
        _take(cells, began, levels, items, faults)
    return items


def _take(
    cells: Mapping[str, str],
    line: int,
    levels: Sequence[Level],
    items: dict[str, Item],
    faults: list[Fault],
) -> None:
    """One row: the objects it is about, found or made, and its cells as their fields."""
    key = levels[0].key
    name = str(line) if key is None else cells[key].upper()
    if not name:
        faults.append(Fault(line, key or "", "must say something"))
        return
    item = items.setdefault(name, Item(line, {}))
    target, path = item.document, ""
    for number, level in enumerate(levels):
        if level.name:
            if not any(cells.get(column.heading) for deeper in levels[number:] for column in deeper.columns):
                return
            target, path = _inner(target, level, cells, path)
            item.lines.setdefault(path, line)
        for column in level.columns:
            if cell := cells.get(column.heading, ""):
                _set(target, column, cell, line, faults)


def _inner(
    target: dict[str, Any], level: Level, cells: Mapping[str, str], path: str
) -> tuple[dict[str, Any], str]:
    entries: list[dict[str, Any]] = target.setdefault(level.name, [])
    key = next((column for column in level.columns if column.heading == level.key), None)
    wanted = cells.get(level.key or "", "")
    for number, entry in enumerate(entries):
        if wanted and key is not None and str(_at(entry, key.path)).upper() == wanted.upper():
            return entry, _join(path, f"{level.name}[{number}]")
    entries.append({})
    return entries[-1], _join(path, f"{level.name}[{len(entries) - 1}]")


def _set(target: dict[str, Any], column: Column, cell: str, line: int, faults: list[Fault]) -> None:
    try:
        value = _value(cell, column.kind)
    except (ValueError, InvalidOperation):
        faults.append(Fault(line, column.heading, f"must be {column.kind}"))
        return
    if column.kind is Kind.REST:
        target.update({name: each for name, each in value.items() if name not in target})
        return
    for step in column.path[:-1]:
        target = target.setdefault(step, {})
    before = target.setdefault(column.path[-1], value)
    if before != value and str(before).upper() != str(value).upper():
        faults.append(Fault(line, column.heading, f"differs from {before} on an earlier line"))


def _unhide(document: dict[str, Any], levels: Sequence[Level]) -> None:
    """Take away what only said which row belongs to which object."""
    level, inner = levels[0], levels[1:]
    document.pop(level.hidden or "", None)
    for part in document.get(inner[0].name, []) if inner else []:
        _unhide(part, inner)


def _value(cell: str, kind: Kind) -> Any:
    match kind:
        case Kind.TEXT:
            return cell
        case Kind.WHOLE:
            return int(cell)
        case Kind.NUMBER:
            if not _NUMBER.fullmatch(cell):
                raise ValueError(cell)
            return Decimal(cell) if "." in cell else int(cell)
        case Kind.FLAG:
            if cell.lower() not in _WORDS:
                raise ValueError(cell)
            return _WORDS[cell.lower()]
        case Kind.SEVERAL:
            return [each.strip() for each in cell.split(SEPARATOR) if each.strip()]
        case Kind.REST:
            value = json.loads(cell, parse_float=Decimal)
            if not isinstance(value, dict):
                raise ValueError(cell)  # noqa: TRY004 - the cell is at fault, not a type
            return value


def _spread(document: Mapping[str, Any], levels: Sequence[Level], number: int = 0) -> Iterator[list[str]]:
    """The rows of one object: one for each innermost part."""
    level, inner = levels[0], levels[1:]
    known = {inner[0].name} if inner else set()
    own = [_cell(document, column, level, known, number) for column in level.columns]
    parts = document.get(inner[0].name) or [] if inner else []
    if not parts:
        yield own + [""] * sum(len(each.columns) for each in inner)
    for place, part in enumerate(parts):
        for rest in _spread(part, inner, place + 1):
            yield own + rest


def _cell(document: Mapping[str, Any], column: Column, level: Level, inner: set[str], number: int) -> str:
    if column.heading == level.hidden:
        return str(number)
    if column.kind is Kind.REST:
        named = inner | {each.path[0] for each in level.columns if each.path}
        rest = {name: value for name, value in document.items() if name not in named and value is not None}
        return json.dumps(rest, ensure_ascii=False, default=_digits) if rest else ""
    value = _at(document, column.path)
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list() | tuple():
            return guarded(SEPARATOR.join(map(str, value)))
        case Decimal():
            return format(value, "f")
        case int():
            return str(value)
        case _:
            return guarded(str(value))


def _at(document: Mapping[str, Any], path: Sequence[str]) -> Any:
    value: Any = document
    for step in path:
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def _digits(value: Any) -> Any:
    """Fractions in a cell of JSON: a few digits, as prices and coordinates have."""
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(type(value).__name__)


def guarded(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{text}" if _RISKY.match(text) and not _NUMBER.fullmatch(text) else text


def _unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") and _RISKY.match(text[1:]) else text


def _join(path: str, part: str) -> str:
    return f"{path}.{part}" if path else part
