"""Import and export over the admin API: round trips, faults by line, all or nothing."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.admin.bulk.forms import TABLES

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)

TARIFFS = """id,currency,element,start_time,end_time,day_of_week,component,price,vat,step_size,min_price_excl_vat
T1,EUR,1,22:00,06:00,MONDAY|TUESDAY,ENERGY,0.25,21,1,0.5
T1,EUR,1,,,,FLAT,0.35,21,1,
T1,EUR,2,,,,ENERGY,0.3025,21,1,
T2,SEK,,,,,ENERGY,3,25,1,
"""
LOCATIONS = """id;publish;roaming;name;address;city;country;latitude;longitude;time_zone;evse_uid;evse_id;connector_id;standard;format;power_type;max_voltage;max_amperage;tariff_ids;location_more
L1;yes;true;=Markt;Straat 1;Utrecht;NLD;52.08944;-5.11028;Europe/Amsterdam;E1;NL*VBR*E1;1;IEC_62196_T2;SOCKET;AC_3_PHASE;230;32;T1;"{""operator"": {""name"": ""+Us""}}"
L1;;;;;;;;;;E1;;2;CHADEMO;CABLE;DC;500;125;T1|T2;
L1;;;;;;;;;;E2;NL*VBR*E2;1;IEC_62196_T2;SOCKET;AC_3_PHASE;230;32;;
L2;false;false;;Straat 2;Delft;NLD;52.01111;4.35555;Europe/Amsterdam;;;;;;;;;;
"""
STATIONS = """id,location_id,security_profile,password,evse,connector,evse_uid,connector_id
CP1,L1,1,secret-of-cp1,1,1,E1,1
CP1,L1,1,secret-of-cp1,2,1,E2,1
CP2,,,,,,,
"""
TOKENS = """uid,type,contract_id,issuer,valid,whitelist,visual_number,expires_at
CARD1,RFID,NL-VBR-C1,Us,true,ALWAYS,-1234,2027-01-31T12:00:00Z
CARD2,RFID,NL-VBR-C2,Us,no,NEVER,,
"""


@pytest.fixture
def take(api: httpx.AsyncClient) -> Any:
    async def taking(kind: str, text: str, written: str = "csv", **query: Any) -> httpx.Response:
        body = {"format": written, "text": text}
        return await api.post(f"/import/{kind}", json=body, params=query)

    return taking


@pytest.fixture
async def network(take: Any) -> None:
    for kind, text in (
        ("tariffs", TARIFFS),
        ("locations", LOCATIONS),
        ("stations", STATIONS),
        ("tokens", TOKENS),
    ):
        answer = await take(kind, text)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["created"], answer.json()["replaced"]) == (2, 0)


async def test_tables_become_the_objects_that_they_describe(api: httpx.AsyncClient, network: None) -> None:
    night, day = (await api.get("/tariffs/T1")).json()["elements"]
    assert night["restrictions"] == {
        "start_time": "22:00", "end_time": "06:00", "day_of_week": ["MONDAY", "TUESDAY"],
    }  # fmt: skip
    assert [each["type"] for each in night["price_components"]] == ["ENERGY", "FLAT"]
    assert day["price_components"] == [{"type": "ENERGY", "price": 0.3025, "vat": 21, "step_size": 1}]
    location = (await api.get("/locations/L1")).json()
    assert (location["name"], location["operator"]) == ("=Markt", {"name": "+Us"})
    assert [len(each["connectors"]) for each in location["evses"]] == [2, 1]
    assert location["evses"][0]["connectors"][1]["tariff_ids"] == ["T1", "T2"]
    assert (await api.get("/locations/L2")).json()["roaming"] is False
    station = (await api.get("/stations/CP1")).json()
    assert (station["has_password"], [each["evse_uid"] for each in station["connectors"]]) == (
        True,
        ["E1", "E2"],
    )
    card = (await api.get("/tokens/CARD1")).json()
    assert (card["visual_number"], card["expires_at"]) == ("-1234", "2027-01-31T12:00:00Z")


@pytest.mark.parametrize("written", ["csv", "json"])
async def test_what_is_exported_comes_back_the_same(
    api: httpx.AsyncClient, take: Any, network: None, written: str
) -> None:
    for kind in ("tariffs", "locations", "stations", "tokens"):
        first = await api.get(f"/export/{kind}", params={"format": written})
        assert first.headers["content-disposition"] == f'attachment; filename="{kind}.{written}"'
        assert "secret-of-cp1" not in first.text
        again = await take(kind, first.text, written)
        assert again.status_code == 200, again.text
        assert (again.json()["created"], again.json()["replaced"]) == (0, 2)
        assert (await api.get(f"/export/{kind}", params={"format": written})).text == first.text
    assert (await api.get("/stations/CP1")).json()["has_password"] is True


@ON_ONE
async def test_no_exported_cell_is_a_formula(api: httpx.AsyncClient, network: None) -> None:
    for kind in ("locations", "tokens"):
        text = (await api.get(f"/export/{kind}", params={"format": "csv"})).text
        rows = list(csv.reader(io.StringIO(text)))
        assert all(cell[:1] not in "=+@\t" for row in rows for cell in row if cell)
        assert not any(cell.startswith("-") and not cell[1:2].isdigit() for row in rows for cell in row)
    assert ",'=Markt," in (await api.get("/export/locations", params={"format": "csv"})).text


async def test_one_fault_and_nothing_is_kept(api: httpx.AsyncClient, take: Any) -> None:
    broken = TARIFFS.replace("T2,SEK,,,,,ENERGY,3,", "T2,SEK,,,,,WATER,3,")
    answer = await take("tariffs", broken)

    assert answer.status_code == 422
    assert answer.json()["errors"][0] | {"message": ""} == {
        "line": 5, "field": "elements[0].price_components[0].type", "message": "",
    }  # fmt: skip
    assert answer.json()["detail"].startswith("line 5, ")
    assert (await api.get("/tariffs")).json() == []


async def test_a_dry_run_says_what_would_happen(api: httpx.AsyncClient, take: Any, network: None) -> None:
    more = TARIFFS + "T3,EUR,,,,,ENERGY,1,21,1,\n"
    assert (await take("tariffs", more, dry_run=True)).json() == {
        "kind": "tariffs", "dry_run": True, "created": 1, "replaced": 2,
    }  # fmt: skip
    assert len((await api.get("/tariffs")).json()) == 2
    stations = STATIONS + "CP3,,,,,,,\n"
    assert (await take("stations", stations, dry_run=True)).json()["created"] == 1
    assert (await api.get("/stations/CP3")).status_code == 404


@ON_ONE
@pytest.mark.parametrize(
    ("kind", "text", "line", "field"),
    [
        ("tokens", "uid,colour\nA,red\n", 1, "colour"),
        ("tokens", "uid,uid\nA,B\n", 1, "uid"),
        ("stations", "location_id\nL1\n", 1, "id"),
        ("stations", "id\n\n\nbad id\n", 4, "id"),
        ("stations", "id,location_id\nCP1,L9\n", 2, "location_id"),
        ("stations", "id,security_profile\nCP1,one\n", 2, "security_profile"),
        ("stations", "id,security_profile\nCP1,7\n", 2, "security_profile"),
        ("stations", "id,password\nCP1,\nCP2,a,b\n", 3, ""),
        ("tariffs", "id,currency\nT1,EUR\nT1,SEK\n", 3, "currency"),
        ("tariffs", "id,currency,component,price\nT1,EUR,ENERGY,dear\n", 2, "price"),
        ("locations", "id,publish\nL1,maybe\n", 2, "publish"),
        ("tokens", 'uid,more\n"A\n\n",[]\n', 2, "more"),
        ("tokens", "uid,type,contract_id,issuer,valid,whitelist\nA,RFID,C,I,1,NEVER\na,RFID,C,I,1,NEVER\n", 3, ""),
        ("tokens", "uid,type,contract_id,issuer,valid,whitelist\nA,RFID,C,I,1,NEVER\nB,RFID,C,I\x07,1,NEVER\n", 3,
         "issuer"),
    ],
)  # fmt: skip
async def test_a_fault_is_named_with_its_line(take: Any, kind: str, text: str, line: int, field: str) -> None:
    answer = await take(kind, text)
    assert answer.status_code == 422
    first = answer.json()["errors"][0]
    assert (first["line"], first["field"]) == (line, field), first


@ON_ONE
@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("{}", 1),
        ("[", 1),
        ('[\n{"uid": "A"}\n{"uid": "B"}]', 3),
        ('[\n{"uid": "A"},\n5]', 3),
        ('[\n{"uid": "A", "uid": "B"}]', 2),
        ("[] []", 1),
        ('[\n\n{"uid": 5}]', 3),
    ],
)
async def test_a_list_that_is_none(take: Any, text: str, line: int) -> None:
    answer = await take("tokens", text, "json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["line"] == line, answer.text


async def test_a_connector_has_one_station_within_a_file_too(take: Any, network: None) -> None:
    text = "id,location_id,evse,connector,evse_uid,connector_id\nCP1,L1,1,1,E1,1\nCP9,L1,1,1,E1,1\n"
    answer = await take("stations", text)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["line"] == 3
    assert "CP1" in answer.json()["detail"]


@ON_ONE
async def test_a_large_file_takes_seconds_and_no_more_than_allowed(api: httpx.AsyncClient, take: Any) -> None:
    token = {"type": "RFID", "contract_id": "C", "issuer": "I", "valid": True, "whitelist": "ALWAYS"}
    many = json.dumps([token | {"uid": f"U{number}"} for number in range(1000)])
    assert (await take("tokens", many, "json")).json()["created"] == 1000
    assert (await api.get("/tokens")).headers["x-total-count"] == "1000"
    too_many = json.dumps([token | {"uid": f"U{number}"} for number in range(5001)])
    assert "5000" in (await take("tokens", too_many, "json")).json()["detail"]
    assert (await take("tokens", "[]", "json")).json()["created"] == 0


def test_every_column_is_described() -> None:
    described = (Path(__file__).parents[3] / "docs/how-to/import.md").read_text("utf-8")
    for levels in TABLES.values():
        for level in levels:
            for column in level.columns:
                assert f"`{column.heading}`" in described, column.heading
