"""CDRs on their way through the hub: passed on byte for byte, checked, refused with the reason, and kept with the verdict."""

import asyncio
import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from starlette.responses import Response

from app.store.hub import clearing
from app.store.hub.clearing import HubCdrRow
from ocpi.partners.invitations import set_settings
from tests.flows.hub_party import Got, ok
from tests.flows.hub_world import HUB, World, location

START = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=3)


def at(hours: float = 0) -> str:
    """So many hours after the start of the session."""
    return (START + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


TARIFF = {
    "country_code": "NL", "party_id": "AAA", "id": "T1", "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0.25, "vat": 21, "step_size": 1}]}],
    "last_updated": "2026-01-01T00:00:00Z",
}  # fmt: skip


def cdr(cdr_id: str = "C1", **changes: Any) -> dict[str, Any]:
    """20 kWh at 0.25: 5 EUR, 6.05 with VAT."""
    return {
        "country_code": "NL", "party_id": "AAA", "id": cdr_id, "session_id": f"S-{cdr_id}",
        "start_date_time": at(), "end_date_time": at(1),
        "cdr_token": {"country_code": "DE", "party_id": "EMS", "uid": f"04{cdr_id}", "type": "RFID", "contract_id": "X"},
        "auth_method": "WHITELIST", "cdr_location": {"id": "LOC1"}, "currency": "EUR", "tariffs": [TARIFF],
        "charging_periods": [
            {
                "start_date_time": at(),
                "dimensions": [{"type": "ENERGY", "volume": 20}, {"type": "TIME", "volume": 1}],
            }
        ],
        "total_cost": {"excl_vat": 5, "incl_vat": 6.05}, "total_energy": 20, "total_time": 1,
        "last_updated": at(1.1),
    } | changes  # fmt: skip


async def rows_of(world: World) -> list[HubCdrRow]:
    async with world.house.store.reading() as session:
        found, total = await clearing.find(session, limit=100)
    assert total == len(found)
    return list(found)


async def rule(world: World, **rules: Any) -> None:
    await set_settings(world.house.desk, world.cpo.partner_id, {"clearing": rules})


async def post(world: World, body: dict[str, Any]) -> dict[str, Any]:
    answer = await world.cpo.call("POST", "receiver/cdrs", to="DE-EMS", body=body)
    assert answer.status_code in (200, 201)
    return answer.json()


@pytest.fixture
def taking(world: World) -> World:
    world.emsp.answers = lambda _: ok(status=201)
    return world


async def test_a_record_is_passed_on_byte_for_byte_and_kept_with_its_verdict(taking: World) -> None:
    raw = json.dumps(cdr(), indent=3).replace("6.05", "6.0500").encode()

    answer = await taking.cpo.call("POST", "receiver/cdrs", raw=raw)

    assert (answer.status_code, answer.json()["status_code"]) == (201, 1000)
    assert [each.raw for each in taking.emsp.got] == [raw]
    (row,) = await rows_of(taking)
    assert (row.owner, row.receiver, row.cdr_id, row.state) == ("NL-AAA", "DE-EMS", "C1", "delivered")
    assert (row.verdict, row.price, row.findings) == ("pass", "agrees", [])
    assert (str(row.kwh), row.currency, str(row.excl_vat), str(row.incl_vat)) == ("20", "EUR", "5", "6.0500")
    assert row.digest == hashlib.sha256(raw).hexdigest()
    assert row.delivered_at is not None


async def test_a_price_that_differs_is_a_warning_unless_it_shall_be_refused(taking: World) -> None:
    wrong = {"total_cost": {"excl_vat": 6.05, "incl_vat": 7.3205}}
    assert (await post(taking, cdr("C1", **wrong)))["status_code"] == 1000
    await rule(taking, price="refuse")

    refused = await post(taking, cdr("C2", **wrong))
    corrected = await post(taking, cdr("C2"))

    assert refused["status_code"] == 2001
    assert "price: VAT was added" in refused["status_message"]
    assert corrected["status_code"] == 1000
    assert [got.body["id"] for got in taking.emsp.got] == ["C1", "C2"]
    states = {(row.cdr_id, row.verdict, row.price, row.state) for row in await rows_of(taking)}
    assert states == {
        ("C1", "warn", "differs", "delivered"),
        ("C2", "refuse", "differs", "refused"),
        ("C2", "pass", "agrees", "delivered"),
    }


async def test_other_bytes_under_an_id_are_refused_and_the_same_bytes_pass_again(taking: World) -> None:
    await post(taking, cdr())
    again = await post(taking, cdr())
    changed = await post(taking, cdr(remark="corrected"))
    twice = await post(taking, cdr("C2", session_id="s-c1"))

    assert again["status_code"] == 1000
    assert (changed["status_code"], twice["status_code"]) == (2001, 2001)
    assert "duplicate: another record with this id" in changed["status_message"]
    assert "duplicate: this session was billed before, by record C1" in twice["status_message"]
    assert len(taking.emsp.got) == 2
    times = {(row.cdr_id, row.state): row.times for row in await rows_of(taking)}
    assert times == {("C1", "delivered"): 2, ("C1", "refused"): 1, ("C2", "refused"): 1}


async def test_a_session_is_billed_anew_after_its_record_was_taken_back(taking: World) -> None:
    await post(taking, cdr())
    credit = cdr(
        "C1-C", session_id="S-C1", credit=True, credit_reference_id="C1",
        total_cost={"excl_vat": -5, "incl_vat": -6.05},
    )  # fmt: skip
    assert (await post(taking, credit))["status_code"] == 1000

    assert (await post(taking, cdr("C2", session_id="S-C1")))["status_code"] == 1000

    credited = next(row for row in await rows_of(taking) if row.credit)
    assert (str(credited.kwh), str(credited.excl_vat)) == ("-20", "-5")


async def test_two_at_once_with_one_id_do_not_both_get_through(taking: World) -> None:
    bodies = [cdr(remark=f"number {n}") for n in range(6)]

    codes = [each["status_code"] for each in await asyncio.gather(*(post(taking, body) for body in bodies))]

    assert sorted(codes) == [1000, *[2001] * 5]
    assert len(taking.emsp.got) == 1


async def test_a_token_that_charges_twice_at_once_and_a_late_record_are_told(taking: World) -> None:
    token = cdr()["cdr_token"]
    await post(taking, cdr("C1"))
    await post(taking, cdr("C2", cdr_token=token))
    late = {"start_date_time": at(-31 * 24), "end_date_time": at(-31 * 24 + 1)}
    await rule(taking, late="refuse", overlap="pass", late_days=30)

    refused = await post(taking, cdr("C3", **late))

    assert refused["status_code"] == 2001
    found = {
        row.cdr_id: [(str(each.topic), str(each.rule)) for each in row.findings]
        for row in await rows_of(taking)
    }
    assert found["C2"] == [("overlap", "warn")]
    assert ("late", "refuse") in found["C3"]
    assert len(taking.emsp.got) == 2


async def test_prices_by_the_local_clock_are_judged_where_the_zone_is_known(taking: World) -> None:
    local = START.astimezone(ZoneInfo("Asia/Kolkata"))
    hours = {"start_time": f"{local:%H:%M}", "end_time": f"{local + timedelta(hours=1):%H:%M}"}
    now = TARIFF | {
        "elements": [
            {"price_components": TARIFF["elements"][0]["price_components"], "restrictions": hours},
            {"price_components": [{"type": "ENERGY", "price": 1, "step_size": 1}]},
        ]
    }  # fmt: skip
    await post(taking, cdr("C1", tariffs=[now]))
    place = location() | {"time_zone": "Asia/Kolkata"}
    await taking.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=place)
    await post(taking, cdr("C2", tariffs=[now]))

    prices = {row.cdr_id: row.price for row in await rows_of(taking)}
    assert prices == {"C1": "unpriceable", "C2": "agrees"}


async def test_a_refused_record_passes_after_the_operator_allowed_it(taking: World) -> None:
    wrong = cdr("C1", total_cost={"excl_vat": 6.05, "incl_vat": 7.3205})
    await rule(taking, price="refuse")
    assert (await post(taking, wrong))["status_code"] == 2001
    (row,) = await rows_of(taking)
    async with taking.house.store.unit_of_work(taking.house.clock) as unit:
        await clearing.allow(unit.session, row.id, "the price was agreed by phone")

    taking.emsp.answers = lambda _: ok(code=3000)
    assert (await post(taking, wrong))["status_code"] == 3000
    taking.emsp.answers = lambda _: ok(status=201)
    assert (await post(taking, wrong))["status_code"] == 1000

    (row,) = await rows_of(taking)
    assert (row.state, row.verdict, row.price, row.times) == ("delivered", "warn", "differs", 3)
    assert [each.rule for each in row.findings] == ["warn"]
    other = await post(taking, cdr("C2", total_cost={"excl_vat": 6.05, "incl_vat": 7.3205}))
    assert other["status_code"] == 2001


def untariffed(cdr_id: str, **changes: Any) -> dict[str, Any]:
    """A record that carries no tariff, and names none unless its periods are changed."""
    place = {"id": "LOC1", "evse_uid": "E1", "connector_id": "1"}
    return cdr(cdr_id, tariffs=[], cdr_location=place, **changes)


def by_tariff(tariff_id: str) -> list[dict[str, Any]]:
    return [cdr()["charging_periods"][0] | {"tariff_id": tariff_id}]


async def test_a_record_without_tariffs_is_judged_by_those_told_before(taking: World) -> None:
    connector = {"id": "1", "tariff_ids": ["T1"], "last_updated": at()}
    evse = {"uid": "E1", "status": "AVAILABLE", "connectors": [connector], "last_updated": at()}
    dear = {"total_cost": {"excl_vat": 6.05, "incl_vat": 7.3205}}
    for module, object_id, body in (
        ("tariffs", "T1", TARIFF),
        ("tariffs", "T2", TARIFF | {"id": "T2", "last_updated": at(0.5)}),
        ("tariffs", "T3", TARIFF | {"id": "T3", "elements": "none"}),
        ("locations", "LOC1", location(evses=[evse])),
    ):
        told = await taking.cpo.call("PUT", f"receiver/{module}/NL/AAA/{object_id}", to=HUB, body=body)
        assert told.json()["status_code"] == 1000
    await taking.cpo.call("DELETE", "receiver/tariffs/NL/AAA/T1", to=HUB)

    await post(taking, untariffed("NAMED", charging_periods=by_tariff("t1")))
    await post(taking, untariffed("CONNECTOR"))
    await post(taking, untariffed("DEAR", **dear))
    await post(taking, untariffed("CHANGED", charging_periods=by_tariff("T2")))
    await post(taking, untariffed("CHANGED-DEAR", charging_periods=by_tariff("T2"), **dear))
    await post(taking, untariffed("ODD", charging_periods=by_tariff("T3")))
    await post(taking, untariffed("STRANGE", charging_periods=by_tariff("T9")))
    await post(taking, untariffed("BARE") | {"cdr_location": {"id": "LOC1"}})

    rows = {row.cdr_id: row for row in await rows_of(taking)}
    assert {id_: (row.price, row.verdict) for id_, row in rows.items()} == {
        "NAMED": ("agrees", "pass"), "CONNECTOR": ("agrees", "pass"), "DEAR": ("differs", "warn"),
        "CHANGED": ("agrees", "pass"), "CHANGED-DEAR": ("unpriceable", "warn"), "ODD": ("unpriceable", "warn"),
        "STRANGE": ("unpriceable", "warn"), "BARE": ("unpriceable", "warn"),
    }  # fmt: skip
    words = {id_: rows[id_].findings[0].words.partition("judged: ")[2] for id_ in ("CHANGED-DEAR", "STRANGE")}
    assert words == {
        "CHANGED-DEAR": "tariff T2 was changed after the session began",
        "STRANGE": "the hub was never told of tariff T9",
    }


async def test_what_cannot_be_read_is_passed_on_with_a_warning(taking: World) -> None:
    odd = {"id": "C1", "total_energy": "much", "cdr_token": {"country_code": "DE", "party_id": "EMS"}}

    assert (await post(taking, odd))["status_code"] == 1000

    (row,) = await rows_of(taking)
    assert (row.verdict, row.price, row.kwh, row.token_key) == ("warn", "unreadable", None, None)


def _declining(_: Got) -> Response:
    return ok(code=2001)


@pytest.mark.parametrize(
    ("answers", "code", "state"), [(_declining, 2001, "declined"), (None, 4003, "failed")]
)
async def test_what_was_not_taken_is_kept_so_and_may_come_again(
    taking: World, answers: Any, code: int, state: str
) -> None:
    if answers is None:
        await taking.emsp.stop()
    else:
        taking.emsp.answers = answers
    assert (await post(taking, cdr()))["status_code"] == code
    assert [(row.state, row.delivered_at) for row in await rows_of(taking)] == [(state, None)]
    if answers is None:
        await taking.emsp.start()
    taking.emsp.answers = lambda _: ok(status=201)

    assert (await post(taking, cdr(remark="corrected")))["status_code"] == 1000
