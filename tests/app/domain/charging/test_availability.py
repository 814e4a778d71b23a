"""Whether an EVSE can serve by what its station says of it and of itself, and which words change that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.domain.charging.availability import Standing, Turn, changed, offline, turns
from app.domain.stations import ConnectorReport
from app.domain.status import ConnectorStatus

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def said(
    evse: int, status: ConnectorStatus, error: str = "NoError", *, connector: int = 1, minute: int = 0
) -> ConnectorReport:
    at = NOON + timedelta(minutes=minute)
    connector = connector if evse else 0
    return ConnectorReport(
        evse=evse, connector=connector, status=status, error_code=error, at=at, received_at=at
    )


def known(*reports: ConnectorReport) -> dict[tuple[int, int], ConnectorReport]:
    return {(each.evse, each.connector): each for each in reports}


def standing(*reports: ConnectorReport) -> dict[int, Any]:
    return {evse: turn.standing for evse, turn in turns(known(*reports)).items()}


S = ConnectorStatus


def test_in_use_is_serving_and_a_fault_or_the_operators_word_is_not() -> None:
    busy = (S.PREPARING, S.CHARGING, S.SUSPENDED_EV, S.SUSPENDED_EVSE, S.FINISHING, S.RESERVED)
    for status in (S.AVAILABLE, *busy, S.UNKNOWN):
        assert standing(said(1, status)) == {1: Standing.SERVING}, status
    assert standing(said(1, S.UNAVAILABLE)) == {1: Standing.UNAVAILABLE}
    assert turns(known(said(1, S.FAULTED, "GroundFailure"))) == {
        1: Turn(1, Standing.FAULTED, "GroundFailure")
    }
    assert standing(said(1, S.AVAILABLE, "PowerSwitchFailure")) == {1: Standing.FAULTED}


def test_one_good_connector_in_use_keeps_an_evse_serving() -> None:
    broken = said(1, S.FAULTED, "InternalError")
    assert standing(broken, said(1, S.CHARGING, connector=2)) == {1: Standing.SERVING}
    assert standing(broken, said(1, S.AVAILABLE, connector=2)) == {1: Standing.FAULTED}


def test_the_station_as_a_whole_speaks_for_older_words_only() -> None:
    whole = said(0, S.FAULTED, "InternalError", minute=5)
    assert turns(known(said(1, S.AVAILABLE), whole)) == {1: Turn(1, Standing.FAULTED, "InternalError")}
    assert standing(said(1, S.AVAILABLE, minute=6), whole) == {1: Standing.SERVING}
    assert standing(said(1, S.UNAVAILABLE), said(0, S.AVAILABLE, minute=5)) == {1: Standing.UNAVAILABLE}
    assert standing(whole) == {}


def test_only_a_change_is_told_and_the_first_word() -> None:
    reports = known(said(1, S.AVAILABLE), said(2, S.UNAVAILABLE))
    assert changed(reports, said(1, S.CHARGING, minute=1)) == []
    assert changed(reports, said(3, S.AVAILABLE)) == [Turn(3, Standing.SERVING)]
    assert changed(reports, said(1, S.FAULTED, "OtherError")) == [Turn(1, Standing.FAULTED, "OtherError")]
    assert changed(reports, said(0, S.UNAVAILABLE, minute=1)) == [Turn(1, Standing.UNAVAILABLE)]
    assert offline(reports) == [Turn(1, Standing.OFFLINE), Turn(2, Standing.OFFLINE)]
