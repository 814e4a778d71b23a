"""What is going on now, in one answer."""

from app.domain.stations import Admission, SetUp, StatusReport
from app.domain.status import ConnectorStatus


async def test_an_empty_house_has_zeros(api):
    found = (await api.get("/statistics/now")).json()
    assert found == {
        "stations": {"accepted": 0, "online": 0, "pending": 0},
        "connectors": {},
        "transactions": 0,
        "faults": 0,
        "held_cdrs": 0,
        "deliveries": {"waiting": 0, "oldest_at": None, "dead": 0},
        "power_kw": 0,
    }


async def test_it_counts_what_is_connected_charging_faulted_and_waiting(api, house, site):
    await house.intake.report("CP8", SetUp(state=Admission.PENDING))
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, stop=False)
    await house.heard(line, StatusReport(evse=1, connector=1, status=ConnectorStatus.CHARGING))
    await house.heard(
        line, StatusReport(evse=2, connector=1, status=ConnectorStatus.FAULTED, error_code="GroundFailure")
    )
    found = (await api.get("/statistics/now")).json()
    assert found["stations"] == {"accepted": 1, "online": 1, "pending": 1}
    assert found["connectors"] == {"Charging": 1, "Faulted": 1}
    assert (found["transactions"], found["faults"]) == (1, 1)
    assert found["power_kw"] == 0  # its last reading is half an hour old


async def test_power_is_that_of_the_last_readings(api, house, site):
    line = await house.intake.connect("CP1", "1.6")
    await house.charge(line, stop=False)
    house.clock.advance(-1790)
    # 5 kWh within half an hour
    assert (await api.get("/statistics/now")).json()["power_kw"] == 10
