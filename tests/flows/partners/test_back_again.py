"""Stations that come back: those that say nothing of their connectors are asked, where they can be."""

import asyncio
from typing import Any

from tests.flows.house import House, until
from tests.flows.site import Site, give_own_token, set_up
from tests.flows.station import connected

DELAY = 4.0


def triggered(station: Any) -> list[Any]:
    return [given for name, given in station.heard if name == "TriggerMessage"]


async def first_visit(house: House, site: Site) -> None:
    """It boots and reports; then its connection is lost."""
    async with connected(house, site.station) as station:
        await station.boot()
        await station.status(1, "Available")

    async def gone() -> bool:
        return not (await house.admin.get(f"stations/{site.station}"))["online"]

    await until(gone)


async def test_who_is_silent_is_asked_and_who_cannot_answer_is_not_asked_again(house: House) -> None:
    silent, talkative, simple = [await set_up(house) for _ in range(3)]
    for site in (silent, talkative, simple):
        await first_visit(house, site)
    async with (
        connected(house, silent.station) as quiet,
        connected(house, talkative.station) as chatty,
        connected(house, simple.station) as plain,
    ):
        plain.says["TriggerMessage"] = "NotImplemented"
        await chatty.status(1, "Charging")
        assert (await quiet.told("TriggerMessage")) == {"requested_message": "StatusNotification"}
        await plain.told("TriggerMessage")

        async def learned() -> bool:
            return (await house.admin.get(f"stations/{simple.station}"))["triggers"] is False

        await until(learned)
        assert (await house.admin.get(f"stations/{silent.station}"))["triggers"] is True
        assert triggered(chatty) == []
    async with connected(house, simple.station) as plain:
        await asyncio.sleep(DELAY + 2)
        assert triggered(plain) == []


async def test_cards_that_a_reader_tells_backwards(house: House) -> None:
    site = await set_up(house)
    await give_own_token(house, "04A1B2C3D4E5F6")
    async with connected(house, site.station) as station:
        await station.boot()
        assert await station.authorize("F6E5D4C3B2A104") == "Invalid"
        shown = await house.admin.get(f"stations/{site.station}")
        assert (shown["uid_order"], shown["uid_hint"]["shown"], shown["uid_hint"]["token"]) == (
            "as_read",
            "F6E5D4C3B2A104",
            "04A1B2C3D4E5F6",
        )
        why = await house.admin.get("tokens/F6E5D4C3B2A104/decision", station=site.station)
        assert (why["verdict"], why["backwards"]["token"]["uid"]) == ("Invalid", "04A1B2C3D4E5F6")
        # One click: what is shown is what has to be sent.
        done = await house.admin.ask("PATCH", f"stations/{site.station}", json=shown["uid_hint"]["set"])
        assert done.status_code == 200, done.text
        assert (done.json()["uid_order"], done.json()["uid_hint"]) == ("reversed", None)
        assert done.json()["location_id"] == site.location
        assert await station.authorize("F6E5D4C3B2A104") == "Accepted"
        assert await station.authorize("04A1B2C3D4E5F6") == "Invalid"
        why = await house.admin.get("tokens/F6E5D4C3B2A104/decision", station=site.station)
        assert (why["verdict"], why["token"]["uid"], why["backwards"]) == (
            "Accepted",
            "04A1B2C3D4E5F6",
            None,
        )
