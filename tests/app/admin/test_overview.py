"""The figures of the overview: power of a day, energy and revenue of today, the map, what happened last."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from app.domain.stations import Admission, SetUp, StatusReport
from app.domain.status import ConnectorStatus


async def test_power_of_the_last_day_is_the_energy_over_its_time(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, wh=10_000)
    house.clock.advance(3600)
    found = (await api.get("/statistics/power")).json()
    assert (found["step_seconds"], len(found["kw"])) == (300, 288)
    busy = [each for each in found["kw"] if each]
    assert busy == pytest.approx([10] * 12, rel=0.01)
    assert sum(found["kw"]) / 12 == pytest.approx(10, rel=0.01)
    house.clock.advance(86_400)
    assert sum((await api.get("/statistics/power")).json()["kw"]) == 0


async def test_energy_and_revenue_of_today(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, wh=10_000)
    await house.charge(line, stop=False)
    found = (await api.get("/statistics/today")).json()
    assert found["from"] == "2026-11-20T00:00:00Z"
    assert (found["energy_kwh"], found["records"], found["revenue"]) == (15, 1, {"EUR": 2.5})
    elsewhere = (await api.get("/statistics/today?zone=Asia/Tokyo")).json()
    assert elsewhere["from"] == "2026-11-19T15:00:00Z"
    for zone in ("Nowhere/City", "../etc/passwd", ""):
        assert (await api.get("/statistics/today", params={"zone": zone})).status_code == 422, zone


async def test_of_a_transaction_over_midnight_todays_part_counts(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    house.clock.advance(timedelta(hours=11, minutes=30).total_seconds())
    await house.charge(await house.intake.connect("CP1", "1.6"), wh=10_000)
    found = (await api.get("/statistics/today")).json()
    assert (found["from"], found["energy_kwh"]) == ("2026-11-21T00:00:00Z", 5)


async def test_the_map_shows_what_matters_most(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    (spot,) = (await api.get("/statistics/map")).json()
    assert (spot["location"], spot["status"], spot["stations"], spot["online"]) == ("LOC1", "offline", 1, 0)
    assert isinstance(spot["latitude"], float)
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.UNAVAILABLE))
    seen = []
    for evse, status in ((1, "Available"), (1, "SuspendedEV"), (2, "Faulted")):
        await house.heard(line, StatusReport(evse=evse, connector=1, status=ConnectorStatus(status)))
        (spot,) = (await api.get("/statistics/map")).json()
        seen.append(spot["status"])
    assert seen == ["Available", "Charging", "Faulted"]
    assert spot["connectors"] == {"Faulted": 1, "SuspendedEV": 1}


async def test_what_happened_last(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    assert (await api.get("/statistics/latest?limit=0")).status_code == 422
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, tag="STRANGER")
    house.clock.advance(60)
    await house.heard(
        line, StatusReport(evse=1, connector=1, status=ConnectorStatus.FAULTED, error_code="GroundFailure")
    )
    house.clock.advance(60)
    await house.intake.report("NEW", SetUp(state=Admission.PENDING))
    found = (await api.get("/statistics/latest")).json()
    kinds = {each["kind"]: each for each in found}
    assert set(kinds) >= {"started", "ended", "fault", "knocked", "held"}
    assert found[0]["kind"] == "knocked"
    assert (kinds["fault"]["station"], kinds["fault"]["what"]) == ("CP1", "GroundFailure")
    assert (kinds["started"]["what"], kinds["ended"]["what"]) == ("STRANGER", "10000")
    assert kinds["held"]["what"] == "token_invalid"
    assert kinds["held"]["cdr"] is not None
    assert [each["at"] for each in found] == sorted((each["at"] for each in found), reverse=True)
    assert len((await api.get("/statistics/latest?limit=2")).json()) == 2
