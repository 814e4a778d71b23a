"""Lists of partners that we read, and what came of it."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, page_answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.requests import Paging, Plain
from app.store.hub import pulls
from app.store.hub.pulls import PullRow

router = APIRouter(prefix="/pulls", tags=["partners"], dependencies=[Plain])


@router.get("", summary="Lists of partners that we read: when, and what came of it", responses=LIST)
async def list_pulls(
    context: Context,
    page: Paging,
    partner: Annotated[str | None, Query(description="id of a partner")] = None,
) -> Response:
    """One entry per partner and module: the last reading, and when the last one came to its end.

    Of `entries`, `kept` were new or newer than what was known and `skipped` were none of the partner's objects;
    `withdrawn` were known before and are in the list no more. `error` says what stopped it: it is read again.
    """
    async with context.store.reading() as session:
        found = await pulls.every(session, partner)
    shown = [_body(row, context) for row in found[page.offset : page.offset + page.limit]]
    return page_answer(shown, len(found))


def _body(row: PullRow, context: AdminContext) -> dict[str, Any]:
    partner = context.desk.registry.find(row.partner_id)
    return {
        "partner": row.partner_id,
        "name": None if partner is None else partner.name,
        "platform": None if partner is None else partner.platform,
        "module": row.module,
        "tried_at": time_or_none(row.tried_at),
        "pulled_at": time_or_none(row.pulled_at),
        "whole_at": time_or_none(row.whole_at),
        "entries": row.entries,
        "kept": row.kept,
        "skipped": row.skipped,
        "withdrawn": row.withdrawn,
        "error": row.error,
    }
