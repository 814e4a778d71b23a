"""What stations' meters really send: units, phases, registers that restart, odd first samples, signed values."""

from datetime import timedelta

import pytest

from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import ago, connected, sample, stamp, wire


class Charging:
    """A session of one hour that has begun at 1 000 Wh, with what its partner sees."""

    def __init__(self, house, partner, site, station, began):
        self.house, self.partner, self.site, self.station, self.began = house, partner, site, station, began

    async def begin(self, wh=1000):
        self.number = await self.station.start_charging(self.site.tag, self.began, wh)
        transaction = await self.house.admin.transaction(self.site.station, self.number)
        self.session_id = transaction["session_id"]

    def after(self, minutes):
        return self.began + timedelta(minutes=minutes)

    async def meter(self, minutes, *values, number=None):
        await self.station.meter(number or self.number, sample(self.after(minutes), *values))

    async def energy(self):
        """The energy so far (Wh), as the operator sees it."""
        return (await self.house.admin.transaction(self.site.station, self.number))["energy_wh"]

    async def end(self, wh, minutes=60, **more):
        await self.station.end(self.number, self.after(minutes), wh, self.site.tag, **more)
        return await self.house.admin.cdr(self.site.station)


@pytest.fixture
async def charging(house, partner):
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        session = Charging(house, partner, site, station, ago(minutes=90))
        await session.begin()
        yield session


async def test_row_10_meter_values_without_a_number_belong_to_the_session_at_the_connector(charging):
    await charging.station.meter(None, sample(charging.after(10), 3000))
    assert await charging.energy() == 2000
    # Before the session began, or under another's number: not ours.
    await charging.station.meter(None, sample(charging.after(-10), 9000))
    await charging.station.meter(charging.number + 1, sample(charging.after(20), 9000))
    assert await charging.energy() == 2000


async def test_row_11_kwh_and_wh_are_told_apart_per_sample(charging):
    await charging.meter(10, {"value": "1.5", "unit": "kWh"})
    assert await charging.energy() == 500
    await charging.meter(20, {"value": "2250.5", "unit": "Wh"})
    assert await charging.energy() == 1250.5
    cdr = await charging.end(4000)
    assert (cdr["state"], cdr["total_energy"]) == ("issued", 3)


async def test_row_12_a_bare_value_is_the_register_in_wh(charging):
    await charging.station.meter(
        charging.number, {"timestamp": stamp(charging.after(5)), "sampledValue": [{"value": "1750"}]}
    )
    assert await charging.energy() == 750


async def test_row_13_one_phase_is_never_the_total(charging):
    def phase(name, value):
        return {"value": str(value), "phase": name, "measurand": "Energy.Active.Import.Register"}

    await charging.meter(10, phase("L1", 1200))
    assert await charging.energy() == 0
    await charging.meter(20, phase("L1", 400), phase("L2", 400), phase("L3", 700))
    assert await charging.energy() == 500
    await charging.meter(30, {"value": "2000"}, phase("L1", 9000), phase("L2", 9000), phase("L3", 9000))
    assert await charging.energy() == 1000


async def test_row_14_samples_that_restart_with_each_session_make_no_negative_energy(charging):
    for minutes, value in ((10, 0), (20, 400), (30, 800)):
        await charging.meter(minutes, value)
        assert await charging.energy() >= 0
    cdr = await charging.end(3500)
    # Start and stop are of one register, and the samples lead to what lies between them.
    assert (cdr["state"], cdr["reason"], cdr["total_energy"]) == ("issued", None, 2.5)


async def test_row_14_a_start_at_zero_with_an_absolute_register_is_not_billed_from_zero(house, partner):
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        session = Charging(house, partner, site, station, ago(minutes=90))
        await session.begin(wh=0)
        for minutes, value in ((10, 84_501_000), (20, 84_502_000), (50, 84_504_000)):
            await session.meter(minutes, value)
        cdr = await session.end(84_505_000)
    assert (cdr["state"], cdr["reason"]) == ("held", "absurd_energy")
    assert cdr["total_energy"] == 4


async def test_row_15_a_meter_that_was_changed_is_counted_on_and_its_record_held(charging):
    for minutes, value in ((10, 3000), (20, 10), (25, 400), (30, 800), (40, 1510)):
        await charging.meter(minutes, value)
    assert await charging.energy() == 3500
    cdr = await charging.end(2010)
    assert (cdr["state"], cdr["reason"], cdr["total_energy"]) == ("held", "meter_reset", 3.5)


async def test_row_15_one_odd_reading_changes_nothing(charging):
    for minutes, value in ((10, 3000), (20, 10), (30, 4000)):
        await charging.meter(minutes, value)
    cdr = await charging.end(5000)
    assert (cdr["state"], cdr["total_energy"]) == ("issued", 4)


async def test_row_16_an_interval_sent_twice_counts_once(charging):
    interval = {"value": "500", "measurand": "Energy.Active.Import.Interval", "unit": "Wh"}
    for minutes in (15, 15, 30, 30):
        await charging.meter(minutes, interval)
    assert await charging.energy() == 1000


async def test_row_17_power_alone_does_not_set_the_energy_back(charging):
    await charging.meter(10, 2500)
    await charging.meter(20, {"value": "11.0", "measurand": "Power.Active.Import", "unit": "kW"})
    await charging.meter(25, {"value": "63", "measurand": "SoC", "unit": "Percent"})
    await charging.meter(30, {"value": "2600", "context": "Trigger"})
    assert await charging.energy() == 1600
    await until(lambda: charging.session_id in charging.partner.ledger.sessions)
    told = [
        m.body["kwh"] for m in charging.partner.messages("sessions", charging.session_id) if "kwh" in m.body
    ]
    assert told == sorted(told)
    assert (await charging.end(2600))["total_energy"] == 1.6


def ocmf(kind, wh):
    reading = f'{{"TM":"2026-11-20T10:00:00,000+0100 S","TX":"{kind}","RV":{wh},"RI":"1-b:1.8.0","RU":"Wh"}}'
    return f'OCMF|{{"FV":"1.0","RD":[{reading}]}}|{{"SD":"3044022058b1"}}'


def signed(kind, wh):
    return {
        "value": ocmf(kind, wh),
        "format": "SignedData",
        "context": {"B": "Transaction.Begin", "E": "Transaction.End"}[kind],
    }


@pytest.mark.parametrize("where", ["stop", "meter values"])
async def test_row_18_signed_values_reach_the_record_byte_for_byte(charging, where):
    begin = {"timestamp": stamp(charging.after(0)), "sampledValue": [signed("B", 1000)]}
    end = {"timestamp": stamp(charging.after(60)), "sampledValue": [signed("E", 6000)]}
    if where == "stop":
        await charging.end(6000, transaction_data=[begin, end])
    else:
        await charging.station.meter(charging.number, begin)
        await charging.station.meter(charging.number, end)
        await charging.end(6000)
    cdr = await charging.partner.cdr(charging.session_id)
    assert cdr["signed_data"]["encoding_method"] == "OCMF"
    values = cdr["signed_data"]["signed_values"]
    assert [(each["nature"], each["signed_data"]) for each in values] == [
        ("Start", ocmf("B", 1000)),
        ("End", ocmf("E", 6000)),
    ]


@pytest.mark.parametrize(
    "stop", [-5, 10**15, 900_000_000], ids=["negative", "beyond any meter", "more than the socket can give"]
)
async def test_absurd_energy_is_acknowledged_and_never_billed_unseen(charging, stop):
    await charging.meter(10, 2000)
    await charging.meter(20, -4)
    await charging.meter(30, {"value": "1e30"})
    await charging.meter(40, {"value": "NaN"})
    cdr = await charging.end(stop)
    assert cdr["state"] == "held"
    assert cdr["reason"] in ("absurd_energy", "meter_reset")
    assert 0 <= cdr["total_energy"] <= 1
    assert charging.partner.cdrs(charging.session_id) == []


async def test_row_29_a_clock_that_lost_its_time_costs_no_session(house, partner):
    for began, ended in (
        ("1970-01-01T00:00:07Z", "1970-01-01T01:00:07Z"),
        ("2099-06-01T12:00:00Z", "2099-06-01T13:00:00Z"),
        (stamp(ago(days=-366)), stamp(ago(days=-366, hours=-1))),
        ("yesterday", "today"),
    ):
        site = await set_up(house, partner)
        async with wire(house, site.station) as station:
            start = {"connectorId": 1, "idTag": site.tag, "meterStart": 0, "timestamp": began}
            answer = await station.call("StartTransaction", start)
            assert answer["idTagInfo"]["status"] == "Accepted"
            stop = {"transactionId": answer["transactionId"], "meterStop": 1500, "timestamp": ended}
            assert await station.call("StopTransaction", stop) == {}
        transaction = await house.admin.transaction(site.station, answer["transactionId"])
        assert "clock" in transaction["flags"]
        assert transaction["stopped_at"][:4] == str(ago().year)
        cdr = await partner.cdr(transaction["session_id"])
        assert (cdr["total_energy"], cdr["end_date_time"][:4]) == (1.5, str(ago().year))


async def test_row_29_a_time_without_zone_is_utc_and_noted(house, partner):
    site = await set_up(house, partner)
    began = ago(minutes=70)
    async with wire(house, site.station) as station:
        plain = began.strftime("%Y-%m-%dT%H:%M:%S")
        start = {"connectorId": 1, "idTag": site.tag, "meterStart": 0, "timestamp": plain}
        number = (await station.call("StartTransaction", start))["transactionId"]
    transaction = await house.admin.transaction(site.station, number)
    assert transaction["started_at"] == stamp(began)
    assert (await house.admin.frames(site.station))[0]["deviations"] == ["timestamp without zone"]


async def test_row_29_a_clock_set_back_in_between_costs_no_session(house, partner):
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        number = await station.start_charging(site.tag, ago(minutes=10), 0)
        await station.end(number, ago(hours=9), 800, site.tag)
    transaction = await house.admin.transaction(site.station, number)
    assert "clock" in transaction["flags"]
    cdr = await partner.cdr(transaction["session_id"])
    assert cdr["total_energy"] == 0.8
    assert cdr["end_date_time"] >= cdr["start_date_time"]
