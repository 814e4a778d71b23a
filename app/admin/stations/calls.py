"""Any OCPP call to a station, as on the wire, and the wire log."""

import asyncio
import json
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response

from app.admin.answers import LIST, answer, page_answer, time_or_none
from app.admin.context import Context
from app.admin.problems import Problem, invalid
from app.admin.requests import Counted, Paging, object_body
from app.domain.commands import OutcomeKind
from app.domain.errors import Conflict
from app.kit.logs import masked
from app.services.commands import DEFAULT_SECONDS, LONGEST_SECONDS
from app.store import frames
from app.store.frames import Frame
from ocpp_bridge.v16 import schemas

router = APIRouter(prefix="/stations/{station_id}", tags=["stations"])

_BACK = {"in": "out", "out": "in"}


@router.post(
    "/ocpp/{action}",
    summary="Send a call to a station, whatever it is",
    openapi_extra=object_body("the OCPP payload as on the wire", {"type": "Soft"}),
    responses={202: {"description": "wait=0: the call is committed and on its way"}},
)
async def call_station(
    *,
    request: Request,
    station_id: str,
    action: Annotated[str, Path(max_length=64)],
    context: Context,
    wait: Annotated[bool, Query(description="0: answer at once")] = True,
    timeout: Annotated[  # noqa: ASYNC109 - the wire's deadline, not a cancellation of ours
        float, Query(gt=0, le=LONGEST_SECONDS, description="seconds the station gets to answer")
    ] = DEFAULT_SECONDS,
) -> Response:
    """`outcome` is result, error or timeout. 409: not connected; 404: no such call; 422: not of its schema."""
    payload = _payload(request)
    await context.stations.get(station_id)
    sent = await context.commands.submit(station_id, action, payload, seconds=timeout)
    if not wait:
        return answer({"message_id": sent.message_id}, 202)
    # The call goes on, and its outcome is recorded, also if whoever asked has gone.
    outcome = await asyncio.shield(sent.outcome)
    if outcome.kind is OutcomeKind.NOT_CONNECTED:
        raise Conflict(f"station {station_id} is not connected")
    return answer({"message_id": sent.message_id, "outcome": str(outcome.kind), "response": outcome.response})


@router.get("/ocpp", summary="Every call that can be made to a station, with its schema")
async def list_calls(station_id: str, context: Context) -> Response:
    """By name; a station that has not told its version is taken for one of OCPP 1.6."""
    await context.stations.get(station_id)
    return answer({name: schemas.schema(name) for name in sorted(schemas.TO_STATION)})


@router.get("/frames", summary="The wire log of a station, newest first", responses=LIST)
async def list_frames(station_id: str, context: Context, page: Paging, counted: Counted = True) -> Response:
    """Each call is two entries, its answer first. An answer that never came has no text; `outcome` says why."""
    first, last = page.offset // 2, -(-(page.offset + page.limit) // 2)
    async with context.store.reading() as session:
        found = await frames.latest(session, station_id, limit=last - first, offset=first)
        total = 2 * await frames.count(session, station_id) if counted else None
    if not found:
        await context.stations.get(station_id)
    entries = [entry for frame in found for entry in (_answer_body(frame), _call_body(frame))]
    skipped = page.offset - 2 * first
    return page_answer(entries[skipped : skipped + page.limit], total)


def _payload(request: Request) -> dict[str, Any]:
    """The payload with numbers as a station expects them; the gate has read it once and found it sound."""
    if request.state.document is None:
        return {}
    if not isinstance(request.state.document, dict):
        raise invalid("body", "an OCPP payload is a JSON object")
    payload: dict[str, Any] = json.loads(request.state.raw.decode("utf-8-sig"))
    try:
        json.dumps(payload, allow_nan=False)
    except ValueError:
        raise Problem(422, "a number of the payload is out of range") from None
    return payload


def _call_body(frame: Frame) -> dict[str, Any]:
    return _entry(frame) | {
        "at": time_or_none(frame.at),
        "direction": frame.direction,
        "kind": "call",
        "text": _text(frame.request),
    }


def _answer_body(frame: Frame) -> dict[str, Any]:
    return _entry(frame) | {
        "at": time_or_none(frame.answered_at),
        "direction": _BACK[frame.direction],
        "kind": "answer",
        "text": None if frame.answer is None else _text(frame.answer),
    }


def _entry(frame: Frame) -> dict[str, Any]:
    return {
        "message_id": frame.message_id,
        "action": frame.action,
        "outcome": frame.outcome,
        "deviations": [] if frame.deviations is None else msgspec.json.decode(frame.deviations),
    }


def _text(raw: bytes) -> str:
    """What travelled, passwords masked; bytes that are no text are shown as \\xNN."""
    return masked(raw.decode("utf-8", "backslashreplace"))
