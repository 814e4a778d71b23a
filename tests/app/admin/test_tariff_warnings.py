"""What a tariff that was put may not mean: told beside the object, never a reason to refuse it."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


async def test_a_good_tariff_has_none(api: httpx.AsyncClient, tariff: dict[str, Any]) -> None:
    assert (await api.put("/tariffs/T1", json=tariff)).json()["warnings"] == []
    assert "warnings" not in (await api.get("/tariffs/T1")).json()


async def test_a_tariff_with_mistakes_is_stored_and_they_are_told(
    api: httpx.AsyncClient, tariff: dict[str, Any]
) -> None:
    tariff["elements"][0]["restrictions"] = {"start_time": "00:00", "end_time": "23:59"}
    put = await api.put("/tariffs/T1", json=tariff)
    assert put.status_code == 201
    (warning,) = put.json()["warnings"]
    assert (warning["level"], warning["kind"], warning["where"]) == ("warning", "hole", "elements")
    assert warning["words"].startswith("charging costs nothing on SUNDAY 23:59-24:00, MONDAY 23:59-24:00")
    example = warning["example"]
    assert example["session"] == "SUNDAY 23:59, 1 min CHARGING, 0.1667 kWh"
    assert example["cost"]["excl_vat"] == 0
    assert example["otherwise"] == {"excl_vat": 0.0418, "incl_vat": 0.0505}
    assert (await api.get("/tariffs/T1")).status_code == 200


async def test_warnings_given_back_in_a_put_are_not_kept(
    api: httpx.AsyncClient, tariff: dict[str, Any]
) -> None:
    body = (await api.put("/tariffs/T1", json=tariff)).json() | {"warnings": [{"level": "error"}]}
    assert (await api.put("/tariffs/T1", json=body)).json()["warnings"] == []
    assert "warnings" not in (await api.get("/tariffs/T1")).json()
