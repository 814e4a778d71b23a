"""A driver reserves: names that partners choose, our numbers at the station, use, cancellation, expiry."""

from datetime import UTC, datetime, timedelta
from typing import Any

from ocpp.v16 import call

from ocpi.wire.commands import CommandType
from tests.flows.house import House, until
from tests.flows.partner import Partner
from tests.flows.site import Site, fresh, set_up
from tests.flows.station import ago, connected, stamp


async def reserve(partner: Partner, site: Site, token: Any, name: str, **more: Any) -> Any:
    """RESERVE_NOW for ten minutes."""
    fields = {
        "token": token,
        "location_id": site.location,
        "evse_uid": site.evse(),
        "reservation_id": name,
        "expiry_date": datetime.now(UTC) + timedelta(minutes=10),
    }
    return await partner.command(CommandType.RESERVE_NOW, **(fields | more))


async def reservation(house: House, name: str) -> Any:
    """The newest reservation of this name, as the operator sees it."""
    return next(each for each in await house.admin.get("reservations") if each["reservation_id"] == name)


async def test_reserved_and_used(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    token, name = partner.token(f"A{fresh()}", group_id="FLEET-7"), f"R{fresh()}"
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await reserve(partner, site, token, name, authorization_reference="REF-R")
        assert await partner.result(sent) == "ACCEPTED"
        asked = await station.told("ReserveNow")
        assert (asked["connector_id"], len(asked["id_tag"])) == (1, 20)
        assert asked["parent_id_tag"] == "FLEET-7"
        assert str(asked["reservation_id"]) != name
        found = await reservation(house, name)
        assert (found["state"], found["number"]) == ("active", asked["reservation_id"])
        await station.status(1, "Reserved")
        await until(lambda: partner.evse_status(site) == "RESERVED")

        began = await station.say(
            call.StartTransaction(
                1, asked["id_tag"], 0, stamp(ago(seconds=0)), reservation_id=asked["reservation_id"]
            )
        )
        assert began.id_tag_info["status"] == "Accepted"
        assert (await reservation(house, name))["state"] == "used"
        transaction = await house.admin.transaction(site.station, int(began.transaction_id))
        session = transaction["session_id"]
        seen = await until(lambda: partner.ledger.sessions.get(session))
        assert (seen.cdr_token.uid, seen.authorization_reference) == (token.uid, "REF-R")


async def test_the_same_name_replaces_and_other_partners_names_are_theirs(
    house: House, partner: Partner, new_partner: Any
) -> None:
    site = await set_up(house, partner)
    second = new_partner("RSV", "FR")
    await second.register(house)
    name = f"R{fresh()}"
    async with connected(house, site.station) as station:
        await station.boot()
        await partner.result(await reserve(partner, site, partner.token(f"A{fresh()}"), name))
        first = (await station.told("ReserveNow"))["reservation_id"]
        foreign = await second.command(CommandType.CANCEL_RESERVATION, reservation_id=name)
        assert await second.result(foreign) == "UNKNOWN_RESERVATION"
        await partner.result(await reserve(partner, site, partner.token(f"A{fresh()}"), name))
        numbers = [given["reservation_id"] for action, given in station.heard if action == "ReserveNow"]
        assert numbers == [first, first]
        await second.result(await reserve(second, site, second.token(f"A{fresh()}"), name))
        assert (await station.told("ReserveNow"))["reservation_id"] != first

        sent = await partner.command(CommandType.CANCEL_RESERVATION, reservation_id=name)
        assert await partner.result(sent) == "ACCEPTED"
        assert (await station.told("CancelReservation"))["reservation_id"] == first
        again = await partner.command(CommandType.CANCEL_RESERVATION, reservation_id=name)
        assert await partner.result(again) == "UNKNOWN_RESERVATION"


async def test_what_the_station_says_of_a_reservation(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    words = {
        "Occupied": "EVSE_OCCUPIED",
        "Faulted": "EVSE_INOPERATIVE",
        "Unavailable": "EVSE_INOPERATIVE",
        "Rejected": "REJECTED",
    }
    async with connected(house, site.station) as station:
        await station.boot()
        for says, result in words.items():
            station.says["ReserveNow"] = says
            name = f"R{fresh()}"
            assert await partner.result(await reserve(partner, site, partner.token("A1"), name)) == result
            assert (await reservation(house, name))["state"] == "rejected"
        past = await reserve(
            partner, site, partner.token("A1"), "R1", expiry_date=datetime.now(UTC) - timedelta(minutes=1)
        )
        assert past.answer.status_code == 2001


async def test_we_give_up_a_reservation_and_its_driver_hears_of_it(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    name = f"R{fresh()}"
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await reserve(partner, site, partner.token(f"A{fresh()}"), name)
        assert await partner.result(sent) == "ACCEPTED"
        number = (await reservation(house, name))["number"]
        answer = await house.admin.ask("DELETE", f"reservations/{number}")
        assert answer.json()["result"] == "ACCEPTED"
        results = partner.emsp.commander.results[sent.uid]
        await until(lambda: len(results) == 2)
        assert str(results[1].result) == "CANCELED_RESERVATION"
        assert (await house.admin.ask("DELETE", f"reservations/{number}")).status_code == 409
    assert (await house.admin.ask("DELETE", "reservations/1")).status_code == 404
