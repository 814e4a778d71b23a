"""What was charged in a period, added up in every way that is offered."""

import csv
import io

import pytest


@pytest.fixture
async def charged(house, site):
    """Two visits of an hour at CP1, 10 and 4 kWh, and one that brought nothing."""
    line = await house.intake.connect("CP1", "1.6")
    for wh in (10_000, 4_000, 0):
        await house.charge(line, wh=wh)
    house.clock.advance(60)
    return house


async def test_by_station(api, charged):
    found = (await api.get("/statistics", params={"by": "station"})).json()
    assert found["rows"] == [
        {
            "key": "CP1",
            "sessions": 3,
            "energy_kwh": 14,
            "hours": 3,
            "utilisation": None,
            "availability": None,
            "empty": 1,
        }
    ]
    assert found["total"] == {"sessions": 3, "energy_kwh": 14, "hours": 3, "empty": 1, "availability": None}
    assert (found["from"], found["to"], found["by"]) == (
        "2026-11-06T15:01:00Z",
        "2026-11-20T15:01:00Z",
        "station",
    )


@pytest.mark.parametrize(("by", "key"), [("location", "LOC1"), ("partner", "NL*VBR"), ("day", "2026-11-20")])
async def test_by_anything_else(api, charged, by, key):
    rows = (await api.get("/statistics", params={"by": by})).json()["rows"]
    assert [(row["key"], row["sessions"], row["energy_kwh"]) for row in rows] == [(key, 3, 14)]


async def test_only_what_ended_in_the_period_counts(api, charged):
    period = {"from": "2026-11-20T13:00:00Z", "to": "2026-11-20T14:00:00Z"}
    found = (await api.get("/statistics", params=period)).json()
    assert found["total"] == {"sessions": 1, "energy_kwh": 10, "hours": 1, "empty": 0, "availability": None}
    nothing = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-02T00:00:00Z"}
    assert (await api.get("/statistics", params=nothing)).json()["rows"] == []


async def test_how_much_of_the_time_connectors_were_in_use(api, house, charged):
    from app.domain.stations import StatusReport
    from app.domain.status import ConnectorStatus

    line = await house.intake.connect("CP1", "1.6")
    for evse in (1, 2):
        await house.heard(line, StatusReport(evse=evse, connector=1, status=ConnectorStatus.AVAILABLE))
    period = {"from": "2026-11-20T12:00:00Z", "to": "2026-11-20T18:00:00Z"}
    for by in ("station", "location"):
        (row,) = (await api.get("/statistics", params=period | {"by": by})).json()["rows"]
        assert row["utilisation"] == 0.25


async def test_as_csv(api, charged):
    found = await api.get("/statistics", params={"format": "csv"})
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    (row,) = csv.DictReader(io.StringIO(found.text))
    assert (row["key"], row["sessions"], float(row["energy_kwh"]), row["utilisation"]) == ("CP1", "3", 14, "")


@pytest.mark.parametrize(
    "period",
    [
        {"from": "2026-11-20T13:00:00Z", "to": "2026-11-20T13:00:00Z"},
        {"from": "2020-01-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"},
    ],
)
async def test_a_period_that_cannot_be_is_refused(api, period):
    refused = await api.get("/statistics", params=period)
    assert (refused.status_code, refused.json()["field"]) == (422, "from")


async def test_whole_days_before_today(api, charged):
    found = (await api.get("/statistics?days=7&by=day")).json()
    assert found["from"] == "2026-11-13T00:00:00Z"
    assert [row["key"] for row in found["rows"]] == ["2026-11-20"]
    for days in (0, 366, "x"):
        assert (await api.get(f"/statistics?days={days}")).status_code == 422, days
