"""Accounts of the hub: every message counted once for its pair, sessions and CDRs beside them, kept over a restart."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain.cdrs import CdrState
from app.domain.events import CdrIssued, SessionChanged
from app.domain.parties import Party
from app.kit.clock import SystemClock
from app.store import cdrs, sessions
from app.store.database.engine import Store
from app.store.hub import accounts as hub_accounts
from ocpi.hub.accounting import Account, Accounts, Amount, accounts_of, month_of, summed
from tests.flows.hub_party import NOW, ok
from tests.flows.hub_world import HUB, OURS, World, location

TOKEN = {"country_code": "DE", "party_id": "EMS", "uid": "04AA"}


async def accounts(world: World) -> dict[tuple[str, str], Account]:
    now, desk = world.house.clock.now(), world.house.desk
    await world.house.hub.owners.keep()
    await world.house.hub.accounts.keep()
    found = await accounts_of(world.house.store, desk.registry, desk.ours, now.year, now.month)
    return {(str(each.sender), str(each.receiver)): each for each in found}


def record(cdr_id: str, kwh: float, cost: float, currency: str = "EUR", **more: object) -> dict[str, object]:
    total = {"excl_vat": cost, "incl_vat": cost * 2}
    return {
        "id": cdr_id,
        "cdr_token": TOKEN,
        "total_energy": kwh,
        "currency": currency,
        "total_cost": total,
    } | more


async def test_messages_are_counted_by_pair_and_direction_and_refused_ones_are_not(world: World) -> None:
    for _ in range(3):
        await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to="DE-EMS", body=location())
    await world.emsp.call("GET", "sender/locations/LOC1", to="NL-AAA")
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to="XX-YYY", body=location())
    await world.cpo2.call("PUT", "receiver/locations/BE/BBB/LOC1", to="FR-FFF", body=location("BE-BBB"))

    found = await accounts(world)

    assert {pair: each.messages for pair, each in found.items()} == {
        ("NL-AAA", "DE-EMS"): 3,
        ("DE-EMS", "NL-AAA"): 1,
    }


async def test_what_is_told_to_everybody_counts_once_with_the_hub_and_once_with_each_receiver(
    world: World,
) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=location())
    await world.settled()

    found = await accounts(world)

    assert {pair: each.messages for pair, each in found.items()} == {
        ("NL-AAA", HUB): 1,
        ("NL-AAA", "DE-EMS"): 1,
        ("NL-AAA", "FR-FFF"): 1,
    }


async def test_sessions_and_delivered_records_are_summed_by_currency(world: World) -> None:
    for status in ("ACTIVE", "COMPLETED"):
        body = {"id": "S1", "status": status, "cdr_token": TOKEN, "last_updated": NOW}
        await world.cpo.call("PUT", "receiver/sessions/NL/AAA/S1", body=body)
    world.emsp.answers = lambda _: ok(status=201)
    await world.cpo.call("POST", "receiver/cdrs", body=record("C1", 20.5, 5))
    await world.cpo.call("POST", "receiver/cdrs", body=record("C1", 20.5, 5))
    await world.cpo.call("POST", "receiver/cdrs", body=record("C2", 10, 3))
    await world.cpo.call("POST", "receiver/cdrs", body=record("C3", 1, 7, "SEK"))
    await world.cpo.call(
        "POST", "receiver/cdrs", body=record("C2-C", 10, -3, credit=True, credit_reference_id="C2")
    )
    world.emsp.answers = lambda _: ok(code=2001)
    await world.cpo.call("POST", "receiver/cdrs", body=record("C4", 99, 99))

    account = (await accounts(world))["NL-AAA", "DE-EMS"]

    assert (account.messages, account.sessions, account.kwh) == (8, 1, Decimal("21.5"))
    assert account.amounts == {
        "EUR": Amount(cdrs=3, excl_vat=Decimal(5), incl_vat=Decimal(10)),
        "SEK": Amount(cdrs=1, excl_vat=Decimal(7), incl_vat=Decimal(14)),
    }


async def test_counts_of_two_processes_add_up_and_outlive_them(store: Store) -> None:
    one, other = Accounts(store, SystemClock()), Accounts(store, SystemClock())
    for accounts in (one, other, one):
        accounts.count(Party("NL", "AAA"), Party("DE", "EMS"))
        await accounts.keep()
    await one.keep()

    async with store.reading() as session:
        (row,) = await hub_accounts.messages_of(session, f"{datetime.now(UTC):%Y-%m}")
    assert (row.sender, row.receiver, row.messages) == ("NL-AAA", "DE-EMS", 3)


def test_a_sum_without_vat_of_one_has_none() -> None:
    party = Party("NL", "AAA")
    with_vat = Account(
        sender=party, receiver=party, messages=2, amounts={"EUR": Amount(cdrs=1, excl_vat=Decimal(1), incl_vat=Decimal(2))}
    )  # fmt: skip
    without = Account(
        sender=party, receiver=party, messages=1, amounts={"EUR": Amount(cdrs=2, excl_vat=Decimal(3), incl_vat=None)}
    )  # fmt: skip

    for order in ([with_vat, without], [without, with_vat]):
        total = summed(order)
        assert total.messages == 3
        assert total.amounts == {"EUR": Amount(cdrs=3, excl_vat=Decimal(4), incl_vat=None)}
    assert with_vat.amounts["EUR"].incl_vat == Decimal(2)


@pytest.mark.parametrize(("month", "days"), [(2, 28), (11, 30), (12, 31)])
def test_a_month_ends_where_the_next_begins(month: int, days: int) -> None:
    begin, end = month_of(2026, month)
    assert (end - begin).days == days


async def test_what_our_own_cpo_told_parties_behind_the_hub_is_counted_like_anybodys(
    world: World, objects: Any
) -> None:
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        await sessions.save(
            unit.session, objects.session(last_updated=unit.now()), objects.snapshot(), "T-1", unit.now()
        )
        unit.emit(SessionChanged(session_id="S-1", owner=objects.owner(), whole=True, at=unit.now()))
        cdr = objects.cdr()
        await cdrs.add(unit.session, cdr, ref="T-1", state=CdrState.ISSUED, reason=None, now=unit.now())
        unit.emit(CdrIssued(cdr_id=cdr.id, owner=objects.owner(), at=unit.now()))
    await world.settled()

    account = (await accounts(world))[OURS, "DE-EMS"]

    assert (account.messages, account.sessions, account.kwh) == (2, 1, cdr.total_energy)
    total = cdr.total_cost
    assert account.amounts == {cdr.currency: Amount(cdrs=1, excl_vat=total.excl_vat, incl_vat=total.incl_vat)}
