"""A station that was offline for hours tells everything afterwards, each message twice under new message ids."""

from datetime import timedelta

from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, sample, stamp


async def test_a_replayed_session_is_billed_once_by_station_time(house, partner):
    site = await set_up(house, partner, ENERGY=0.40, TIME=2.00)
    began = ago(hours=7)
    ended = began + timedelta(hours=3)

    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Charging")
        await until(lambda: partner.evse_status(site) == "CHARGING")
        numbers = [await station.start_charging(site.tag, began, 2000) for _ in range(2)]
        assert numbers[0] == numbers[1] > 0
        for hours, energy in ((1, 9000), (2, 16_000)):
            for _ in range(2):
                await station.meter(numbers[0], sample(began + timedelta(hours=hours), energy))
        for _ in range(2):
            await station.end(numbers[0], ended, 22_000, site.tag)
        await station.status(1, "Available", ended)
        session_id = (await house.admin.transaction(site.station, numbers[0]))["session_id"]
        cdr = await partner.cdr(session_id)

        # 20 kWh x 0.40 + 3 h x 2.00
        assert (cdr["start_date_time"], cdr["end_date_time"]) == (stamp(began), stamp(ended))
        assert (cdr["total_energy"], cdr["total_time"], cdr["total_cost"]["excl_vat"]) == (20, 3, 14)
        transaction = await house.admin.transaction(site.station, numbers[0])
        assert transaction["flags"] == ["replayed"]
        assert len(await house.admin.cdrs(site.station)) == 1
        assert len(partner.messages("cdrs", session_id)) == 1
        # What the connector was hours ago is not what it is now.
        assert partner.evse_status(site) == "CHARGING"
        shown = (await house.admin.get(f"stations/{site.station}"))["connectors"][0]
        assert shown["status"] == "Charging"


async def test_a_session_that_went_offline_in_between_is_one_session(house, partner):
    site = await set_up(house, partner)
    began = ago(hours=2)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, began, 0)
        await station.meter(number, sample(began + timedelta(minutes=10), 1000))
    async with connected(house, site.station) as station:
        await station.boot()
        await station.meter(number, sample(began + timedelta(minutes=40), 5000))
        await station.end(number, began + timedelta(minutes=60), 8000, site.tag, reason="EVDisconnected")
    transaction = await house.admin.transaction(site.station, number)
    cdr = await partner.cdr(transaction["session_id"])
    assert (cdr["total_energy"], cdr["total_time"]) == (8, 1)
    assert {each["cause"] for each in transaction["interruptions"]} >= {"offline"}
