"""What operators see of CDRs that passed the hub, and the rules by which they are cleared."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest

from app.domain.records.clearing import Finding, Rule, Topic
from app.kit.clock import SystemClock
from app.store.database.engine import Store
from app.store.hub.clearing import HubCdrRow

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)


def row(number: int, **changes: Any) -> HubCdrRow:
    fields: dict[str, Any] = {
        "id": f"row{number}", "owner": "NL-AAA", "receiver": "DE-EMS", "cdr_id": f"C{number}", "cdr_key": f"C{number}",
        "digest": f"digest{number}", "kwh": Decimal("20.0500"), "currency": "EUR", "excl_vat": Decimal(5),
        "verdict": "pass", "price": "agrees", "findings": [], "state": "delivered", "correlation_id": "c",
        "received_at": AT.replace(minute=number), "delivered_at": AT,
    }  # fmt: skip
    return HubCdrRow(**fields | changes)


@pytest.fixture
async def cleared(store: Store) -> None:
    late = Finding(topic=Topic.LATE, rule=Rule.WARN, words="the session ended 9 days ago")
    async with store.unit_of_work(SystemClock()) as unit:
        unit.session.add_all(
            [
                row(1),
                row(2, owner="BE-BBB", verdict="warn", findings=[late]),
                row(3, verdict="refuse", state="refused", delivered_at=None, kwh=None, receiver="FR-FFF"),
            ]
        )


@pytest.mark.usefixtures("cleared")
async def test_newest_first_with_what_was_found(api: httpx.AsyncClient) -> None:
    answer = await api.get("/hub/cdrs")

    assert [each["cdr"] for each in answer.json()] == ["C3", "C2", "C1"]
    assert answer.headers["X-Total-Count"] == "3"
    warned = answer.json()[1]
    assert warned["findings"] == [{"check": "late", "rule": "warn", "words": "the session ended 9 days ago"}]
    assert (warned["from"], warned["to"], warned["kwh"], warned["excl_vat"]) == ("BE-BBB", "DE-EMS", 20.05, 5)
    assert (warned["sha256"], warned["received_at"]) == ("digest2", "2026-11-20T12:02:00Z")


@pytest.mark.usefixtures("cleared")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("party=de-ems", ["C2", "C1"]), ("party=NL-AAA", ["C3", "C1"]), ("verdict=warn", ["C2"]),
        ("state=refused", ["C3"]), ("limit=1&offset=1", ["C2"]), ("party=NL-AAA&state=delivered", ["C1"]),
    ],
)  # fmt: skip
async def test_a_part_of_them(api: httpx.AsyncClient, query: str, expected: list[str]) -> None:
    assert [each["cdr"] for each in (await api.get(f"/hub/cdrs?{query}")).json()] == expected


@pytest.mark.parametrize("query", ["party=nobody", "verdict=fine", "state=lost"])
async def test_nonsense_is_refused(api: httpx.AsyncClient, query: str) -> None:
    assert (await api.get(f"/hub/cdrs?{query}")).status_code == 422


async def test_rules_are_changed_one_by_one(api: httpx.AsyncClient) -> None:
    made = await api.post("/partners", json={"name": "Some CPO", "platform": "hub"})
    path = f"/partners/{made.json()['id']}"

    first = await api.patch(path, json={"clearing": {"price": "refuse"}})
    second = await api.patch(path, json={"clearing": {"late_days": 30}, "pace": 5})

    assert first.json()["settings"]["clearing"] == {
        "duplicate": "refuse", "overlap": "warn", "price": "refuse", "unpriced": "warn", "late": "warn",
        "late_days": 7,
    }  # fmt: skip
    assert second.json()["settings"]["clearing"] == first.json()["settings"]["clearing"] | {"late_days": 30}
    for wrong in ({"price": "hold"}, {"late_days": 0}, {"weather": "warn"}, "strict"):
        refused = await api.patch(path, json={"clearing": wrong})
        assert (refused.status_code, refused.json()["field"]) == (422, "clearing"), refused.text


async def test_only_a_refused_record_can_be_allowed_and_the_reason_is_kept(
    api: httpx.AsyncClient, cleared: None
) -> None:
    found = {each["cdr"]: each["id"] for each in (await api.get("/hub/cdrs")).json()}
    because = {"reason": "agreed by phone"}

    told = await api.post(f"/hub/cdrs/{found['C3']}/allow", json=because)

    assert (told.status_code, told.json()["allowed"]) == (200, "agreed by phone")
    assert (await api.post(f"/hub/cdrs/{found['C1']}/allow", json=because)).status_code == 409
    assert (await api.post("/hub/cdrs/nothing/allow", json=because)).status_code == 404
    assert (await api.post(f"/hub/cdrs/{found['C3']}/allow", json={"reason": " "})).status_code == 422
