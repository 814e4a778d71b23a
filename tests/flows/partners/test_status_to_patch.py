"""A station says what its connector does, and partners see it at once."""

from tests.flows.house import until
from tests.flows.site import set_up
from tests.flows.station import connected


async def test_charging_is_one_patch_at_the_right_url_with_the_right_headers(house, partner):
    site = await set_up(house, partner)
    await partner.catch_up(house)  # told of the place first, then of its status alone
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Charging")
        await until(lambda: partner.evse_status(site) == "CHARGING", 5)

    patch = partner.messages("locations", site.location)[-1]
    assert (patch.method, patch.path) == (
        "PATCH",
        f"/ocpi/2.2.1/receiver/locations/NL/VBR/{site.location}/{site.evse()}",
    )
    assert set(patch.body) == {"status", "last_updated"}
    assert patch.body["status"] == "CHARGING"
    assert patch.body["last_updated"].endswith("Z")
    headers = {
        name: patch.headers[name] for name in patch.headers if name.startswith(("ocpi-", "content-type"))
    }
    assert headers == {
        "ocpi-from-country-code": "NL",
        "ocpi-from-party-id": "VBR",
        "ocpi-to-country-code": "DE",
        "ocpi-to-party-id": "EMS",
        "content-type": "application/json",
    }
    assert patch.headers["x-request-id"]
    assert patch.headers["x-correlation-id"]
