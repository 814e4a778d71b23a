"""voltbridge import and export: many stations, locations, tokens or tariffs in one file."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.client import request
from app.cli.failures import Failure
from app.cli.show import save, say

MOST_SHOWN = 20


class Subject(StrEnum):
    """What can be imported and exported."""

    STATIONS = "stations"
    LOCATIONS = "locations"
    TOKENS = "tokens"
    TARIFFS = "tariffs"


def import_(
    subject: Subject,
    file: Annotated[
        Path, typer.Argument(help="A .csv or .json file; docs/how-to/import.md names the columns.")
    ],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
) -> None:
    """Put all objects of a file, or none if one of them is wrong."""
    body = {"format": _format(file), "text": _text(file)}
    query = {"dry_run": "true"} if dry_run else None
    told = request("POST", f"/import/{subject}", body=body, query=query, explain=_explained).json()
    would = "would be " if dry_run else ""
    say(f"{subject}: {told['created']} {would}new, {told['replaced']} {would}replaced")


def export(
    subject: Subject,
    file: Annotated[Path, typer.Argument(help="A .csv or .json file, or - for JSON on standard output.")],
) -> None:
    """Write all objects into a file that can be imported again. Passwords are not among it."""
    to_screen = str(file) == "-"
    written = "json" if to_screen else _format(file)
    content = request("GET", f"/export/{subject}", query={"format": written}).text
    if to_screen:
        sys.stdout.write(content)
        return
    save(file, content)


def _format(file: Path) -> str:
    ending = file.suffix.lower().lstrip(".")
    if ending not in ("csv", "json"):
        raise Failure(f"{file}: the name must end in .csv or .json")
    return ending


def _text(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            return opened.read()
    except UnicodeDecodeError:
        raise Failure(f"{file} is not UTF-8; save it as CSV UTF-8") from None
    except OSError as error:
        raise Failure(f"{file} cannot be read: {error.strerror}") from None


def _explained(problem: dict[str, Any]) -> str:
    """Every fault on a line of its own."""
    faults = problem.get("errors", [])
    if not faults or "line" not in faults[0]:
        return str(problem["detail"])
    for fault in faults[:MOST_SHOWN]:
        where = f"line {fault['line']}" + (f", {fault['field']}" if fault["field"] else "")
        typer.echo(f"{where}: {fault['message']}", err=True)
    if len(faults) > MOST_SHOWN:
        typer.echo(f"and {len(faults) - MOST_SHOWN} more", err=True)
    return "nothing was kept"
