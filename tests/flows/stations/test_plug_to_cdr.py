"""From the plug to the partner's CDR, with amounts worked out by hand."""

from datetime import timedelta

import pytest

from ocpi.modules import ModuleId
from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, sample, stamp

# 6.25 kWh x 0.40 = 2.50; a quarter of an hour of parking x 3.00 = 0.75; 0.50 flat: 3.75, and 21 % VAT on each.
PRICES = {"ENERGY": 0.40, "PARKING_TIME": 3.00, "FLAT": 0.50}
EXPECTED = {
    "total_energy": 6.25,
    "total_time": 1.0,
    "total_parking_time": 0.25,
    "total_energy_cost": {"excl_vat": 2.5, "incl_vat": 3.025},
    "total_parking_cost": {"excl_vat": 0.75, "incl_vat": 0.9075},
    "total_fixed_cost": {"excl_vat": 0.5, "incl_vat": 0.605},
    "total_cost": {"excl_vat": 3.75, "incl_vat": 4.5375},
}


def wh(value):
    return {"value": str(value), "unit": "Wh", "measurand": "Energy.Active.Import.Register"}


def kwh(value):
    return {"value": f"{value / 1000:.3f}", "unit": "kWh", "measurand": "Energy.Active.Import.Register"}


@pytest.mark.parametrize("register", [wh, kwh])
async def test_a_session_from_the_plug_to_the_record_of_the_partner(house, partner, register):
    site = await set_up(house, partner, **PRICES)
    began = ago(minutes=60)

    def after(minutes):
        return began + timedelta(minutes=minutes)

    async with connected(house, site.station) as station:
        assert (await station.boot()).status == "Accepted"
        await station.status(1, "Preparing")
        assert await station.authorize(site.tag) == "Accepted"
        number = await station.start_charging(site.tag, began, 100_000)
        session_id = (await house.admin.transaction(site.station, number))["session_id"]
        await until(lambda: session_id in partner.ledger.sessions)
        assert partner.ledger.sessions[session_id].to_wire()["status"] == "ACTIVE"
        for minutes, energy in ((15, 102_000), (30, 104_125), (45, 106_250)):
            await station.meter(number, sample(after(minutes), register(energy)))
        await station.status(1, "SuspendedEV", after(45))
        stopped = await station.end(number, after(60), 106_250, site.tag, reason="EVDisconnected")
        assert stopped.id_tag_info["status"] == "Accepted"
        cdr = await partner.cdr(session_id)
        await station.status(1, "Available")
        await until(lambda: partner.evse_status(site) == "AVAILABLE")

    assert {name: cdr[name] for name in EXPECTED} == EXPECTED
    assert (cdr["start_date_time"], cdr["end_date_time"]) == (stamp(began), stamp(after(60)))
    assert cdr["cdr_token"]["uid"] == site.tag
    assert cdr["cdr_token"]["contract_id"] == f"DE-EMS-C{site.tag}"
    assert cdr["cdr_location"]["evse_id"].startswith("NL*VBR*E")
    assert [each["id"] for each in cdr["tariffs"]] == [site.tariff]
    assert cdr["meter_id"] == "M-1"

    sessions = partner.messages("sessions", session_id)
    assert sessions[0].method == "PUT"
    assert sessions[-1].body["status"] == "COMPLETED"
    assert [each.body["kwh"] for each in sessions if "kwh" in each.body] == sorted(
        each.body["kwh"] for each in sessions if "kwh" in each.body
    )
    assert all("charging_periods" not in each.body for each in sessions if each.method == "PATCH")
    posts = partner.messages("cdrs", session_id)
    assert len(posts) == 1
    assert posts[0].at >= sessions[-1].at


async def test_what_was_pushed_is_what_can_be_pulled(house, partner):
    site = await set_up(house, partner)
    began = ago(minutes=20)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 500)
        await station.status(1, "Charging")
        await station.end(number, began + timedelta(minutes=19), 3500, site.tag)
        session_id = (await house.admin.transaction(site.station, number))["session_id"]
        cdr = await partner.cdr(session_id)
        await station.status(1, "Finishing")
        await until(lambda: partner.evse_status(site) == "CHARGING")

        for module, object_id, pushed in (
            (ModuleId.TARIFFS, site.tariff, partner.ledger.tariffs),
            (ModuleId.LOCATIONS, site.location, partner.ledger.locations),
            (ModuleId.SESSIONS, session_id, partner.ledger.sessions),
            (ModuleId.CDRS, cdr["id"], partner.ledger.cdrs),
        ):
            pulled = await partner.pull(module)
            assert pulled[object_id] == pushed[object_id].to_wire()


async def test_a_driver_of_our_own_is_billed_and_no_partner_hears_of_it(house, partner):
    site = await set_up(house)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=30), 0)
        await station.end(number, ago(minutes=0), 5000, site.tag)
    cdr = await house.admin.cdr(site.station)

    assert (cdr["state"], cdr["total_cost"]["excl_vat"]) == ("issued", 2)
    assert cdr["id"] not in await partner.pull(ModuleId.CDRS)
    assert partner.messages("sessions", cdr["session_id"]) == []
    assert partner.messages("cdrs", cdr["session_id"]) == []


async def test_two_sockets_of_one_station_charge_two_cars_at_the_same_time(house, partner):
    site = await set_up(house, partner, sockets=2)
    other = f"{site.tag}B"
    await partner.give_token(other)
    began = ago(minutes=30)
    async with connected(house, site.station) as station:
        first = await station.start_charging(site.tag, began, 1000, connector=1)
        second = await station.start_charging(other, began, 9000, connector=2)
        assert first != second
        await station.meter(first, sample(began + timedelta(minutes=10), 2000), connector=1)
        await station.meter(second, sample(began + timedelta(minutes=10), 9500), connector=2)
        await station.status(1, "Charging")
        await station.status(2, "SuspendedEVSE")
        await station.end(second, began + timedelta(minutes=25), 10_000, other)
        await station.end(first, began + timedelta(minutes=29), 5000, site.tag)
        billed = {}
        for number in (first, second):
            session_id = (await house.admin.transaction(site.station, number))["session_id"]
            cdr = await partner.cdr(session_id)
            billed[cdr["cdr_token"]["uid"]] = (cdr["cdr_location"]["evse_uid"], cdr["total_energy"])
    assert billed == {site.tag: (site.evse(1), 4), other: (site.evse(2), 1)}
