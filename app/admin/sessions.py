"""Charging sessions in their OCPI form, those that no partner sees included."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import LIST, answer, page_answer
from app.admin.billing.cdrs import parties_of
from app.admin.context import AdminContext, Context
from app.admin.requests import Moment, Paging, Plain
from app.domain.errors import NotFound
from app.domain.sessions import ChargingSession, SessionStatus
from app.store import sessions
from app.store.sessions import Origin
from ocpi.mapping.sessions import session_body

router = APIRouter(prefix="/sessions", tags=["sessions"], dependencies=[Plain])

_NOWHERE = Origin(None, None)


@router.get("", summary="Sessions, newest first", responses=LIST)
async def list_sessions(
    *,
    context: Context,
    page: Paging,
    status: Annotated[SessionStatus | None, Query(description="such as ACTIVE")] = None,
    partner: Annotated[str | None, Query(description="id of a partner, or a party such as DE-EMP")] = None,
    station: Annotated[str | None, Query(description="id of a station")] = None,
    date_from: Annotated[Moment | None, Query(alias="from", description="made at or after")] = None,
    date_to: Annotated[Moment | None, Query(alias="to", description="made before")] = None,
) -> Response:
    """With their charging periods and their cost so far; `station` and `transaction` as far as they have begun there."""
    async with context.store.reading() as session:
        found, total = await sessions.find(
            session,
            status=status,
            owners=None if partner is None else parties_of(context, partner),
            station_id=station,
            date_from=date_from,
            date_to=date_to,
            limit=page.limit,
            offset=page.offset,
        )
        origins = await sessions.origins(session, [each.id for each in found])
    return page_answer([_body(each, origins, context) for each in found], total)


@router.get("/{session_id}", summary="One session")
async def get_session(session_id: str, context: Context) -> Response:
    """A session of a station without a location names its location `#NA`."""
    async with context.store.reading() as session:
        found = await sessions.get(session, session_id)
        origins = await sessions.origins(session, [session_id])
    if found is None:
        raise NotFound(f"there is no session {session_id}")
    return answer(_body(found, origins, context))


def _body(found: ChargingSession, origins: Mapping[str, Origin], context: AdminContext) -> dict[str, Any]:
    origin = origins.get(found.id, _NOWHERE)
    ours = {"transaction": origin.ref, "station": origin.station_id, "published": found.published}
    return session_body(found, context.ours) | ours
