"""What commands print: tables for people, JSON for programs."""

import json
import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import httpx
import typer

from app.cli.failures import Failure
from app.kit.redaction import without_controls

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Limit = Annotated[int, typer.Option(min=1, max=1000, help="At most so many.")]

_UNBOUNDED = 400


def say(text: str) -> None:
    """A line for the person who typed the command."""
    typer.echo(without_controls(text))


def one(response: httpx.Response) -> None:
    """One object, as readable JSON."""
    typer.echo(json.dumps(response.json(), indent=2, ensure_ascii=not _shows_unicode()))


def listed(response: httpx.Response, columns: Mapping[str, str], *, as_json: bool) -> None:
    """A list as a table of these columns (heading: field, dots go deeper), or as JSON."""
    if as_json:
        one(response)
        return
    found = response.json()
    table(found, columns)
    total = int(response.headers.get("X-Total-Count", len(found)))
    if total > len(found):
        typer.echo(f"{len(found)} of {total}", err=True)


def table(found: Sequence[Mapping[str, Any]], columns: Mapping[str, str]) -> None:
    """Objects as a table of these columns."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(box=None, pad_edge=False)
    for heading in columns:
        made.add_column(heading, overflow="fold")
    for each in found:
        made.add_row(*(Text(_cell(each, field)) for field in columns.values()))
    console = Console(highlight=False) if sys.stdout.isatty() else Console(highlight=False, width=_UNBOUNDED)
    console.print(made)


def read_json(file: str) -> Any:
    """The JSON in a file, or on standard input for `-`; numbers keep their digits. Raises Failure."""
    return parse(read_text(file), file)


def read_text(file: str) -> str:
    """What a file says, or standard input for `-`. Raises Failure."""
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Failure(f"{file} cannot be read: {reason}") from None


def save(file: Path, content: str) -> None:
    """Write what the server gave into a file. Raises Failure."""
    try:
        file.write_text(content, "utf-8", newline="")
    except OSError as error:
        raise Failure(f"{file} cannot be written: {error.strerror}") from None
    say(f"wrote {file}")


def parse(text: str, what: str) -> Any:
    """JSON that a person typed. Raises Failure."""
    try:
        return json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise Failure(f"{what} is not JSON: {error}") from None


def exact(number: str, what: str) -> float:
    """A number that a person typed. Raises Failure."""
    try:
        return float(Decimal(number))
    except ArithmeticError:
        raise Failure(f"{what}: {number} is not a number") from None


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _shows_unicode() -> bool:
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _cell(row: Any, field: str) -> str:
    value = row
    for step in field.split("."):
        value = value.get(step) if isinstance(value, dict) else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        texts = [each for each in value if isinstance(each, str)]
        return without_controls(", ".join(texts)) if texts else str(len(value))
    return without_controls(str(value))


def rows(values: Sequence[tuple[str, str]]) -> None:
    """Names with their values, one per line."""
    width = max(len(name) for name, _ in values)
    for name, value in values:
        say(f"{name:<{width}}  {value}")
