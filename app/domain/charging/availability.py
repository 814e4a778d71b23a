"""Whether an EVSE can serve, as we knew it at the time: online, and neither faulted nor out of service."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from app.domain.stations import ConnectorReport
from app.domain.status import ConnectorStatus, EvseStatus, evse_status

Reports = Mapping[tuple[int, int], ConnectorReport]
"""The last word about each connector, by EVSE and connector; (0, 0) is the station as a whole."""


class Standing(StrEnum):
    """How an EVSE stands. What its station said counts only while it is online."""

    SERVING = "serving"
    FAULTED = "faulted"
    UNAVAILABLE = "unavailable"
    OFFLINE = "offline"


class Turn(msgspec.Struct, frozen=True):
    """An EVSE (the station's own number) stands so from now on; `error_code` says what is wrong with it."""

    evse: int
    standing: Standing
    error_code: str | None = None


_WHOLE_STATION = (ConnectorStatus.UNAVAILABLE, ConnectorStatus.FAULTED)
_OUT = {EvseStatus.OUTOFORDER: Standing.FAULTED, EvseStatus.INOPERATIVE: Standing.UNAVAILABLE}


def turns(reports: Reports) -> dict[int, Turn]:
    """How every EVSE that has reported stands while its station is online."""
    return {evse: _turn(reports, evse) for evse in sorted({evse for evse, _ in reports} - {0})}


def changed(reports: Reports, seen: ConnectorReport) -> list[Turn]:
    """The EVSEs that stand differently by this newer word, or were not known."""
    after = {**reports, (seen.evse, seen.connector): seen}
    if seen.evse == 0:
        before = turns(reports)
        return [turn for evse, turn in turns(after).items() if before[evse].standing != turn.standing]
    known = any(evse == seen.evse for evse, _ in reports)
    turn = _turn(after, seen.evse)
    return [] if known and _turn(reports, seen.evse).standing == turn.standing else [turn]


def offline(reports: Reports) -> list[Turn]:
    """All EVSEs of a station whose socket is gone."""
    return [Turn(evse, Standing.OFFLINE) for evse in turns(reports)]


def _turn(reports: Reports, evse: int) -> Turn:
    whole = reports.get((0, 0))
    said = []
    for (number, _), own in reports.items():
        if number == evse:
            spoken_for = whole is not None and whole.status in _WHOLE_STATION and whole.at > own.at
            said.append(whole if whole is not None and spoken_for else own)
    standing = _OUT.get(evse_status((each.status, each.error_code) for each in said), Standing.SERVING)
    if standing is not Standing.FAULTED:
        return Turn(evse, standing)
    return Turn(evse, standing, next((e.error_code for e in said if e.error_code != "NoError"), None))
