"""kill -9 in the middle of sessions: what was acknowledged is there after the restart, and is billed once."""

import asyncio
from datetime import timedelta

import pytest

from ocpi.simulator import Fault, FaultKind
from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, sample


@pytest.fixture
async def sites(house, partner):
    return [await set_up(house, partner) for _ in range(4)]


async def test_a_kill_between_start_and_stop_costs_nothing(house, partner, sites):
    began = ago(minutes=50)
    numbers = {}
    for site in sites:
        async with connected(house, site.station) as station:
            numbers[site] = await station.start_charging(site.tag, began, 1000)
            await station.meter(numbers[site], sample(began + timedelta(minutes=10), 3000))
            await station.status(1, "SuspendedEV", began + timedelta(minutes=20))
    await partner.catch_up(house)
    await house.restart()
    for site in sites:
        async with connected(house, site.station) as station:
            assert await station.start_charging(site.tag, began, 1000) == numbers[site]
            open_one = await house.admin.transaction(site.station, numbers[site])
            assert open_one["energy_wh"] == 2000
            await station.end(numbers[site], began + timedelta(minutes=40), 6000, site.tag)
        cdr = await partner.cdr(open_one["session_id"])
        assert (cdr["total_energy"], cdr["total_cost"]["excl_vat"]) == (5, 2)
        # The pause that was reported before the kill is remembered.
        assert round(cdr["total_parking_time"], 4) == round(20 / 60, 4)


async def charge(house, site):
    """A whole session of 2.5 kWh, acknowledged to its end; gives its CDR's id."""
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=50), 0)
        await station.end(number, ago(minutes=10), 2500, site.tag)
    return (await house.admin.transaction(site.station, number))["cdr_id"]


@pytest.mark.timeout(180)
async def test_a_kill_while_partners_are_told_loses_no_record_and_makes_no_second(house, partner, sites):
    # Two records are stored by the partner, whose answers are lost; two are on their way when the end comes.
    partner.faults.always(FaultKind.RESET_AFTER_STORE, module="cdrs")
    mine = {await charge(house, site) for site in sites[:2]}
    await until(lambda: mine & set(partner.ledger.cdrs), 20)
    partner.faults.always(Fault(FaultKind.SLOW, 30))
    mine |= {await charge(house, site) for site in sites[2:]}
    await house.restart()
    # What the killed process had in hand is free again when the next one starts, long before its leases are over.
    await partner.catch_up(house, 30)

    posts = [m.body for m in partner.messages("cdrs") if m.body is not None and m.body["id"] in mine]
    assert len(posts) > len(mine)
    first = {body["id"]: body for body in reversed(posts)}
    assert set(first) == mine
    assert all(body == first[body["id"]] for body in posts)
    for site in sites:
        cdr = await house.admin.cdr(site.station)
        assert (cdr["total_energy"], cdr["state"]) == (2.5, "issued")


async def test_a_signal_ends_the_program_without_losing_anything(house, partner, sites):
    site = sites[0]
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=50), 0)
        await station.end(number, ago(minutes=10), 2500, site.tag)
        assert await asyncio.to_thread(house.stop) == 0
        await station.socket.wait_closed()
        assert station.socket.close_code == 1012
    await asyncio.to_thread(house.start)
    session_id = (await house.admin.transaction(site.station, number))["session_id"]
    assert (await partner.cdr(session_id, 20))["total_energy"] == 2.5
