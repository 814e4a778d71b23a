"""The settlement of a month over the admin API: sums by currency and VAT rate, credits, months in UTC."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def line(api: httpx.AsyncClient, house: Any, site: Any, tariff: dict[str, Any]) -> Any:
    """A station that is connected; 0.25 per kWh at 21 %, and 1.00 per session at 9 %."""
    fee = {"type": "FLAT", "price": 1, "vat": 9, "step_size": 1}
    tariff["elements"][0]["price_components"].append(fee)
    assert (await api.put("/tariffs/T1", json=tariff)).status_code == 200
    return await house.intake.connect("CP1", "1.6")


async def test_a_month_is_summed_by_currency_and_rate(api: httpx.AsyncClient, house: Any, line: Any) -> None:
    await house.charge(line)
    await house.charge(line, wh=4000)

    body = (await api.get("/settlement?month=2026-11")).json()
    (found,) = body["partners"]
    assert (found["party"], found["sessions"], found["credits"], found["kwh"]) == ("NL-VBR", 2, 0, 14)
    assert found["amounts"] == [
        {"currency": "EUR", "vat": 9, "excl_vat": 2, "incl_vat": 2.18},
        {"currency": "EUR", "vat": 21, "excl_vat": 3.5, "incl_vat": 4.235},
    ]
    assert body["totals"] == {name: found[name] for name in ("sessions", "credits", "kwh", "amounts")}
    assert [each["kwh"] for each in found["records"]] == [10, 4]
    cdrs = {each["id"]: each["total_cost"] for each in (await api.get("/cdrs")).json()}
    for each in found["records"]:
        assert sum(Decimal(str(a["excl_vat"])) for a in each["amounts"]) == Decimal(
            str(cdrs[each["cdr"]]["excl_vat"])
        )


async def test_a_credit_takes_its_record_back(api: httpx.AsyncClient, house: Any, line: Any) -> None:
    await house.charge(line)
    (cdr,) = (await api.get("/cdrs")).json()
    assert (await api.post(f"/cdrs/{cdr['id']}/credit")).status_code == 201

    sums = (await api.get("/settlement?month=2026-11")).json()["totals"]
    assert (sums["sessions"], sums["credits"], sums["kwh"]) == (0, 1, 0)
    assert {(each["vat"], each["excl_vat"], each["incl_vat"]) for each in sums["amounts"]} == {
        (9, 0, 0),
        (21, 0, 0),
    }


async def test_a_record_counts_when_it_was_issued_in_utc(
    api: httpx.AsyncClient, house: Any, line: Any
) -> None:
    house.clock.set(datetime(2026, 11, 30, 22, 30, tzinfo=UTC))
    await house.charge(line)  # until 23:30
    await house.charge(line)  # until half past midnight
    held_from = (await api.delete("/tariffs/T1")).status_code
    assert held_from == 204
    await house.charge(line)

    async def sessions(month: str) -> int:
        found: int = (await api.get("/settlement", params={"month": month})).json()["totals"]["sessions"]
        return found

    assert (await sessions("2026-11"), await sessions("2026-12"), await sessions("2027-01")) == (1, 1, 0)
    house.clock.set(datetime(2027, 1, 2, tzinfo=UTC))
    (held,) = (await api.get("/cdrs?state=held")).json()
    component = {"type": "ENERGY", "price": 0.1, "step_size": 1}
    other = {"currency": "EUR", "elements": [{"price_components": [component]}]}
    assert (await api.put("/tariffs/T2", json=other)).status_code == 201
    assert (await api.post(f"/cdrs/{held['id']}/release", json={"tariff": "T2"})).status_code == 200
    assert (await sessions("2026-12"), await sessions("2027-01")) == (1, 1)
    january = (await api.get("/settlement?month=2027-01")).json()["totals"]["amounts"]
    assert january == [{"currency": "EUR", "vat": None, "excl_vat": 1, "incl_vat": None}]


async def test_the_table_has_every_record_and_the_totals(
    api: httpx.AsyncClient, house: Any, line: Any
) -> None:
    await house.charge(line)
    answer = await api.get("/settlement?month=2026-11&format=csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="settlement-2026-11.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["kind"], row["vat"], row["excl_vat"], row["incl_vat"], row["kwh"]) for row in rows] == [
        ("CDR", "9", "1", "1.09", "10"),
        ("CDR", "21", "2.5", "3.025", ""),
        ("TOTAL", "9", "1", "1.09", "10"),
        ("TOTAL", "21", "2.5", "3.025", ""),
    ]
    assert (rows[0]["evse_id"], rows[0]["contract_id"], rows[2]["sessions"]) == (
        "NL*VBR*E1",
        "NL-VBR-C1",
        "1",
    )
    other = await api.get("/settlement?month=2026-11&partner=DE-EMP&format=csv")
    assert len(other.text.splitlines()) == 1


@ON_ONE
@pytest.mark.parametrize("month", ["", "2026", "2026-13", "2026-1", "November"])
async def test_a_month_that_is_none(api: httpx.AsyncClient, month: str) -> None:
    answer = await api.get("/settlement", params={"month": month})
    assert answer.status_code == 422
    assert answer.json()["field"] == "month"
    assert (await api.get("/settlement?month=2026-11")).json()["partners"] == []
