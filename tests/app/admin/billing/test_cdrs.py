"""CDRs over the admin API: listed, released with corrections, discarded, credited; partners hear of it."""

from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select

from app.domain.parties import Role
from app.outbox.tables import DeliveryRow
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import invitations, tables
from ocpi.partners.partner import Endpoint, PartnerParty, PartnerState

# Refused before anything is written: alike on both databases.
ON_ONE = pytest.mark.parametrize("database", ["sqlite"], indirect=True)


@pytest.fixture
async def partner(house: Any) -> str:
    """The eMSP that hears of everything our own cards charge: it has our own party."""
    invited, _ = await invitations.invite(house.desk, "eMSP")
    registered = msgspec.structs.replace(
        invited,
        state=PartnerState.REGISTERED,
        token_out=house.desk.vault.lock("theirs"),
        endpoints=tuple(
            Endpoint(str(module), InterfaceRole.RECEIVER, f"https://emsp.example/{module}")
            for module in (ModuleId.SESSIONS, ModuleId.CDRS)
        ),
        parties=(PartnerParty(Role.EMSP, "NL", "VBR", {"name": "eMSP"}),),
    )
    async with house.store.unit_of_work(house.clock) as unit:
        await tables.save(unit.session, registered)
    await house.registry.reload(invited.id)
    return invited.id


async def told(house: Any, kind: str) -> set[str]:
    async with house.store.reading() as session:
        rows = await session.scalars(select(DeliveryRow).where(DeliveryRow.kind == kind))
        return {row.object_id for row in rows}


@pytest.fixture
async def issued(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> dict[str, Any]:
    await house.charge(await house.intake.connect("CP1", "1.6"))
    (found,) = (await api.get("/cdrs")).json()
    assert found["state"] == "issued"
    return found


@pytest.fixture
async def held(api: httpx.AsyncClient, house: Any, partner: str, site: dict[str, Any]) -> dict[str, Any]:
    """Held because nothing says what it costs."""
    assert (await api.delete("/tariffs/T1")).status_code == 204
    await house.charge(await house.intake.connect("CP1", "1.6"))
    (found,) = (await api.get("/cdrs?state=held")).json()
    return found


async def test_a_held_record_says_why(api: httpx.AsyncClient, house: Any, held: dict[str, Any]) -> None:
    assert (held["state"], held["reason"]) == ("held", "no_tariff")
    assert "total_cost" not in held
    assert held["cdr_location"]["evse_id"] == "NL*VBR*E1"
    assert (await api.get(f"/cdrs/{held['id']}")).json() == held
    assert (await api.get("/cdrs?state=issued")).json() == []
    assert await told(house, "cdr") == set()


async def test_without_a_tariff_it_is_not_released(
    api: httpx.AsyncClient, house: Any, held: dict[str, Any]
) -> None:
    for body in (None, {}, {"kwh": 5}):
        refused = await api.post(f"/cdrs/{held['id']}/release", json=body)
        assert refused.status_code == 409
        assert "tariff" in refused.json()["detail"]
    assert (await api.get(f"/cdrs/{held['id']}")).json() == held


@ON_ONE
@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"tariff": "T9"}, "tariff"),
        ({"kwh": -1}, "kwh"),
        ({"kwh": "5"}, "kwh"),
        ({"kwh": True}, "kwh"),
        ({"kwh": 1.00001}, "kwh"),
        ({"kwh": 10**9}, "kwh"),
        ({"energy": 5}, "energy"),
        ({"reason": " "}, "reason"),
        ({"tariff": 5}, "tariff"),
    ],
)
async def test_a_correction_that_cannot_be_is_named(
    api: httpx.AsyncClient, held: dict[str, Any], body: dict[str, Any], field: str
) -> None:
    refused = await api.post(f"/cdrs/{held['id']}/release", json=body)
    assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await api.get(f"/cdrs/{held['id']}")).json() == held


async def test_released_with_a_tariff_and_another_energy(
    api: httpx.AsyncClient, house: Any, held: dict[str, Any], tariff: dict[str, Any]
) -> None:
    tariff["elements"][0]["price_components"].append({"type": "TIME", "price": 2, "vat": 21, "step_size": 1})
    await api.put("/tariffs/T2", json=tariff)
    body = {"tariff": "t2", "kwh": 8.1234, "reason": "meter was exchanged"}
    released = await api.post(f"/cdrs/{held['id']}/release", json=body)
    assert released.status_code == 200, released.text
    record = released.json()
    assert (record["state"], record["note"], record["reason"]) == (
        "issued",
        "meter was exchanged",
        "no_tariff",
    )
    assert record["total_energy"] == 8.1234
    assert record["total_time"] == 1
    assert record["total_energy_cost"] == {"excl_vat": 2.031, "incl_vat": 2.4575}  # whole Wh
    assert record["total_time_cost"] == {"excl_vat": 2, "incl_vat": 2.42}
    assert record["total_cost"] == {"excl_vat": 4.031, "incl_vat": 4.8775}
    volumes = [
        d["volume"] for p in record["charging_periods"] for d in p["dimensions"] if d["type"] == "ENERGY"
    ]
    assert sum(volumes) == pytest.approx(8.1234)
    assert {period["tariff_id"] for period in record["charging_periods"]} == {"T2"}
    assert [each["id"] for each in record["tariffs"]] == ["T2"]
    session = (await api.get(f"/sessions/{record['session_id']}")).json()
    assert (session["kwh"], session["total_cost"]) == (8.1234, record["total_cost"])
    assert await told(house, "cdr") == {record["id"]}
    assert await told(house, "session") == {record["session_id"]}
    assert (await api.post(f"/cdrs/{held['id']}/release", json={})).status_code == 409


async def test_released_as_it_is(api: httpx.AsyncClient, house: Any, site: dict[str, Any]) -> None:
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, wh=2_000_000_000)
    (found,) = (await api.get("/cdrs?state=held")).json()
    assert found["reason"] == "absurd_energy"
    released = await api.post(f"/cdrs/{found['id']}/release", json={"kwh": 0})
    assert released.status_code == 200, released.text
    assert released.json()["total_cost"]["excl_vat"] == 0
    assert released.json()["total_energy"] == 0


async def test_an_evse_without_an_id_gets_it_from_the_location(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any], location: dict[str, Any]
) -> None:
    named = location["evses"][0].pop("evse_id")
    await api.put("/locations/LOC1", json=location | {"publish": False})
    await house.charge(await house.intake.connect("CP1", "1.6"))
    (found,) = (await api.get("/cdrs?state=held")).json()
    assert found["reason"] == "no_evse_id"
    assert (await api.post(f"/cdrs/{found['id']}/release")).status_code == 409
    location["evses"][0]["evse_id"] = named
    await api.put("/locations/LOC1", json=location)
    released = await api.post(f"/cdrs/{found['id']}/release")
    assert released.json()["cdr_location"]["evse_id"] == named


async def test_a_record_without_a_place_can_only_be_discarded(
    api: httpx.AsyncClient, house: Any, site: dict[str, Any]
) -> None:
    await api.put("/stations/CP2", json={})
    await house.charge(await house.intake.connect("CP2", "1.6"))
    (found,) = (await api.get("/cdrs?state=held")).json()
    assert "cdr_location" not in found
    assert (await api.post(f"/cdrs/{found['id']}/release", json={"tariff": "T1"})).status_code == 409
    assert (await api.post(f"/cdrs/{found['id']}/discard", json={"reason": "test"})).status_code == 200


async def test_discarded_with_a_reason(api: httpx.AsyncClient, house: Any, held: dict[str, Any]) -> None:
    for body in (None, {}, {"reason": ""}, {"reason": 5}):
        assert (await api.post(f"/cdrs/{held['id']}/discard", json=body)).status_code == 422
    discarded = (await api.post(f"/cdrs/{held['id']}/discard", json={"reason": "a test"})).json()
    assert (discarded["state"], discarded["note"]) == ("discarded", "a test")
    assert discarded["decided_at"] is not None
    for decision, body in (("discard", {"reason": "again"}), ("release", {"tariff": "T1"}), ("credit", None)):
        assert (await api.post(f"/cdrs/{held['id']}/{decision}", json=body)).status_code == 409
    assert await told(house, "cdr") == set()


async def test_credited_once(
    api: httpx.AsyncClient, house: Any, partner: str, issued: dict[str, Any]
) -> None:
    credited = await api.post(f"/cdrs/{issued['id']}/credit")
    assert credited.status_code == 201
    body = credited.json()
    assert (body["credit"], body["credit_reference_id"]) == (True, issued["id"])
    assert body["total_cost"] == {"excl_vat": -2.5, "incl_vat": -3.025}
    same = ("total_energy", "total_energy_cost", "charging_periods", "cdr_token", "session_id", "total_time")
    assert {name: body[name] for name in same} == {name: issued[name] for name in same}
    assert body["id"] in await told(house, "cdr")
    assert (await api.post(f"/cdrs/{issued['id']}/credit")).status_code == 409
    assert (await api.post(f"/cdrs/{body['id']}/credit")).status_code == 409
    assert (await api.get(f"/cdrs/{issued['id']}")).json() == issued


async def test_an_issued_record_never_changes(api: httpx.AsyncClient, issued: dict[str, Any]) -> None:
    assert (await api.post(f"/cdrs/{issued['id']}/release", json={"kwh": 1})).status_code == 409
    assert (await api.post(f"/cdrs/{issued['id']}/discard", json={"reason": "x"})).status_code == 409
    assert (await api.get(f"/cdrs/{issued['id']}")).json() == issued


async def test_found_by_partner_and_time(
    api: httpx.AsyncClient, house: Any, partner: str, issued: dict[str, Any]
) -> None:
    made = house.clock.now()

    async def found(**query: str) -> int:
        answer = await api.get("/cdrs", params=query)
        assert answer.status_code == 200, answer.text
        return len(answer.json())

    assert await found(partner=partner) == 1
    assert await found(partner="nl-vbr") == 1
    assert await found(partner="DE-EMP") == 0
    assert await found(partner="p-nobody") == 0
    before, after = (made - timedelta(minutes=1)).isoformat(), (made + timedelta(minutes=1)).isoformat()
    assert await found(**{"from": before, "to": after}) == 1
    assert await found(**{"from": after}) == 0
    assert await found(to=before) == 0
    assert (await api.get(f"/cdrs?from={before}")).status_code == 200  # the plus of +00:00 not encoded
    for query in ("from=yesterday", "to=5", "state=lost"):
        assert (await api.get(f"/cdrs?{query}")).status_code == 422
