"""Tariffs and our own tokens over the admin API."""

from typing import Any

import httpx
import pytest

CARD = {
    "type": "RFID",
    "contract_id": "NL-VBR-C1",
    "issuer": "Voltbridge",
    "valid": True,
    "whitelist": "ALWAYS",
}

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_tariff_put_replaced_and_withdrawn(api: httpx.AsyncClient, tariff: dict[str, Any]) -> None:
    tariff["tariff_alt_text"] = [{"language": "en", "text": "cheap"}]
    created = await api.put("/tariffs/T1", json=tariff)
    assert created.status_code == 201
    body = created.json()
    assert body["elements"] == tariff["elements"]
    assert body["tariff_alt_text"] == tariff["tariff_alt_text"]
    tariff["elements"][0]["price_components"][0]["price"] = 0.3025
    assert (await api.put("/tariffs/t1", json=tariff)).status_code == 200
    component = (await api.get("/tariffs/T1")).json()["elements"][0]["price_components"][0]
    assert component == {"type": "ENERGY", "price": 0.3025, "vat": 21, "step_size": 1}
    assert [each["id"] for each in (await api.get("/tariffs")).json()] == ["T1"]
    assert (await api.delete("/tariffs/T1")).status_code == 204
    assert (await api.get("/tariffs/T1")).status_code == 404
    assert (await api.get("/tariffs")).headers["x-total-count"] == "0"
    assert (await api.put("/tariffs/T1", json=tariff)).status_code == 201


@ON_ONE
@pytest.mark.parametrize(
    ("component", "field"),
    [
        ({"price": -(10**10)}, "elements[0].price_components[0].price"),
        ({"price": "0.25"}, "elements[0].price_components[0].price"),
        ({"price": 0.12345}, "elements[0].price_components[0].price"),
        ({"step_size": 1.5}, "elements[0].price_components[0].step_size"),
        ({"vat": -1}, "elements[0].price_components[0].vat"),
        ({"type": "WATER"}, "elements[0].price_components[0].type"),
    ],
)
async def test_a_price_that_cannot_be_is_named(
    api: httpx.AsyncClient, tariff: dict[str, Any], component: dict[str, Any], field: str
) -> None:
    tariff["elements"][0]["price_components"][0] |= component
    refused = await api.put("/tariffs/T1", json=tariff)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await api.get("/tariffs")).json() == []


@ON_ONE
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"currency": "euro"}, "currency"),
        ({"currency": "XXQ"}, "currency"),
        ({"elements": []}, "elements"),
        ({"elements": None}, "elements"),
        ({"start_date_time": "soon"}, "start_date_time"),
        (
            {"start_date_time": "2026-02-01T00:00:00Z", "end_date_time": "2026-01-01T00:00:00Z"},
            "end_date_time",
        ),
        ({"id": "T2"}, "id"),
    ],
)
async def test_a_tariff_that_cannot_be_is_named(
    api: httpx.AsyncClient, tariff: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    refused = await api.put("/tariffs/T1", json=tariff | change)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert {each["field"] for each in refused.json()["errors"]} == {field}


async def test_an_id_that_is_too_long(api: httpx.AsyncClient, tariff: dict[str, Any]) -> None:
    assert (await api.put(f"/tariffs/{'T' * 37}", json=tariff)).status_code == 422


async def test_a_token_put_replaced_and_forgotten(api: httpx.AsyncClient) -> None:
    body = CARD | {"expires_at": "2027-01-31T12:00:00Z", "group_id": "FLEET", "visual_number": "0042"}
    created = await api.put("/tokens/04A1B2C3", json=body)
    assert created.status_code == 201
    assert created.json() | body == created.json()
    assert created.json()["uid"] == "04A1B2C3"
    assert (await api.get("/tokens/04a1-b2c3")).json() == created.json()
    replaced = await api.put("/tokens/04A1B2C3", json=CARD | {"valid": False})
    assert replaced.status_code == 200
    assert "expires_at" not in replaced.json()
    assert [each["valid"] for each in (await api.get("/tokens")).json()] == [False]
    assert (await api.get("/tokens?own=false")).json() == []
    assert (await api.delete("/tokens/04A1B2C3")).status_code == 204
    assert (await api.get("/tokens/04A1B2C3")).status_code == 404


async def test_one_uid_of_two_types(api: httpx.AsyncClient) -> None:
    for kind in ("RFID", "APP_USER"):
        assert (await api.put("/tokens/X1", json=CARD | {"type": kind})).status_code == 201
    assert (await api.get("/tokens/X1")).status_code == 409
    assert (await api.get("/tokens/X1?type=APP_USER")).json()["type"] == "APP_USER"
    assert (await api.delete("/tokens/X1?type=RFID")).status_code == 204
    assert (await api.get("/tokens/X1")).json()["type"] == "APP_USER"


@ON_ONE
@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"type": "CARD"}, "type"),
        ({"contract_id": None}, "contract_id"),
        ({"valid": "true"}, "valid"),
        ({"whitelist": "MAYBE"}, "whitelist"),
        ({"expires_at": "soon"}, "expires_at"),
        ({"expires_at": 5}, "expires_at"),
        ({"uid": "OTHER"}, "uid"),
    ],
)
async def test_a_token_that_cannot_be_is_named(
    api: httpx.AsyncClient, change: dict[str, Any], field: str
) -> None:
    refused = await api.put("/tokens/CARD1", json=CARD | change)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await api.get("/tokens")).json() == []


async def test_a_uid_that_is_too_long(api: httpx.AsyncClient) -> None:
    assert (await api.put(f"/tokens/{'X' * 37}", json=CARD)).status_code == 422


async def test_tokens_are_looked_for_by_any_part_of_their_uid(api: httpx.AsyncClient) -> None:
    for uid in ("04-A1-B2", "04A1C3", "99%"):
        assert (await api.put(f"/tokens/{uid}", json=CARD)).status_code == 201

    async def found(search: str) -> list[str]:
        return [each["uid"] for each in (await api.get("/tokens", params={"search": search})).json()]

    assert await found("a1 b") == ["04-A1-B2"]
    assert await found("04a1") == ["04-A1-B2", "04A1C3"]
    assert await found("%") == ["99%"]
    assert await found("") == ["04-A1-B2", "04A1C3", "99%"]
    assert (await api.get("/tokens?search=04A1&limit=1")).headers["x-total-count"] == "2"


async def test_a_decision_shows_the_row_of_the_table_that_applies(
    api: httpx.AsyncClient, site: dict[str, Any]
) -> None:
    async def applying(uid: str) -> list[tuple[str, bool, str]]:
        found = (await api.get(f"/tokens/{uid}/decision?station=CP1")).json()
        assert len(found["rules"]) == 7
        return [
            (each["standing"], each["asks"], each["otherwise"]) for each in found["rules"] if each["applies"]
        ]

    assert await applying("CARD1") == [("always", False, "Accepted")]
    assert await applying("NOBODYS") == [("unknown", True, "Invalid")]
    await api.put("/tokens/CARD1", json=CARD | {"valid": False})
    assert await applying("CARD1") == [("blocked", False, "Blocked")]
