"""Prices per partner over the admin API, and sessions that are billed by them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from app.domain.parties import Role
from app.domain.transactions import TransactionEnded
from ocpi.partners import invitations, tables
from ocpi.partners.partner import PartnerParty, PartnerState

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def partner(house: Any) -> str:
    """A registered eMSP with the party of the card CARD1."""
    invited, _ = await invitations.invite(house.desk, "eMSP")
    registered = msgspec.structs.replace(
        invited, state=PartnerState.REGISTERED, parties=(PartnerParty(Role.EMSP, "NL", "VBR"),)
    )
    async with house.store.unit_of_work(house.clock) as unit:
        await tables.save(unit.session, registered)
    await house.registry.reload(invited.id)
    return invited.id


@pytest.fixture
async def special(api: httpx.AsyncClient, site: Any, tariff: dict[str, Any], partner: str) -> httpx.Response:
    """0.20 instead of 0.25 per kWh for the eMSP."""
    tariff["elements"][0]["price_components"][0]["price"] = 0.2
    assert (await api.put("/tariffs/T-EMP", json=tariff)).status_code == 201
    answer = await api.put(f"/partners/{partner}/tariffs", json={"map": {"t1": "t-emp"}})
    assert answer.status_code == 200, answer.text
    return answer


async def test_a_session_is_billed_by_the_price_of_its_emsp(
    api: httpx.AsyncClient, house: Any, special: httpx.Response, partner: str
) -> None:
    assert special.json()["tariffs"] == {"T1": "T-EMP"}
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line)
    assert (await api.put(f"/partners/{partner}/tariffs", json={"map": {}})).json()["tariffs"] == {}
    await house.charge(line)

    usual, cheap = (await api.get("/cdrs")).json()
    assert cheap["total_cost"] == {"excl_vat": 2, "incl_vat": 2.42}
    assert [each["id"] for each in cheap["tariffs"]] == ["T-EMP"]
    assert usual["total_cost"] == {"excl_vat": 2.5, "incl_vat": 3.025}
    assert [each["id"] for each in usual["tariffs"]] == ["T1"]


def _ended(number: int, at: datetime) -> TransactionEnded:
    return TransactionEnded(transaction_id=number, at=at, stamp=at.isoformat(), meter_stop=Decimal(11_000))


async def test_a_session_under_way_keeps_its_price(
    api: httpx.AsyncClient, house: Any, special: httpx.Response, partner: str
) -> None:
    line = await house.intake.connect("CP1", "1.6")
    number = await house.charge(line, stop=False)
    assert (await api.put(f"/partners/{partner}/tariffs", json={"map": {}})).status_code == 200
    await house.heard(line, _ended(number, house.clock.now()))

    (cdr,) = (await api.get("/cdrs")).json()
    assert cdr["total_cost"] == {"excl_vat": 2, "incl_vat": 2.42}


@ON_ONE
async def test_a_special_price_is_neither_withdrawn_nor_named_for_everybody(
    api: httpx.AsyncClient, special: httpx.Response, location: dict[str, Any], partner: str
) -> None:
    withdrawn = await api.delete("/tariffs/T-EMP")
    assert (withdrawn.status_code, partner in withdrawn.text) == (409, True)
    location["evses"][0]["connectors"][0]["tariff_ids"] = ["T-EMP"]
    named = await api.put("/locations/LOC1", json=location)
    assert named.status_code == 422
    assert named.json()["errors"][0]["field"] == "tariff_ids"
    assert (await api.put(f"/partners/{partner}/tariffs", json={"map": {}})).status_code == 200
    assert (await api.put("/locations/LOC1", json=location)).status_code == 200


@ON_ONE
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "map"),
        ({"map": []}, "map"),
        ({"map": {"T1": 5}}, "map"),
        ({"map": {"T1": "T9"}}, "map.T1"),
        ({"map": {}, "maps": {}}, "maps"),
    ],
)
async def test_a_map_that_is_none_is_refused_by_its_field(
    api: httpx.AsyncClient, site: Any, partner: str, body: Any, field: str
) -> None:
    answer = await api.put(f"/partners/{partner}/tariffs", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field
    assert (await api.put("/partners/nobody/tariffs", json={"map": {}})).status_code == 404
