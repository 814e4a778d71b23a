"""Charging preferences of a driver: who may have them, and what can be promised."""

from datetime import UTC, datetime
from typing import Any

from ocpi.wire.sessions import ChargingPreferences
from tests.flows.house import House
from tests.flows.partner import Partner
from tests.flows.site import Site, location, set_up
from tests.flows.station import ago, connected

CAPABLE = ["CHARGING_PREFERENCES_CAPABLE"]


async def prefer(partner: Partner, session: str, profile: str) -> tuple[int, int | None, Any]:
    """HTTP status, OCPI status and data of the answer."""
    preferences = ChargingPreferences.model_validate({"profile_type": profile})
    answer = await partner.do(partner.emsp.prefer(session, preferences))
    return answer.http_status, answer.status_code, answer.data or None


async def make_capable(house: House, site: Site) -> None:
    """Let the EVSE of a site take preferences."""
    place = location(site.location[1:], site.tariff)
    place["evses"][0]["capabilities"] = CAPABLE
    await house.admin.put(f"locations/{site.location}", place)


async def test_preferences(house: House, partner: Partner, new_partner: Any) -> None:
    site = await set_up(house, partner)
    other = new_partner("PRF", "FR")
    await other.register(house)
    async with connected(house, site.station) as station:
        await station.boot()
        number = await station.start_charging(site.tag, ago(minutes=1))
        incapable = (await house.admin.transaction(site.station, number))["session_id"]
        assert await prefer(partner, incapable, "FAST") == (404, 2001, None)
        await station.end(number, datetime.now(UTC), 1000)

        await make_capable(house, site)
        number = await station.start_charging(site.tag, ago(seconds=1))
        session = (await house.admin.transaction(site.station, number))["session_id"]
        assert await prefer(partner, session, "FAST") == (200, 1000, "ACCEPTED")
        assert await prefer(partner, session, "GREEN") == (200, 1000, "PROFILE_TYPE_NOT_SUPPORTED")
        assert await prefer(other, session, "FAST") == (404, 2000, None)
        assert await prefer(partner, "NONE", "FAST") == (404, 2000, None)
        await station.end(number, datetime.now(UTC), 2000)
        assert await prefer(partner, session, "FAST") == (200, 1000, "NOT_POSSIBLE")
