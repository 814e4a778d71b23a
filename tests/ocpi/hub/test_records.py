"""What the hub reads of CDRs: nothing that a body may hold makes it fail, and what it cannot read it leaves out."""

import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.parties import Party
from app.domain.verification import Outcome
from ocpi.hub.records import Amounts, Told, amounts_of, bill_of, verdict_on
from ocpi.strict_json import parse_body

OWNER = Party("NL", "AAA")
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
COMPONENT = {"type": "ENERGY", "price": Decimal("0.25"), "vat": 21, "step_size": 1}
TARIFF = {"id": "T1", "currency": "EUR", "elements": [{"price_components": [COMPONENT]}]}
RECORD: dict[str, Any] = {
    "id": "C1", "session_id": "S1", "start_date_time": "2026-11-20T10:00:00Z",
    "end_date_time": "2026-11-20T11:00:00Z", "currency": "EUR", "tariffs": [TARIFF],
    "cdr_token": {"country_code": "de", "party_id": "ems", "uid": "04aa"}, "cdr_location": {"id": "LOC1"},
    "charging_periods": [
        {
            "start_date_time": "2026-11-20T10:00:00Z",
            "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 1}],
        }
    ],
    "total_cost": {"excl_vat": 5, "incl_vat": Decimal("6.05")}, "total_energy": 20, "total_time": 1,
}  # fmt: skip

numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False, places=3)
odd: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | numbers
    | st.sampled_from(
        ["", "EUR", "XXX", "JPY", "2026-11-20T10:30:00Z", "ENERGY", "TIME", "0001-01-01T00:00:00Z"]
    )
    | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "excl_vat", "incl_vat", "type", "volume", "dimensions"]), inner
        )
    ),
    max_leaves=6,
)


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at] * bool(at) + [path for key, each in inner for path in paths(each, (*at, key))]


def changed(path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    record = copy.deepcopy(RECORD)
    place = record
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return record


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(paths(RECORD)), odd)
def test_whatever_stands_in_a_field_is_read_or_left_out(path: tuple[Any, ...], value: Any) -> None:
    record = changed(path, value)
    bill_of(OWNER, b"", record)
    amounts = amounts_of(record)
    assert amounts.currency is None or len(amounts.currency) == 3
    verdict_on(OWNER, record, Told(ZoneInfo("Europe/Amsterdam")), NOW)


def test_a_right_record_is_read_whole() -> None:
    bill = bill_of(OWNER, b"bytes", RECORD)

    assert (bill.id, bill.session_id, bill.token, bill.credit) == ("C1", "S1", "DE/EMS/04AA", False)
    assert (bill.start, bill.end) == (NOW.replace(hour=10), NOW.replace(hour=11))
    assert amounts_of(RECORD) == Amounts(
        kwh=Decimal(20), currency="EUR", excl_vat=Decimal(5), incl_vat=Decimal("6.05")
    )
    verdict = verdict_on(OWNER, RECORD, Told(), NOW)
    assert verdict is not None
    assert verdict.outcome is Outcome.AGREES


def test_a_record_without_tariffs_cannot_be_judged() -> None:
    verdict = verdict_on(OWNER, RECORD | {"tariffs": []}, Told(), NOW)
    assert verdict is not None
    assert verdict.outcome is Outcome.UNPRICEABLE


def test_amounts_of_a_credit_are_below_zero_whichever_sign_they_come_with() -> None:
    negative = {"total_cost": {"excl_vat": -5}, "total_energy": -20, "credit": True}
    positive = {"total_cost": {"excl_vat": 5}, "total_energy": 20, "credit": True}

    assert amounts_of(negative) == amounts_of(positive) == Amounts(kwh=Decimal(-20), excl_vat=Decimal(-5))


def test_numbers_nobody_can_mean_are_left_out() -> None:
    record = parse_body(b'{"total_energy": 1e300, "total_cost": {"excl_vat": true}, "currency": "=1+1"}')
    assert amounts_of(record) == Amounts()
