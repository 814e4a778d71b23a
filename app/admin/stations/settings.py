"""Settings of one station: what it told, and changing them by its own answer."""

import asyncio
from collections.abc import Awaitable
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, time_or_none
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Document, Plain, object_body
from app.domain.errors import Conflict
from app.domain.upkeep.setting_up import NAMED, SettingAnswer, waits_for_reboot
from app.kit.tasks import spawn
from app.services.setting_up.station_settings import check_answer, check_change

router = APIRouter(prefix="/stations/{station_id}/settings", tags=["stations"], dependencies=[Plain])

MOST_CHANGES = 20
"""Settings changed by one request: each is a call that the station may take half a minute to answer."""

T = TypeVar("T")


@router.get("", summary="What a station told of its settings")
async def get_station_settings(
    station_id: str,
    context: Context,
    refresh: Annotated[bool, Query(description="1: ask the station now")] = False,
) -> Response:
    """`read_at` says when it was asked, null: never. Passwords are masked. 409 with `refresh`: no answer."""
    await context.stations.get(station_id)
    if refresh:
        told = await _to_the_end(context.settings.read(station_id, named=NAMED), f"settings of {station_id}")
        check_answer(station_id, told)
    return answer(await _shown(context, station_id))


@router.patch(
    "",
    summary="Change settings of a station, one after the other",
    openapi_extra=object_body(
        "values by key", {"HeartbeatInterval": 600, "AuthorizeRemoteTxRequests": False}
    ),
)
async def change_station_settings(station_id: str, changes: Document, context: Context) -> Response:
    """The station's answer to each: accepted, reboot_required, rejected, not_supported, failed, unanswered; not_sent
    where it was gone by then. 409: not connected.
    """
    await context.stations.get(station_id)
    wanted = _wanted(changes)
    answers = await _to_the_end(_change(context, station_id, wanted), f"settings of {station_id}")
    if all(each is SettingAnswer.NOT_SENT for each in answers.values()):
        raise Conflict(f"station {station_id} is not connected")
    results = [{"key": key, "value": wanted[key], "answer": str(given)} for key, given in answers.items()]
    return answer({"changes": results, **await _shown(context, station_id)})


async def _change(context: AdminContext, station_id: str, wanted: dict[str, str]) -> dict[str, SettingAnswer]:
    """One after the other; once the station is gone nothing more is tried."""
    answers: dict[str, SettingAnswer] = {}
    for key, value in wanted.items():
        gone = SettingAnswer.NOT_SENT in answers.values()
        answers[key] = (
            SettingAnswer.NOT_SENT if gone else await context.settings.change(station_id, key, value)
        )
    return answers


async def _to_the_end(work: Awaitable[T], name: str) -> T:
    """What was begun is brought to its end, also if whoever asked has gone."""

    async def doing() -> T:
        return await work

    return await asyncio.shield(spawn(doing(), name))


def _wanted(changes: dict[str, Any]) -> dict[str, str]:
    if not changes:
        raise invalid("body", "names no setting")
    if len(changes) > MOST_CHANGES:
        raise invalid("body", f"at most {MOST_CHANGES} settings at a time")
    wanted = {key: _text(key, value) for key, value in changes.items()}
    for key, value in wanted.items():
        check_change(key, value)
    return wanted


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None or isinstance(value, dict | list):
        raise invalid(key, "must be a text, a number, true or false")
    return str(value)


async def _shown(context: AdminContext, station_id: str) -> dict[str, Any]:
    kept = await context.settings.kept(station_id)
    station = (await context.stations.get(station_id)).station
    waiting = (
        [] if station.commissioning is None else waits_for_reboot(station.commissioning, station.booted_at)
    )
    return {
        "read_at": None if kept is None else time_or_none(kept.read_at),
        "settings": []
        if kept is None
        else [{"key": each.key, "value": each.value, "readonly": each.readonly} for each in kept.settings],
        "unknown": [] if kept is None else list(kept.unknown),
        "waits_for_reboot": waiting,
    }
