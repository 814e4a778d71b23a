"""What passed between parties in a month, as operators ask for it."""

from datetime import UTC, datetime
from decimal import Decimal

import httpx
import pytest

from app.domain.parties import Party
from app.kit.clock import SystemClock
from app.store.database.engine import Store
from app.store.hub import accounts as hub_accounts
from app.store.hub.accounts import Between
from app.store.hub.clearing import HubCdrRow


@pytest.fixture
async def busy(store: Store) -> None:
    aaa, ems = Party("NL", "AAA"), Party("DE", "EMS")
    async with store.unit_of_work(SystemClock()) as unit:
        messages = {
            Between("2026-11", aaa, ems): 7,
            Between("2026-10", aaa, ems): 1,
            Between("2026-11", ems, aaa): 2,
        }
        await hub_accounts.count(unit.session, messages)
        for number, (currency, at) in enumerate(
            [("EUR", datetime(2026, 11, 1, tzinfo=UTC)), ("SEK", datetime(2026, 11, 30, 23, 59, tzinfo=UTC)),
             ("EUR", datetime(2026, 12, 1, tzinfo=UTC))]
        ):  # fmt: skip
            unit.session.add(
                HubCdrRow(
                    id=f"row{number}", owner="NL-AAA", receiver="DE-EMS", cdr_id=f"C{number}", cdr_key=f"C{number}",
                    digest=f"{number}", kwh=Decimal("20.5"), currency=currency, excl_vat=Decimal("5.25"), verdict="pass",
                    price="agrees", findings=[], state="delivered", correlation_id="c", received_at=at, delivered_at=at,
                )
            )  # fmt: skip


@pytest.mark.usefixtures("busy")
async def test_pairs_of_a_month_and_their_sum(api: httpx.AsyncClient) -> None:
    body = (await api.get("/hub/accounting?month=2026-11")).json()

    amounts = [
        {"currency": currency, "cdrs": 1, "excl_vat": 5.25, "incl_vat": None} for currency in ("EUR", "SEK")
    ]
    assert body["pairs"] == [
        {"from": "DE-EMS", "to": "NL-AAA", "messages": 2, "sessions": 0, "kwh": 0, "amounts": []},
        {"from": "NL-AAA", "to": "DE-EMS", "messages": 7, "sessions": 0, "kwh": 41, "amounts": amounts},
    ]
    assert body["totals"] == {"messages": 9, "sessions": 0, "kwh": 41, "amounts": amounts}


@pytest.mark.usefixtures("busy")
async def test_the_table_has_a_row_per_pair_and_currency_with_the_counts_once(api: httpx.AsyncClient) -> None:
    answer = await api.get("/hub/accounting?month=2026-11&format=csv")

    assert answer.headers["Content-Disposition"] == 'attachment; filename="hub-2026-11.csv"'
    assert answer.text.split("\r\n") == [
        "month,from,to,messages,sessions,kwh,currency,cdrs,excl_vat,incl_vat",
        "2026-11,DE-EMS,NL-AAA,2,0,0,,,,",
        "2026-11,NL-AAA,DE-EMS,7,0,41,EUR,1,5.25,",
        "2026-11,NL-AAA,DE-EMS,,,,SEK,1,5.25,",
        "",
    ]


@pytest.mark.parametrize("month", ["2026-13", "26-11", "", "2026-11-01"])
async def test_what_is_no_month_is_refused(api: httpx.AsyncClient, month: str) -> None:
    refused = await api.get("/hub/accounting", params={"month": month})
    assert (refused.status_code, refused.json()["field"]) == (422, "month")
