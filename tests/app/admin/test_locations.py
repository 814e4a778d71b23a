"""Locations over the admin API: put, looked at, removed; everything they name must be there."""

import copy
from typing import Any

import httpx
import pytest

from app.domain.stations import StatusReport
from app.domain.status import ConnectorStatus

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def priced(api: httpx.AsyncClient, tariff: dict[str, Any]) -> None:
    assert (await api.put("/tariffs/T1", json=tariff)).status_code == 201


async def test_put_get_replace_and_list(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any], clock: Any
) -> None:
    location["directions"] = [{"language": "nl", "text": "Achter de Zoë"}]
    created = await api.put("/locations/LOC1", json=location)
    assert created.status_code == 201
    body = created.json()
    assert body["id"] == "LOC1"
    assert body["directions"] == location["directions"]
    assert body["roaming"] is True
    assert body["evses"][0]["status"] == "AVAILABLE"
    assert (await api.get("/locations/loc1")).json() == body
    clock.advance(60)
    # What a GET gave may be put again: the fields set by us are passed over.
    again = await api.put(
        "/locations/LOC1", json=body | {"name": "New", "last_updated": "nonsense", "country_code": 1}
    )
    assert again.status_code == 200
    assert again.json()["name"] == "New"
    assert again.json()["country_code"] == "NL"
    assert again.json()["evses"][0]["last_updated"] == body["evses"][0]["last_updated"]
    listed = await api.get("/locations")
    assert (listed.json(), listed.headers["x-total-count"]) == ([again.json()], "1")


async def test_pages_of_locations(api: httpx.AsyncClient, location: dict[str, Any]) -> None:
    for number in range(3):
        assert (await api.put(f"/locations/L{number}", json=location | {"evses": []})).status_code == 201
    page = await api.get("/locations?limit=2&offset=1")
    assert [each["id"] for each in page.json()] == ["L1", "L2"]
    assert page.headers["x-total-count"] == "3"


async def test_kept_out_of_roaming(api: httpx.AsyncClient, location: dict[str, Any]) -> None:
    put = await api.put("/locations/LOC1", json=location | {"roaming": False, "evses": []})
    assert put.json()["roaming"] is False
    assert (await api.get("/locations/LOC1")).json()["roaming"] is False
    assert len((await api.get("/locations")).json()) == 1
    refused = await api.put("/locations/LOC1", json=location | {"roaming": "no", "evses": []})
    assert (refused.status_code, refused.json()["field"]) == (422, "roaming")


async def test_deleting_marks_evses_removed(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any]
) -> None:
    await api.put("/locations/LOC1", json=location)
    assert (await api.delete("/locations/LOC1")).status_code == 204
    assert [e["status"] for e in (await api.get("/locations/LOC1")).json()["evses"]] == ["REMOVED", "REMOVED"]


async def test_an_evse_no_longer_named_becomes_removed(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any]
) -> None:
    await api.put("/locations/LOC1", json=location)
    location["evses"].pop()
    put = await api.put("/locations/LOC1", json=location)
    assert [(e["uid"], e["status"]) for e in put.json()["evses"]] == [("E1", "AVAILABLE"), ("E2", "REMOVED")]


@ON_ONE
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../../etc/passwd"}, "time_zone"),
        ({"city": None}, "city"),
        ({"publish": "yes"}, "publish"),
        ({"country": "NL"}, "country"),
        ({"coordinates": {"latitude": "52", "longitude": "5.11028"}}, "coordinates.latitude"),
        ({"address": "Straat \u0007 1"}, "address"),
        ({"id": "OTHER"}, "id"),
        ({"id": 5}, "id"),
    ],
)
async def test_a_field_that_cannot_be_is_named(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    refused = await api.put("/locations/LOC1", json=location | change)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await api.get("/locations")).json() == []


@ON_ONE
@pytest.mark.parametrize(
    ("path", "value", "field", "word"),
    [
        (("evse_id",), None, "evses[1].evse_id", "E2"),
        (("evse_id",), "garbage", "evses[1].evse_id", "garbage"),
        (("uid",), "e1", "evses[1].uid", "e1"),
        (("connectors", 0, "tariff_ids"), ["T1", "T9"], "evses[1].connectors[0].tariff_ids[1]", "T9"),
        (("connectors", 0, "max_voltage"), "230", "evses[1].connectors[0].max_voltage", "whole number"),
        (("connectors",), [], "evses[1].connectors", "1 item"),
        (("status",), "CHARGED", "evses[1].status", "Input"),
    ],
)
async def test_an_evse_that_cannot_be_is_named(
    api: httpx.AsyncClient,
    priced: None,
    location: dict[str, Any],
    path: tuple[Any, ...],
    value: Any,
    field: str,
    word: str,
) -> None:
    target = location["evses"][1]
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    refused = await api.put("/locations/LOC1", json=location)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert word in refused.json()["detail"]
    assert (await api.get("/locations")).json() == []


async def test_an_evse_uid_belongs_to_one_location(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any]
) -> None:
    await api.put("/locations/LOC1", json=location)
    refused = await api.put("/locations/LOC2", json=location)
    assert refused.status_code == 422
    assert "LOC1" in refused.json()["detail"]


async def test_a_location_that_is_not_published_needs_no_evse_id(
    api: httpx.AsyncClient, priced: None, location: dict[str, Any]
) -> None:
    del location["evses"][0]["evse_id"]
    put = await api.put("/locations/LOC1", json=location | {"publish": False})
    assert put.status_code == 201


async def test_the_station_says_what_status_an_evse_has(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], location: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    report = StatusReport(evse=1, connector=1, status=ConnectorStatus.UNAVAILABLE)
    await house.heard(line, report)
    assert (await api.get("/locations/LOC1")).json()["evses"][0]["status"] == "INOPERATIVE"
    wanted = copy.deepcopy(location)
    wanted["evses"][1]["status"] = "BLOCKED"
    await api.put("/locations/LOC1", json=wanted)
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.CHARGING))
    await house.heard(line, StatusReport(evse=2, connector=1, status=ConnectorStatus.CHARGING))
    statuses = [evse["status"] for evse in (await api.get("/locations/LOC1")).json()["evses"]]
    assert statuses == ["CHARGING", "BLOCKED"]


async def test_evses_with_a_station_can_be_started_by_app(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], location: dict[str, Any]
) -> None:
    expected = ["REMOTE_START_STOP_CAPABLE", "RFID_READER", "UNLOCK_CAPABLE"]
    evses = (await api.get("/locations/LOC1")).json()["evses"]
    assert [evse["capabilities"] for evse in evses] == [expected, expected]
    location["evses"][0]["capabilities"] = ["RFID_READER"]
    evses = (await api.put("/locations/LOC1", json=location)).json()["evses"]
    assert [evse["capabilities"] for evse in evses] == [["RFID_READER"], expected]


async def test_completing_capabilities_never_turns_a_report_into_the_operators_word(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], location: dict[str, Any]
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.UNAVAILABLE))
    # The second EVSE gets its station only now, and with it its capabilities.
    await api.put("/stations/CP1", json=site | {"connectors": site["connectors"][:1]})
    location["evses"][1]["uid"] = "E3"
    await api.put("/locations/LOC1", json=location)
    third = {"evse": 2, "connector": 1, "evse_uid": "E3", "connector_id": "1"}
    put = await api.put("/stations/CP1", json=site | {"connectors": [site["connectors"][0], third]})
    assert put.status_code == 200
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.AVAILABLE))
    assert (await api.get("/locations/LOC1")).json()["evses"][0]["status"] == "AVAILABLE"
