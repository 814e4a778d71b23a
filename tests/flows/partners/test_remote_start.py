"""A driver's app starts and stops charging: from START_SESSION to the CDR, and everything that can come of it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from ocpi.simulator import FaultKind
from ocpi.wire.commands import CommandType
from tests.flows.house import House, until
from tests.flows.partner import Partner
from tests.flows.site import Site, fresh, set_up
from tests.flows.station import ago, connected, sample, stamp, wire

LONG = "0123456789abcdef0123456789abcdef0123"


async def start(partner: Partner, site: Site, token: Any, **more: Any) -> Any:
    """START_SESSION at the first EVSE of a site."""
    fields = {"token": token, "location_id": site.location, "evse_uid": site.evse()} | more
    return await partner.command(CommandType.START_SESSION, **fields)


async def is_offline(house: House, site: Site) -> bool:
    """Whether the house has noticed that the station is gone."""
    return not (await house.admin.get(f"stations/{site.station}"))["online"]


def session_of(partner: Partner, token: Any) -> Any:
    """The partner's one session of a token, or None."""
    found = [each for each in list(partner.ledger.sessions.values()) if each.cdr_token.uid == token.uid]
    assert len(found) <= 1, found
    return found[0] if found else None


async def in_state(partner: Partner, token: Any, status: str) -> Any:
    """The session of a token, as soon as it has this status."""

    def ready() -> Any:
        found = session_of(partner, token)
        return found if found is not None and str(found.status) == status else None

    return await until(ready)


async def test_a_long_uid_from_the_app_to_the_cdr(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"{fresh()}-{LONG}"[:36])
    assert len(token.uid) == 36
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await start(partner, site, token, authorization_reference="REF-1")
        assert sent.response is not None
        assert (str(sent.response.result), sent.response.timeout) == ("ACCEPTED", 3)
        told = await station.told("RemoteStartTransaction")
        assert (len(told["id_tag"]), told["connector_id"]) == (20, 1)
        assert await partner.result(sent) == "ACCEPTED"
        pending = await in_state(partner, token, "PENDING")
        assert (pending.evse_uid, str(pending.auth_method)) == (site.evse(), "COMMAND")

        assert await station.authorize(told["id_tag"]) == "Accepted"
        began = ago(minutes=0)
        number = await station.start_charging(told["id_tag"], began)
        active = await in_state(partner, token, "ACTIVE")
        assert (active.id, active.start_date_time) == (pending.id, began)
        assert active.authorization_reference == "REF-1"

        stop = await partner.command(CommandType.STOP_SESSION, session_id=active.id)
        assert await partner.result(stop) == "ACCEPTED"
        assert (await station.told("RemoteStopTransaction"))["transaction_id"] == number
        ended = await station.end(number, datetime.now(UTC), 4000, told["id_tag"], reason="Remote")
        assert ended.id_tag_info["status"] == "Accepted"
        cdr = await partner.cdr(active.id)
    assert cdr["cdr_token"]["uid"] == token.uid
    assert (cdr["auth_method"], cdr["authorization_reference"], cdr["total_energy"]) == (
        "COMMAND",
        "REF-1",
        4,
    )
    assert partner.emsp.asked.count(token.uid) == 0


async def test_a_short_card_is_sent_as_it_is_and_never_asked_for(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    card = partner.token(f"C{fresh()}", type="RFID", whitelist="NEVER")
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await start(partner, site, card)
        assert (await station.told("RemoteStartTransaction"))["id_tag"] == card.uid
        assert await partner.result(sent) == "ACCEPTED"
        assert await station.authorize(card.uid) == "Accepted"
        await station.start_charging(card.uid, ago(seconds=1))
        await in_state(partner, card, "ACTIVE")
    assert card.uid not in partner.emsp.asked


async def test_one_driver_starts_two_cars_side_by_side(house: House, partner: Partner) -> None:
    """Each start finds the session that was announced for its EVSE, whichever comes first."""
    site = await set_up(house, partner, sockets=2)
    token = partner.token(f"TWO{fresh()}")

    def announced(status: str) -> dict[str, str]:
        known = [each for each in partner.ledger.sessions.values() if each.cdr_token.uid == token.uid]
        return {str(each.evse_uid): each.id for each in known if str(each.status) == status}

    async with connected(house, site.station) as station:
        await station.boot()
        tags = []
        for connector in (1, 2):
            sent = await start(
                partner,
                site,
                token,
                evse_uid=site.evse(connector),
                authorization_reference=f"REF-{connector}",
            )
            assert await partner.result(sent) == "ACCEPTED"
            tags.append((await station.told("RemoteStartTransaction"))["id_tag"])
        assert tags[0] == tags[1]
        await until(lambda: len(announced("PENDING")) == 2)
        pending = announced("PENDING")
        for connector in (1, 2):
            await station.start_charging(tags[0], ago(seconds=1), connector=connector)
        await until(lambda: announced("ACTIVE") == pending)
    references = {str(s.evse_uid): s.authorization_reference for s in partner.ledger.sessions.values()}
    assert {site.evse(1): "REF-1", site.evse(2): "REF-2"}.items() <= references.items()


@pytest.mark.parametrize(("says", "result"), [("Rejected", "REJECTED"), ("Sideways", "FAILED")])
async def test_what_the_station_says_decides(house: House, partner: Partner, says: str, result: str) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with connected(house, site.station) as station:
        await station.boot()
        if says == "Sideways":
            station.route_map.pop("RemoteStartTransaction")
            result = "NOT_SUPPORTED"
        station.says["RemoteStartTransaction"] = says
        sent = await start(partner, site, token)
        assert await partner.result(sent) == result
    assert session_of(partner, token) is None


async def test_a_start_that_nobody_follows_becomes_invalid_and_is_revived(
    house: House, partner: Partner
) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with connected(house, site.station) as station:
        await station.boot()
        await partner.result(await start(partner, site, token))
        tag = (await station.told("RemoteStartTransaction"))["id_tag"]
        given_up = await in_state(partner, token, "INVALID")
        await station.start_charging(tag, ago(seconds=0))
        assert (await in_state(partner, token, "ACTIVE")).id == given_up.id


async def test_silence_is_told_once_and_a_late_yes_still_becomes_a_session(
    house: House, partner: Partner
) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with connected(house, site.station) as station:
        await station.boot()
        station.pauses["RemoteStartTransaction"] = 4.5
        sent = await start(partner, site, token)
        assert await partner.result(sent) == "TIMEOUT"
        assert session_of(partner, token) is None
        await in_state(partner, token, "PENDING")
        tag = (await station.told("RemoteStartTransaction"))["id_tag"]
        await station.start_charging(tag, ago(seconds=0))
        await in_state(partner, token, "ACTIVE")
    assert await partner.result(sent) == "TIMEOUT"


async def test_the_start_may_come_without_any_answer(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with wire(house, site.station) as station:
        await station.call("BootNotification", {"chargePointVendor": "V", "chargePointModel": "M"})
        sent = await start(partner, site, token)
        asked = json.loads(await station.socket.recv())
        assert asked[2] == "RemoteStartTransaction"
        began = {
            "connectorId": 1,
            "idTag": asked[3]["idTag"],
            "meterStart": 0,
            "timestamp": stamp(ago(seconds=0)),
        }
        answer = await station.call("StartTransaction", began)
        assert answer["idTagInfo"]["status"] == "Accepted"
        active = await in_state(partner, token, "ACTIVE")
        assert await partner.result(sent) == "TIMEOUT"
        ended = {
            "transactionId": answer["transactionId"],
            "meterStop": 1000,
            "timestamp": stamp(ago(seconds=0)),
        }
        await station.call("StopTransaction", ended)
        assert (await partner.cdr(active.id))["auth_method"] == "COMMAND"


async def test_a_restart_ends_what_was_under_way(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with connected(house, site.station) as station:
        await station.boot()
        station.pauses["RemoteStartTransaction"] = 60.0
        sent = await start(partner, site, token)
        tag = (await station.told("RemoteStartTransaction"))["id_tag"]
        await house.restart()
    assert await partner.result(sent) == "TIMEOUT"
    async with connected(house, site.station) as station:
        await station.boot()
        await station.start_charging(tag, ago(seconds=0))
        await in_state(partner, token, "ACTIVE")
        assert station.heard == []


async def test_refusals_at_once(house: House, partner: Partner, new_partner: Any) -> None:
    site = await set_up(house, partner, sockets=2)
    token = partner.token(f"A{fresh()}")
    offline = await start(partner, site, token)
    assert offline.response is not None
    assert (str(offline.response.result), offline.response.message[0].text) == (
        "REJECTED",
        "the station is not connected",
    )
    elsewhere = await start(partner, site, token, location_id="NOWHERE")
    assert (elsewhere.answer.http_status, elsewhere.answer.status_code) == (200, 2003)
    assert str(elsewhere.response.result) == "REJECTED"
    stranger = await start(partner, site, partner.token("X1", party_id="XXX"))
    assert (stranger.answer.status_code, str(stranger.response.result)) == (1000, "REJECTED")
    ghost = await start(partner, site, token, evse_uid="GHOST")
    assert ghost.answer.status_code == 2003
    nowhere = await start(partner, site, token, response_url="ftp://example.com/x")
    assert nowhere.answer.status_code == 2001
    unknown = await partner.command(CommandType.STOP_SESSION, session_id="NONE")
    assert str(unknown.response.result) == "UNKNOWN_SESSION"
    assert partner.emsp.commander.results.keys().isdisjoint(
        each.uid for each in (offline, elsewhere, stranger, ghost, nowhere, unknown)
    )


async def test_several_stations_need_an_evse(house: House, partner: Partner) -> None:
    site = await set_up(house, partner, sockets=2)
    token = partner.token(f"A{fresh()}")
    second = f"{site.station}-B"
    link = {"evse": 1, "connector": 1, "evse_uid": site.evse(2), "connector_id": "1"}
    first = link | {"evse_uid": site.evse(1)}
    await house.admin.put(f"stations/{site.station}", {"location_id": site.location, "connectors": [first]})
    await house.admin.put(f"stations/{second}", {"location_id": site.location, "connectors": [link]})
    sent = await partner.command(CommandType.START_SESSION, token=token, location_id=site.location)
    assert (sent.answer.status_code, str(sent.response.result)) == (2001, "REJECTED")
    assert "evse_uid" in (sent.answer.status_message or "")


async def test_an_evse_in_use_is_occupied_for_others(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        await station.boot()
        await station.start_charging(site.tag, ago(minutes=1))
        sent = await start(partner, site, partner.token(f"A{fresh()}"))
        assert str(sent.response.result) == "ACCEPTED"
        assert await partner.result(sent) == "EVSE_OCCUPIED"
        assert station.heard == []


async def test_sessions_of_others_are_not_stopped(house: House, partner: Partner) -> None:
    site = await set_up(house)
    async with connected(house, site.station) as station:
        await station.boot()
        number = await station.start_charging(site.tag, ago(minutes=1))
        theirs = (await house.admin.transaction(site.station, number))["session_id"]
        sent = await partner.command(CommandType.STOP_SESSION, session_id=theirs)
        assert str(sent.response.result) == "REJECTED"
        assert station.heard == []


async def test_a_dead_response_url_costs_three_tries_and_nothing_else(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    token = partner.token(f"A{fresh()}")
    async with connected(house, site.station) as station:
        await station.boot()

        async def dead() -> Any:
            every = await house.admin.get("deliveries", partner=partner.id, state="dead")
            return [each for each in every if "command" in each["object"]]

        partner.faults.always(FaultKind.HTTP_500, module="commands")
        try:
            sent = await start(partner, site, token)
            await in_state(partner, token, "PENDING")
            assert await until(dead, 20)
        finally:
            partner.faults.heal()
        assert sent.uid not in partner.emsp.commander.results


async def test_an_operators_start_and_stop_go_the_same_way(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    async with connected(house, site.station) as station:
        await station.boot()
        began = await house.admin.post(f"stations/{site.station}/start", {"connector": 1, "token": site.tag})
        assert (began["result"], len(began["command_id"])) == ("ACCEPTED", 36)
        number = await station.start_charging(site.tag, ago(seconds=0))
        ref = (await house.admin.transaction(site.station, number))["ref"]
        await station.meter(number, sample(ago(seconds=0), 500))
        assert (await house.admin.post(f"transactions/{ref}/stop"))["result"] == "ACCEPTED"
        again = await house.admin.post(f"stations/{site.station}/start", {"connector": 1, "token": site.tag})
        assert again["result"] == "EVSE_OCCUPIED"
        station.says["RemoteStopTransaction"] = "Rejected"
        assert (await house.admin.post(f"transactions/{ref}/stop"))["result"] == "REJECTED"
    unknown = await house.admin.ask(
        "POST", f"stations/{site.station}/start", json={"connector": 1, "token": "NOBODY"}
    )
    assert unknown.status_code == 422
    await until(lambda: is_offline(house, site))
    offline = await house.admin.ask("POST", f"transactions/{ref}/stop")
    assert offline.status_code == 409


async def test_unlock(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    where = {"location_id": site.location, "evse_uid": site.evse(), "connector_id": "1"}
    async with connected(house, site.station) as station:
        await station.boot()
        for says, result in (
            ("Unlocked", "ACCEPTED"),
            ("UnlockFailed", "FAILED"),
            ("NotSupported", "NOT_SUPPORTED"),
        ):
            station.says["UnlockConnector"] = says
            assert (
                await partner.result(await partner.command(CommandType.UNLOCK_CONNECTOR, **where)) == result
            )
