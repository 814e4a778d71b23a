"""Real-time authorization behind the hub: whoever may know a token is asked, at once, and silence is answered."""

from typing import Any

import pytest

from app.domain.authorization import Question
from app.domain.tokens import TokenType, Verdict
from app.store import tokens
from ocpi.hub import our_tokens
from ocpi.mapping.tokens import token_from
from ocpi.partners.invitations import set_settings
from ocpi.pull.authorization import PartnerIssuers
from ocpi.wire import tokens as wire
from tests.flows.hub_party import NOW, HubParty, ok
from tests.flows.hub_world import BASE, HUB, OURS, World, parties_of, party_of

UID = "04BB"
ASKED = ("POST", f"{BASE}/sender/tokens/{UID}/authorize")


def token(**changes: Any) -> dict[str, Any]:
    return {
        "country_code": "DE", "party_id": "EMS", "uid": UID, "type": "RFID", "contract_id": "DE-EMS-C1",
        "issuer": "Elbe", "valid": True, "whitelist": "ALLOWED_OFFLINE", "last_updated": NOW,
    } | changes  # fmt: skip


def info(allowed: str, **changes: Any) -> dict[str, Any]:
    return {"allowed": allowed, "token": token(**changes)}


def unknown() -> Any:
    return ok(status=404, code=2004)


def quickly(world: World) -> None:
    object.__setattr__(world.house.hub, "authorize_seconds", 1.5)


async def ask(party: HubParty, **more: Any) -> Any:
    return await party.call("POST", f"sender/tokens/{UID}/authorize", **more)


async def tell(world: World, **changes: Any) -> None:
    """The first eMSP tells everybody of a token."""
    told = await world.emsp.call("PUT", f"receiver/tokens/DE/EMS/{UID}", to=HUB, body=token(**changes))
    assert told.json()["status_code"] == 1000
    await world.settled()


async def test_a_token_nobody_told_of_is_asked_for_everywhere_at_once(world: World) -> None:
    world.emsp.answers = lambda _: None
    world.emsp2.answers = lambda _: ok(info("ALLOWED", country_code="FR", party_id="FFF"))

    answer = await ask(world.cpo, body={"location_id": "LOC1"})

    assert answer.json()["data"]["allowed"] == "ALLOWED"
    assert parties_of(answer) == ("NL-AAA", "FR-FFF")
    for emsp in (world.emsp, world.emsp2):
        assert emsp.heard == [ASKED]
        assert (emsp.got[0].to, emsp.got[0].sender, emsp.got[0].body) == (
            emsp.name, "NL-AAA", {"location_id": "LOC1"},
        )  # fmt: skip
    assert world.cpo.got == world.cpo2.got == []


async def test_only_those_with_an_agreement_and_the_will_are_asked(world: World) -> None:
    world.emsp.answers = world.emsp2.answers = lambda _: unknown()
    answer = await ask(world.cpo2)
    assert (answer.status_code, answer.json()["status_code"]) == (404, 2004)
    assert (world.emsp.heard, world.emsp2.heard) == ([ASKED], [])

    await set_settings(world.house.desk, world.emsp.partner_id, {"authorize_unknown": False})
    assert (await ask(world.cpo2)).json()["status_code"] == 2004
    assert (await ask(world.cpo, to=HUB)).json()["status_code"] == 2004
    assert (world.emsp.heard, world.emsp2.heard) == ([ASKED], [ASKED])


async def test_a_refusal_counts_where_nobody_allows_and_silence_is_told(world: World) -> None:
    quickly(world)
    world.emsp.answers = lambda _: ok(info("BLOCKED"))
    world.emsp2.answers = lambda _: unknown()
    assert (await ask(world.cpo)).json()["data"]["allowed"] == "BLOCKED"

    world.emsp.answers = lambda _: None
    assert (await ask(world.cpo)).json()["status_code"] == 4002
    world.emsp.answers = world.emsp2.answers = lambda _: ok({"no": "verdict"})
    assert (await ask(world.cpo)).json()["status_code"] == 2004


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"whitelist": "ALLOWED_OFFLINE"}, "ALLOWED"),
        ({"whitelist": "ALWAYS"}, "ALLOWED"),
        ({"whitelist": "NEVER"}, "NOT_ALLOWED"),
        ({"whitelist": "ALLOWED", "valid": False}, "BLOCKED"),
    ],
)
async def test_a_silent_issuer_is_answered_for_by_its_token(
    world: World, changes: dict[str, Any], allowed: str
) -> None:
    quickly(world)
    await tell(world, **changes)
    world.emsp.answers = lambda _: None

    answer = await ask(world.cpo, body={"location_id": "LOC1", "evse_uids": ["E1"]})

    data = answer.json()["data"]
    assert (data["allowed"], data["token"]) == (allowed, token(**changes))
    assert data.get("location") == (
        {"location_id": "LOC1", "evse_uids": ["E1"]} if allowed == "ALLOWED" else None
    )
    assert parties_of(answer) == ("NL-AAA", HUB)
    assert world.emsp2.got == []
    named = await ask(world.cpo, to="DE-EMS")
    assert named.json()["status_code"] == 4002


async def test_of_several_owners_the_one_that_allows_counts(world: World) -> None:
    await tell(world)
    await world.emsp2.call(
        "PUT", f"receiver/tokens/FR/FFF/{UID}", to=HUB, body=token(country_code="FR", party_id="FFF")
    )
    world.emsp.answers = lambda _: ok(info("NO_CREDIT"))
    world.emsp2.answers = lambda _: ok(info("ALLOWED"))

    assert parties_of(await ask(world.cpo)) == ("NL-AAA", "FR-FFF")
    refused = await ask(world.cpo2)
    assert refused.json()["data"]["allowed"] == "NO_CREDIT"
    assert world.emsp2.heard.count(ASKED) == 1


async def test_our_own_stations_ask_issuers_behind_the_hub(world: World) -> None:
    house = world.house
    issuers = PartnerIssuers(house.desk, reach=house.hub.reach)
    world.emsp.answers = lambda _: ok(info("ALLOWED") | {"authorization_reference": "R1"})
    question = Question(uid=UID, token=None, location_id="quay-77", evse_uid="E1")
    assert issuers.can_answer(question)

    asked = await issuers.ask(question)
    assert (asked.verdict, asked.reference) == (Verdict.ACCEPTED, "R1")
    of_known = Question(
        uid=UID, token=token_from(wire.Token.read(token())), location_id="quay-77", evse_uid="E1"
    )
    assert (await issuers.ask(of_known)).verdict is Verdict.ACCEPTED
    assert [(each.to, each.sender) for each in world.emsp.got] == [("DE-EMS", OURS)] * 2
    assert world.emsp2.got == []

    await house.hub.agreements.end(party_of(OURS), party_of("DE-EMS"))
    assert not issuers.can_answer(question)
    assert not issuers.can_answer(of_known)


async def kept(world: World) -> Any:
    async with world.house.store.reading() as session:
        return await tokens.get(session, "DE", "EMS", UID, TokenType.RFID)


async def test_our_cpo_keeps_tokens_in_the_same_moment_whatever_part_was_told(world: World) -> None:
    await tell(world)
    assert (await kept(world)).valid
    later = {"valid": False, "last_updated": "2026-11-20T13:00:00Z"}
    await world.emsp.call("PATCH", f"receiver/tokens/DE/EMS/{UID}", to=HUB, body=later)
    assert not (await kept(world)).valid

    odd = await world.emsp.call(
        "PUT", f"receiver/tokens/DE/EMS/{UID}", to=HUB, body=token(whitelist="PERHAPS")
    )
    assert odd.json()["status_code"] == 1000
    assert (await kept(world)).whitelist == "ALLOWED_OFFLINE"


async def test_what_was_told_before_our_cpo_agreed_is_taken_then(world: World) -> None:
    hub = world.house.hub
    ours, theirs = party_of(OURS), party_of("DE-EMS")
    await hub.agreements.end(ours, theirs)
    await tell(world)
    assert await kept(world) is None
    assert await our_tokens.take_all(hub, (ours, theirs)) == 0

    await hub.agreements.put(ours, theirs, ["tokens"])
    assert await our_tokens.take_all(hub, (ours, theirs)) == 1
    assert (await kept(world)).contract_id == "DE-EMS-C1"


async def test_whose_drivers_may_use_our_stations(world: World) -> None:
    reach, agreements = world.house.hub.reach, world.house.hub.agreements
    assert [reach.is_admitted(party_of(name)) for name in (OURS, "DE-EMS", "FR-FFF", "AT-NEW")] == [
        True, True, False, True,
    ]  # fmt: skip
    await agreements.put(party_of(OURS), party_of("DE-EMS"), ["locations"])
    assert not reach.is_admitted(party_of("de-ems"))

    await agreements.put(party_of(OURS), party_of("AT-NEW"), [])
    await agreements.end(party_of(OURS), party_of("AT-NEW"))
    assert not reach.is_admitted(party_of("AT-NEW"))
