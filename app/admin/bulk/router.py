"""Import and export of many objects over the admin API."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.admin.answers import answer
from app.admin.bulk import lists, sheets
from app.admin.bulk.forms import SET_BY_US, TABLES, Subject
from app.admin.bulk.sheets import Fault
from app.admin.bulk.writing import Refused, put_all
from app.admin.context import AdminContext, Context
from app.admin.problems import Problem
from app.admin.requests import Form
from app.admin.tokens import token_entry
from app.store import locations, tariffs, tokens
from app.store.paging import Page, Window
from ocpi.mapping.locations import location_body
from ocpi.mapping.tariffs import tariff_body

router = APIRouter(tags=["bulk"])

_PAGE = 500


class Format(StrEnum):
    """How a file is written."""

    CSV = "csv"
    JSON = "json"


class File(Form):
    """The file as it is, and how it is written."""

    format: Annotated[Format, Field(strict=False)]
    text: Annotated[str, Field(description="the whole content of the file")]


@router.post("/import/{subject}", summary="Put many objects: all of them or none")
async def import_objects(
    subject: Subject,
    body: File,
    context: Context,
    dry_run: Annotated[bool, Query(description="only say what would happen")] = False,
) -> Response:
    """422 names every fault with its line; then nothing was kept. Columns: docs/how-to/import.md."""
    items, faults = (
        sheets.read(body.text, TABLES[subject]) if body.format is Format.CSV else lists.read(body.text)
    )
    if faults:
        raise _problem(faults)
    try:
        result = await put_all(context, subject, items, dry_run=dry_run)
    except Refused as refused:
        raise _problem(refused.faults) from None
    return answer(
        {"kind": subject, "dry_run": dry_run, "created": result.created, "replaced": result.replaced}
    )


@router.get("/export/{subject}", summary="All objects of a kind, in the form in which they can be imported")
async def export_objects(
    subject: Subject,
    context: Context,
    written: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Response:
    """Passwords of stations are not among it."""
    documents = [_plain(each) for each in await _READERS[subject](context)]
    named = {"Content-Disposition": f'attachment; filename="{subject}.{written}"'}
    if written is Format.CSV:
        return Response(sheets.write(documents, TABLES[subject]), media_type="text/csv", headers=named)
    return Response(lists.write(documents), media_type="application/json", headers=named)


def _problem(faults: list[Fault]) -> Problem:
    errors = [{"line": each.line, "field": each.field, "message": each.message} for each in faults]
    first = faults[0]
    where = f"line {first.line}" + (f", {first.field}" if first.field else "")
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Problem(422, f"{where}: {first.message}{more}; nothing was kept", errors=errors)


def _plain(document: Any) -> Any:
    """Without what we set ourselves, at any depth, and without what is absent."""
    if isinstance(document, dict):
        kept = {name: _plain(value) for name, value in document.items() if name not in SET_BY_US}
        return {name: value for name, value in kept.items() if value is not None}
    return [_plain(each) for each in document] if isinstance(document, list) else document


async def _locations(context: AdminContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    window: Window | None = Window(limit=_PAGE)
    async with context.store.reading() as session:
        while window is not None:
            page = await locations.page(session, window, roaming_only=False)
            bodies = await locations.bodies(session, [id_ for id_, _ in page.items])
            found += [location_body(bodies[id_]) | {"roaming": bodies[id_].roaming} for id_, _ in page.items]
            window = _next(page)
    return found


async def _tariffs(context: AdminContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    window: Window | None = Window(limit=_PAGE)
    async with context.store.reading() as session:
        while window is not None:
            page = await tariffs.page(session, window)
            bodies = await tariffs.bodies(session, [id_ for id_, _ in page.items])
            found += [tariff_body(bodies[id_]) for id_, _ in page.items]
            window = _next(page)
    return found


async def _tokens(context: AdminContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    async with context.store.reading() as session:
        while True:
            page, total = await tokens.find(session, own=True, limit=_PAGE, offset=len(found))
            found += [token_entry(each) for each in page]
            if not page or len(found) >= total:
                return found


async def _stations(context: AdminContext) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while True:
        page, total = await context.stations.find(limit=_PAGE, offset=len(found))
        found += [
            {
                "id": each.station.id,
                "location_id": each.station.location_id,
                "security_profile": each.station.security_profile,
                "uid_order": str(each.station.uid_order),
                "connectors": [
                    {name: getattr(link, name) for name in ("evse", "connector", "evse_uid", "connector_id")}
                    for link in each.station.connectors
                ],
            }
            for each in page
        ]
        if not page or len(found) >= total:
            return found


def _next(page: Page) -> Window | None:
    return None if page.next is None else Window(limit=_PAGE, after=page.next)


_READERS = {
    Subject.STATIONS: _stations,
    Subject.LOCATIONS: _locations,
    Subject.TOKENS: _tokens,
    Subject.TARIFFS: _tariffs,
}
