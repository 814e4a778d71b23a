"""Who may charge: every row of the table, with an eMSP that answers, refuses, is slow, or says nothing."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from ocpi.simulator import Fault, FaultKind
from ocpi.wire.commands import CommandType
from ocpi.wire.tokens import AllowedType
from tests.flows.house import House, until
from tests.flows.partner import Partner
from tests.flows.site import fresh, set_up
from tests.flows.station import ago, connected

DEADLINE = 1.5


async def give(partner: Partner, **changes: Any) -> Any:
    """A card that the house knows and its eMSP answers for."""
    token = await partner.give_token(f"K{fresh()}", **changes)
    partner.emsp.tokens.append(token)
    return token


@pytest.mark.parametrize(
    ("whitelist", "valid", "says", "verdict", "asked"),
    [
        ("ALWAYS", True, AllowedType.BLOCKED, "Accepted", 0),
        ("ALLOWED", True, AllowedType.BLOCKED, "Accepted", 0),
        ("ALLOWED_OFFLINE", True, AllowedType.ALLOWED, "Accepted", 1),
        ("ALLOWED_OFFLINE", True, AllowedType.BLOCKED, "Blocked", 1),
        ("NEVER", True, AllowedType.ALLOWED, "Accepted", 1),
        ("NEVER", True, AllowedType.EXPIRED, "Expired", 1),
        ("NEVER", True, AllowedType.NO_CREDIT, "Invalid", 1),
        ("ALWAYS", False, AllowedType.ALLOWED, "Blocked", 0),
        ("NEVER", False, AllowedType.ALLOWED, "Blocked", 0),
    ],
)
async def test_an_issuer_that_answers(
    house: House,
    partner: Partner,
    *,
    whitelist: str,
    valid: bool,
    says: AllowedType,
    verdict: str,
    asked: int,
) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist=whitelist, valid=valid)
    partner.emsp.verdicts[card.uid] = says
    async with connected(house, site.station) as station:
        await station.boot()
        assert await station.authorize(card.uid) == verdict
    assert partner.emsp.asked.count(card.uid) == asked


@pytest.mark.parametrize(
    ("whitelist", "fault", "verdict"),
    [
        ("ALLOWED_OFFLINE", Fault(FaultKind.SLOW, 4), "Accepted"),
        ("ALLOWED_OFFLINE", FaultKind.HTTP_500, "Accepted"),
        ("NEVER", Fault(FaultKind.SLOW, 4), "Invalid"),
        ("NEVER", FaultKind.HTML_200, "Invalid"),
        ("NEVER", Fault(FaultKind.SLOW, 0.5), "Accepted"),
    ],
)
async def test_an_issuer_that_is_silent_or_slow(
    house: House, partner: Partner, whitelist: str, fault: Any, verdict: str
) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist=whitelist)
    async with connected(house, site.station) as station:
        await station.boot()
        partner.faults.always(fault, module="tokens")
        try:
            began = asyncio.get_running_loop().time()
            assert await station.authorize(card.uid) == verdict
            assert asyncio.get_running_loop().time() - began < DEADLINE + 1.5
        finally:
            partner.faults.heal()


async def test_one_question_per_use_and_its_reference_goes_into_the_cdr(
    house: House, partner: Partner
) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist="NEVER")
    async with connected(house, site.station) as station:
        await station.boot()
        assert await station.authorize(card.uid) == "Accepted"
        number = await station.start_charging(card.uid, ago(seconds=0))
        assert partner.emsp.asked.count(card.uid) == 1
        ended = await station.end(number, datetime.now(UTC), 2000, card.uid)
        assert ended.id_tag_info["status"] == "Accepted"
        session = (await house.admin.transaction(site.station, number))["session_id"]
        cdr = await partner.cdr(session)
    assert cdr["auth_method"] == "AUTH_REQUEST"
    assert cdr["authorization_reference"].startswith("EMS-")


async def test_later_messages_of_the_station_wait_those_of_others_do_not(
    house: House, partner: Partner
) -> None:
    slow, quick = await set_up(house, partner), await set_up(house, partner)
    card = await give(partner, whitelist="NEVER")
    async with connected(house, slow.station) as asking, connected(house, quick.station) as other:
        await asking.boot()
        await other.boot()
        partner.faults.always(Fault(FaultKind.SLOW, 1), module="tokens")
        try:
            waiting = asyncio.create_task(asking.authorize(card.uid))
            await asyncio.sleep(0.2)
            async with asyncio.timeout(0.7):
                assert await other.authorize(quick.tag) == "Accepted"
            assert not waiting.done()
            assert await waiting == "Accepted"
        finally:
            partner.faults.heal()


async def test_a_replayed_start_is_never_asked_for(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist="NEVER")
    async with connected(house, site.station) as station:
        await station.boot()
        answer = await station.begin(card.uid, ago(hours=2))
        assert answer.id_tag_info["status"] == "Invalid"
        await station.end(int(answer.transaction_id), ago(hours=1), 3000)
        assert (await house.admin.cdr(site.station))["reason"] == "token_invalid"
    assert card.uid not in partner.emsp.asked


async def test_unknown_uids_are_asked_for_where_that_is_wanted(
    house: House, partner: Partner, new_partner: Callable[..., Partner]
) -> None:
    site = await set_up(house, partner)
    second = new_partner("UNK", "FR")
    await second.register(house)
    known = second.token(f"U{fresh()}", type="RFID")
    second.emsp.tokens.append(known)
    async with connected(house, site.station) as station:
        await station.boot()
        assert await station.authorize(known.uid) == "Invalid"
        await house.admin.ask("PATCH", f"partners/{second.id}", json={"authorize_unknown": True})
        await house.admin.ask("PATCH", f"partners/{partner.id}", json={"authorize_unknown": True})
        try:
            assert await station.authorize(known.uid) == "Accepted"
            number = await station.start_charging(known.uid, ago(seconds=0))
            assert await station.authorize(f"NO{fresh()}") == "Invalid"
        finally:
            await house.admin.ask("PATCH", f"partners/{partner.id}", json={"authorize_unknown": False})
            await house.admin.ask("PATCH", f"partners/{second.id}", json={"authorize_unknown": False})
        await station.end(number, datetime.now(UTC), 1000)
        session = (await house.admin.transaction(site.station, number))["session_id"]
        cdr = await second.cdr(session)
    assert cdr["cdr_token"]["uid"] == known.uid
    assert (cdr["cdr_token"]["country_code"], cdr["cdr_token"]["party_id"]) == ("FR", "UNK")


async def test_two_emsps_with_one_uid(
    house: House, partner: Partner, new_partner: Callable[..., Partner]
) -> None:
    site = await set_up(house, partner)
    second = new_partner("TWO", "FR")
    await second.register(house)
    uid = f"SAME{fresh()}"
    await partner.give_token(uid, valid=False)
    await second.give_token(uid)
    async with connected(house, site.station) as station:
        await station.boot()
        number = await station.start_charging(uid, ago(seconds=1))
        transaction = await house.admin.transaction(site.station, number)
        assert "several_owners" in transaction["flags"]
        await until(lambda: transaction["session_id"] in second.ledger.sessions)
        await station.end(number, datetime.now(UTC), 1000)

        # A command says whose driver it is, whatever the table would choose.
        sent = await partner.command(
            CommandType.START_SESSION,
            token=partner.token(uid, type="RFID"),
            location_id=site.location,
            evse_uid=site.evse(),
        )
        assert await partner.result(sent) == "ACCEPTED"
        number = await station.start_charging(uid, ago(seconds=0))
        session = (await house.admin.transaction(site.station, number))["session_id"]
        await until(lambda: session in partner.ledger.sessions)
        assert session not in second.ledger.sessions


async def test_a_token_blocked_after_the_command_is_refused(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist="NEVER")
    async with connected(house, site.station) as station:
        await station.boot()
        sent = await partner.command(
            CommandType.START_SESSION, token=card, location_id=site.location, evse_uid=site.evse()
        )
        await partner.result(sent)
        await partner.give_token(card.uid, valid=False)
        assert (await station.begin(card.uid, ago(seconds=0))).id_tag_info["status"] == "Blocked"


async def test_the_decision_is_explained_without_asking(house: House, partner: Partner) -> None:
    site = await set_up(house, partner)
    card = await give(partner, whitelist="NEVER")
    told = await house.admin.get(f"tokens/{card.uid}/decision", station=site.station)
    assert (told["standing"], told["asks"], told["verdict"]) == ("never", [partner.id], None)
    assert (told["if_silent"], told["token"]["party_id"]) == ("Invalid", "EMS")
    plain = await house.admin.get(f"tokens/{site.tag}/decision", station=site.station)
    assert (plain["standing"], plain["asks"], plain["verdict"]) == ("allowed", [], "Accepted")
    nobody = await house.admin.get("tokens/NOBODY/decision", station=site.station)
    assert (nobody["standing"], nobody["token"], nobody["verdict"]) == ("unknown", None, "Invalid")
    assert card.uid not in partner.emsp.asked
    missing = await house.admin.ask("GET", f"tokens/{card.uid}/decision", params={"station": "NONE"})
    assert missing.status_code == 404
