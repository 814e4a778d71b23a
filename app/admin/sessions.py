"""Charging sessions in their OCPI form, those that no partner sees included."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, answer, page_answer
from app.admin.context import Context
from app.admin.requests import Paging, Plain
from app.domain.errors import NotFound
from app.domain.sessions import SessionStatus
from app.store import sessions
from ocpi.mapping.sessions import session_body

router = APIRouter(prefix="/sessions", tags=["sessions"], dependencies=[Plain])


@router.get("", summary="Sessions, newest first", responses=LIST)
async def list_sessions(
    context: Context,
    page: Paging,
    status: Annotated[SessionStatus | None, Query(description="such as ACTIVE")] = None,
) -> Response:
    """With their charging periods and their cost so far."""
    async with context.store.reading() as session:
        found, total = await sessions.find(session, status=status, limit=page.limit, offset=page.offset)
    return page_answer([session_body(each, context.ours) for each in found], total)


@router.get("/{session_id}", summary="One session")
async def get_session(session_id: str, context: Context) -> Response:
    """A session of a station without a location names its location `#NA`."""
    async with context.store.reading() as session:
        found = await sessions.get(session, session_id)
    if found is None:
        raise NotFound(f"there is no session {session_id}")
    return answer(session_body(found, context.ours))
