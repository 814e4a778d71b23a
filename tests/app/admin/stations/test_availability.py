"""When EVSEs could serve, as the API tells it: in the statistics and for one station."""

import asyncio
import csv
import io

import pytest

from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus

HOUR = 3600


async def says(house, line, evse, status, error="NoError"):
    await house.heard(line, StatusReport(evse=evse, connector=1, status=status, error_code=error))


@pytest.fixture
async def stood(house, site, api):
    """Noon: online, both free. One: the second is broken. Two: away. Three: back, mended by half past. Four: now.

    CP2 was there for an hour and is away since; it has never charged anything.
    """
    await api.put("/stations/CP2", json={"location_id": "LOC1"})
    other = await house.intake.connect("CP2", "1.6")
    await says(house, other, 1, ConnectorStatus.AVAILABLE)
    line = await house.intake.connect("CP1", "1.6")
    for evse in (1, 2):
        await says(house, line, evse, ConnectorStatus.AVAILABLE)
    house.clock.advance(HOUR)
    await house.intake.disconnect(other)
    await says(house, line, 2, ConnectorStatus.FAULTED, "GroundFailure")
    await says(house, line, 2, ConnectorStatus.FAULTED, "GroundFailure")
    house.clock.advance(HOUR)
    await house.intake.disconnect(line)
    house.clock.advance(HOUR)
    line = await house.intake.connect("CP1", "1.6")
    house.clock.advance(HOUR / 2)
    await says(house, line, 2, ConnectorStatus.CHARGING)
    house.clock.advance(HOUR / 2)


async def test_shares_of_a_period_worst_first(api, stood):
    found = (await api.get("/statistics", params={"by": "station", "sort": "availability"})).json()
    assert [(row["key"], row["sessions"], row["availability"]) for row in found["rows"]] == [
        ("CP2", 0, 0.25),
        ("CP1", 0, 0.5625),
    ]
    assert found["total"]["availability"] == round(5.5 / 12, 4)
    (place,) = (await api.get("/statistics", params={"by": "location"})).json()["rows"]
    assert (place["key"], place["availability"]) == ("LOC1", round(5.5 / 12, 4))
    (day,) = (await api.get("/statistics", params={"by": "day"})).json()["rows"]
    assert (day["key"], day["availability"]) == ("2026-11-20", round(5.5 / 12, 4))
    assert (await api.get("/statistics", params={"by": "partner"})).json()["rows"] == []


async def test_a_period_that_goes_on_counts_up_to_now(api, stood):
    until_now = {"from": "2026-11-20T13:00:00Z", "to": "2026-11-20T16:00:00Z", "format": "csv"}
    for period in (until_now, until_now | {"to": "2026-11-20T23:00:00Z"}):
        rows = csv.DictReader(io.StringIO((await api.get("/statistics", params=period)).text))
        assert {row["key"]: float(row["availability"]) for row in rows} == {
            "CP1": round(2.5 / 6, 4),
            "CP2": 0,
        }
    tomorrow = {"from": "2026-11-21T00:00:00Z", "to": "2026-11-22T00:00:00Z"}
    assert (await api.get("/statistics", params=tomorrow)).json()["rows"] == []


async def test_one_station_says_when_and_why_not(api, stood):
    found = (await api.get("/stations/CP1/availability", params={"days": 1})).json()
    assert (found["from"], found["to"]) == ("2026-11-19T00:00:00Z", "2026-11-20T16:00:00Z")
    first, second = found["evses"]
    assert (first["evse"], first["availability"]) == (1, 0.75)
    assert (second["evse"], second["availability"]) == (2, 0.375)
    assert [(each["standing"], each["error_code"], each["from"], each["to"]) for each in second["spans"]] == [
        ("serving", None, "2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"),
        ("faulted", "GroundFailure", "2026-11-20T13:00:00Z", "2026-11-20T14:00:00Z"),
        ("offline", None, "2026-11-20T14:00:00Z", "2026-11-20T15:00:00Z"),
        ("faulted", "GroundFailure", "2026-11-20T15:00:00Z", "2026-11-20T15:30:00Z"),
        ("serving", None, "2026-11-20T15:30:00Z", None),
    ]
    assert (await api.get("/stations/CP3/availability")).status_code == 404
    assert (await api.get("/stations/CP1/availability?days=0")).status_code == 422


async def test_a_station_that_was_forgotten_is_not_missed(api, stood):
    assert (await api.delete("/stations/CP2")).status_code == 204
    rows = (await api.get("/statistics", params={"by": "station"})).json()["rows"]
    assert [row["key"] for row in rows] == ["CP1"]


@pytest.mark.parametrize("first", ["new", "old"])
async def test_an_old_socket_that_ends_late_takes_nobody_away(api, house, site, first):
    old = await house.intake.connect("CP1", "1.6")
    await says(house, old, 1, ConnectorStatus.AVAILABLE)
    house.clock.advance(HOUR)
    both = [house.intake.connect("CP1", "1.6"), house.intake.disconnect(old)]
    await asyncio.gather(*(both if first == "new" else reversed(both)))  # of one commit
    house.clock.advance(HOUR)
    (evse,) = (await api.get("/stations/CP1/availability")).json()["evses"]
    assert evse["availability"] == 1
