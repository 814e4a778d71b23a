"""Every session worked by hand, asked over HTTP as a partner's tool would: OCPI in, OCPI numbers out."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import pytest

CASES = [
    pytest.param(case, id=f"{path.stem}: {case['title']}")
    for path in sorted((Path(__file__).parents[1] / "domain/pricing/cases").glob("*.json"))
    for case in json.loads(path.read_text("utf-8"))
]
RANGES = {
    "clock": ("start_time", "end_time", str),
    "dates": ("start_date", "end_date", str),
    "kwh": ("min_kwh", "max_kwh", float),
    "seconds": ("min_duration", "max_duration", int),
    "kw": ("min_power", "max_power", float),
    "amperes": ("min_current", "max_current", float),
}
UNITS = {
    "kWh": "ENERGY",
    "h charging": "TIME",
    "h parking": "PARKING_TIME",
    "h reserved": "RESERVATION_TIME",
    "kW least": "MIN_POWER",
    "kW most": "MAX_POWER",
    "A least": "MIN_CURRENT",
    "A most": "MAX_CURRENT",
}
SUMS = {
    "total": "total_cost",
    "fee": "total_fixed_cost",
    "energy": "total_energy_cost",
    "charging": "total_time_cost",
    "parking": "total_parking_cost",
    "reservation": "total_reservation_cost",
}
MEASURED = {"kwh": "total_energy", "hours": "total_time", "parked": "total_parking_time"}


def component(text: str) -> dict[str, Any]:
    """As a component: "ENERGY 0.25 vat 10 step 1"."""
    kind, price, *rest = text.split()
    named = dict(zip(rest[::2], rest[1::2], strict=True))
    body: dict[str, Any] = {"type": kind, "price": float(price), "step_size": int(named.get("step", "1"))}
    return body | ({"vat": float(named["vat"])} if "vat" in named else {})


def restrictions(when: dict[str, str]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for word, text in when.items():
        if word == "days":
            body["day_of_week"] = text.split()
        elif word == "reserved":
            body["reservation"] = text
        else:
            *names, kind = RANGES[word]
            body |= {name: kind(value) for name, value in zip(names, text.split(".."), strict=True) if value}
    return body


def price(text: str | None) -> dict[str, Decimal] | None:
    """As a price: "5 / 5.5"."""
    if text is None:
        return None
    return {
        name: Decimal(each) for name, each in zip(("excl_vat", "incl_vat"), text.split(" / "), strict=False)
    }


def tariff(case: dict[str, Any]) -> dict[str, Any]:
    elements = []
    for given in case["tariff"]:
        body = {"price_components": [component(text) for text in given["asks"]]}
        elements.append(body | ({"restrictions": restrictions(given["when"])} if "when" in given else {}))
    made: dict[str, Any] = {"id": "T", "currency": case["currency"], "elements": elements}
    for word, field in (("minimum", "min_price"), ("maximum", "max_price")):
        limit = price(case.get(word))
        if limit is not None:
            made[field] = {name: float(amount) for name, amount in limit.items()}
    return made


def at(text: str) -> str:
    return datetime.fromisoformat(text).isoformat() + "Z"


def period(line: str) -> dict[str, Any]:
    """As a charging period: "2026-03-02 10:00:00: 20 kWh, 2 h charging"."""
    start, _, rest = line.partition(": ")
    parts = (part.split(" ", 1) for part in rest.split(", "))
    volumes = [{"type": UNITS[unit], "volume": float(number)} for number, unit in parts]
    return {"start_date_time": at(start), "dimensions": volumes}


def question(case: dict[str, Any]) -> dict[str, Any]:
    periods = [period(line) for line in case["session"]]
    cdr = {
        "start_date_time": periods[0]["start_date_time"],
        "end_date_time": at(case["ends"]),
        "currency": case["currency"],
        "charging_periods": periods,
        "reservation_expired": case.get("nobody_came", False),
    }
    return {"tariff": tariff(case), "location_time_zone": case["zone"], "cdr": cdr}


def test_no_case_was_lost() -> None:
    assert len(CASES) >= 52


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("case", CASES)
async def test_case(api: httpx.AsyncClient, case: dict[str, Any]) -> None:
    answer = await api.post("/pricing/quote", json=question(case))
    assert answer.status_code == 200, answer.text
    body = json.loads(answer.text, parse_float=Decimal, parse_int=Decimal)
    nothing = {"excl_vat": 0}
    for word, field in SUMS.items():
        assert (body.get(field) or nothing) == (price(case["costs"].get(word)) or nothing), field
    for word, field in MEASURED.items():
        if word in case["measured"]:
            assert body[field] == Decimal(case["measured"][word]), field
    assert body["currency"] == case["currency"]
    for side in body["total_cost"]:
        assert sum(line["cost"][side] for line in body["lines"]) == body["total_cost"][side]
