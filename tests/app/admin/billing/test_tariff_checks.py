"""A tariff looked at before it is put: findings with their example in money, and the prices of a week."""

from typing import Any

import httpx
import pytest

pytestmark = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


def energy(price: float, **restrictions: Any) -> dict[str, Any]:
    element: dict[str, Any] = {
        "price_components": [{"type": "ENERGY", "price": price, "vat": 20, "step_size": 1}]
    }
    return element | ({"restrictions": restrictions} if restrictions else {})


def tariff(*elements: dict[str, Any]) -> dict[str, Any]:
    return {"currency": "EUR", "elements": list(elements)}


async def test_findings_are_those_of_putting_it(api: httpx.AsyncClient) -> None:
    shadowed = tariff(energy(0.25), energy(0.5, start_time="18:00", end_time="22:00"))
    looked = await api.post("/pricing/lint", json={"tariff": shadowed})
    put = await api.put("/tariffs/T9", json=shadowed)
    assert looked.json()["findings"] == put.json()["warnings"] != []
    assert "example" in looked.json()["findings"][0]
    fine = await api.post("/pricing/lint", json={"tariff": tariff(energy(0.25))})
    assert [each for each in fine.json()["findings"] if each["level"] == "error"] == []
    bad = await api.post("/pricing/lint", json={"tariff": tariff(energy(0.25, start_time="25:00"))})
    assert (bad.status_code, bad.json()["field"]) == (422, "tariff.elements[0].restrictions.start_time")
    assert (await api.post("/pricing/lint", json={})).status_code == 422


async def test_a_week_shows_each_day_by_the_clock(api: httpx.AsyncClient) -> None:
    dear = energy(0.5, start_time="18:00", end_time="02:00", day_of_week=["FRIDAY"])
    free = {"price_components": [{"type": "FLAT", "price": 1, "step_size": 1}]}
    found = (await api.post("/pricing/week", json={"tariff": tariff(dear, energy(0.25), free)})).json()
    days = [(each["day"], each["start"], each["end"]) for each in found["stretches"]]
    assert [each for each in days if each[0] in ("THURSDAY", "FRIDAY")] == [
        ("THURSDAY", "00:00", "24:00"),
        ("FRIDAY", "00:00", "02:00"),
        ("FRIDAY", "02:00", "18:00"),
        ("FRIDAY", "18:00", "24:00"),
    ]
    friday = [each["prices"] for each in found["stretches"] if each["day"] == "FRIDAY"]
    assert [each["ENERGY"]["excl_vat"] for each in friday] == [0.5, 0.25, 0.5]
    assert friday[0]["ENERGY"] == {"excl_vat": 0.5, "incl_vat": 0.6, "vat": 20, "element": 0}
    assert friday[0]["FLAT"] == {"excl_vat": 1, "vat": None, "element": 2}
    assert friday[0]["TIME"] is None
    assert (found["currency"], found["watches"]) == ("EUR", [])


async def test_dates_and_power_count(api: httpx.AsyncClient) -> None:
    document = tariff(
        energy(0.9, start_date="2026-11-18", end_date="2026-11-19"), energy(0.7, min_power=22), energy(0.2)
    )

    async def prices(**more: Any) -> list[float]:
        found = (await api.post("/pricing/week", json={"tariff": document} | more)).json()
        assert found["watches"] == ["date", "power"]
        return [each["prices"]["ENERGY"]["excl_vat"] for each in found["stretches"]]

    assert await prices() == [0.2, 0.2, 0.9, 0.2, 0.2, 0.2, 0.2]
    assert await prices(kw=50) == [0.7, 0.7, 0.9, 0.7, 0.7, 0.7, 0.7]
    assert await prices(date="2026-12-01", kw=1.5) == [0.2] * 7


@pytest.mark.parametrize(
    ("more", "field"),
    [({"date": "soon"}, "date"), ({"date": 7}, "date"), ({"kw": -1}, "kw"), ({"kw": True}, "kw")],
)
async def test_what_cannot_be_meant_is_refused(
    api: httpx.AsyncClient, more: dict[str, Any], field: str
) -> None:
    refused = await api.post("/pricing/week", json={"tariff": tariff(energy(0.25))} | more)
    assert (refused.status_code, refused.json()["field"]) == (422, field)
