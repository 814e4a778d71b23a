"""The hub between two CPOs and two eMSPs over real HTTP: every row of the header table, and every way to fail."""

import json
from typing import Any

import httpx
import pytest
from starlette.responses import HTMLResponse, Response

from app.store import locations, messages
from tests.conftest import until
from tests.flows.hub_party import NOW, Got, ok
from tests.flows.hub_world import BASE, HUB, OURS, World, location, parties_of


async def test_a_message_between_parties_keeps_its_bytes_and_its_correlation(world: World) -> None:
    raw = b'{ "country_code":"NL","party_id":"AAA", "id":"LOC1", "odd" : 1.100,"last_updated":"2026-11-20T12:00:00Z"}'

    answer = await world.cpo.call(
        "PUT", "receiver/locations/NL/AAA/LOC%2F1", to="DE-EMS", raw=raw,
        headers={"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"},
    )  # fmt: skip

    assert answer.status_code == 200
    assert answer.json() == {"status_code": 1000, "timestamp": NOW}
    assert parties_of(answer) == ("NL-AAA", "DE-EMS")
    assert (answer.headers["X-Request-ID"], answer.headers["X-Correlation-ID"]) == ("r-1", "c-1")
    (got,) = world.emsp.got
    assert (got.method, got.path, got.raw) == ("PUT", f"{BASE}/receiver/locations/NL/AAA/LOC%2F1", raw)
    assert (got.to, got.sender) == ("DE-EMS", "NL-AAA")
    assert got.headers["x-correlation-id"] == "c-1"
    assert got.headers["x-request-id"] != "r-1"
    assert world.cpo.got == world.cpo2.got == world.emsp2.got == []


async def test_a_push_to_a_named_party_is_in_no_list_of_the_hub(world: World) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to="DE-EMS", body=location())

    listed = await world.emsp.call("GET", "sender/locations", to=HUB)

    assert listed.json()["data"] == []


async def test_what_is_told_to_the_hub_reaches_everybody_with_an_agreement(world: World) -> None:
    answer = await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=location())
    await world.settled()

    assert answer.status_code == 201
    assert parties_of(answer) == ("NL-AAA", HUB)
    for party in (world.emsp, world.emsp2):
        (got,) = party.got
        assert (got.method, got.path) == ("PUT", f"{BASE}/receiver/locations/NL/AAA/LOC1")
        assert (got.to, got.sender) == (party.name, HUB)
        assert got.body == location()
    assert world.cpo.got == world.cpo2.got == []


async def test_a_patch_is_passed_on_as_it_came_and_merged_for_the_lists(world: World) -> None:
    later = "2026-11-20T12:05:00Z"
    await world.cpo2.call("PUT", "receiver/locations/BE/BBB/LOC1", to=HUB, body=location("BE-BBB"))
    await world.settled()
    answer = await world.cpo2.call(
        "PATCH",
        "receiver/locations/BE/BBB/loc1/e1",
        to=HUB,
        body={"status": "CHARGING", "last_updated": later},
    )
    await world.settled()

    assert answer.json()["status_code"] == 1000
    assert world.emsp2.got == []
    last = world.emsp.got[-1]
    assert (last.method, last.path) == ("PATCH", f"{BASE}/receiver/locations/BE/BBB/loc1/e1")
    assert last.body == {"status": "CHARGING", "last_updated": later}
    (listed,) = (await world.emsp.call("GET", "sender/locations", to=HUB)).json()["data"]
    assert listed["evses"][0]["status"] == "CHARGING"
    assert listed["last_updated"] == listed["evses"][0]["last_updated"] == later
    assert listed["x_kept"] == 1.10


async def test_who_missed_a_message_gets_the_whole_object(world: World) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=location())
    await world.settled()
    world.emsp.answers = lambda _: ok(status=500, code=3000)
    heard = len(world.emsp.got)
    for status in ("CHARGING", "BLOCKED"):
        body = {"status": status, "last_updated": NOW}
        await world.cpo.call("PATCH", "receiver/locations/NL/AAA/LOC1/E1", to=HUB, body=body)
        await until(lambda: len(world.emsp.got) > heard)
    world.emsp.answers = lambda _: ok()
    await world.settled()

    last = world.emsp.got[-1]
    assert last.method == "PUT"
    assert last.body["evses"][0]["status"] == "BLOCKED"
    assert world.emsp2.got[-1].method in ("PUT", "PATCH")


async def test_tokens_told_to_the_hub_reach_the_cpos_and_our_own(world: World) -> None:
    token = {
        "country_code": "DE", "party_id": "EMS", "uid": "04AA", "type": "RFID", "contract_id": "DE-EMS-1",
        "issuer": "Elbe", "valid": True, "whitelist": "ALLOWED", "last_updated": NOW,
    }  # fmt: skip
    await world.emsp.call("PUT", "receiver/tokens/DE/EMS/04AA?type=RFID", to=HUB, body=token)
    await world.settled()

    for party in (world.cpo, world.cpo2):
        (got,) = party.got
        assert (got.path, got.query, got.sender) == (f"{BASE}/receiver/tokens/DE/EMS/04AA", "type=RFID", HUB)
        assert got.body == token
    known = await world.emsp.call("GET", "receiver/tokens/DE/EMS/04AA", to=OURS)
    assert known.json()["data"]["contract_id"] == "DE-EMS-1"


async def test_tariffs_are_told_and_taken_back(world: World) -> None:
    tariff = {"country_code": "NL", "party_id": "AAA", "id": "T1", "currency": "EUR", "last_updated": NOW}
    await world.cpo.call("PUT", "receiver/tariffs/NL/AAA/T1", body=tariff)
    await world.settled()
    await world.cpo.call("DELETE", "receiver/tariffs/NL/AAA/T1", to=HUB)
    await world.settled()

    assert world.emsp.heard == [
        ("PUT", f"{BASE}/receiver/tariffs/NL/AAA/T1"),
        ("DELETE", f"{BASE}/receiver/tariffs/NL/AAA/T1"),
    ]
    assert (await world.emsp.call("GET", "sender/tariffs", to=HUB)).json()["data"] == []
    again = await world.cpo.call("DELETE", "receiver/tariffs/NL/AAA/T1", to=HUB)
    assert again.status_code == 404


async def test_the_lists_of_the_hub_are_one_sequence_of_all_owners(world: World, objects: Any) -> None:
    house = world.house
    async with house.store.unit_of_work(house.clock) as unit:
        await locations.save(unit.session, objects.location("OWN"), unit.now())
    for owner, cpo in (("NL-AAA", world.cpo), ("BE-BBB", world.cpo2)):
        for number in range(3):
            path = f"receiver/locations/{owner.replace('-', '/')}/L{number}"
            await cpo.call("PUT", path, to=HUB, body=location(owner, f"L{number}"))

    found, url = [], "sender/locations?limit=2"
    while url:
        page = await world.emsp.call("GET", url, to=HUB)
        assert page.headers["X-Total-Count"] == "7"
        assert len(page.json()["data"]) <= 2
        found += [(each["party_id"], each["id"]) for each in page.json()["data"]]
        url = httpx.Response(200, headers=page.headers).links.get("next", {}).get("url", "")

    assert found == [
        *(("AAA", f"L{n}") for n in range(3)),
        *(("BBB", f"L{n}") for n in range(3)),
        ("VBR", "OWN"),
    ]
    by_offset = await world.emsp.call("GET", "sender/locations?offset=5&limit=5", to=HUB)
    assert [each["id"] for each in by_offset.json()["data"]] == ["L2", "OWN"]
    future = await world.emsp.call("GET", "sender/locations?date_from=2099-01-01T00:00:00Z", to=HUB)
    assert future.json()["data"] == []
    assert (await world.emsp2.call("GET", "sender/locations", to=HUB)).headers["X-Total-Count"] == "3"
    assert parties_of(by_offset) == ("DE-EMS", HUB)


async def test_a_list_of_a_party_leads_through_the_hub_page_by_page(world: World) -> None:
    def pages(got: Got) -> Response:
        if "offset=2" in got.query:
            return ok([{"id": "L3"}], X_Total_Count="3", X_Limit="2")
        link = f'<{world.cpo.url}{BASE}/sender/locations?offset=2&limit=2>; rel="next"'
        return ok([{"id": "L1"}, {"id": "L2"}], X_Total_Count="3", X_Limit="2", Link=link)

    world.cpo.answers = pages
    first = await world.emsp.call("GET", "sender/locations?limit=2", to="NL-AAA")
    url = first.links["next"]["url"]
    assert url.startswith(world.house.base_url)
    assert (first.headers["X-Total-Count"], first.headers["X-Limit"]) == ("3", "2")
    second = await world.emsp.call("GET", url, to="NL-AAA")

    assert [each["id"] for each in second.json()["data"]] == ["L3"]
    assert world.cpo.got[-1].query == "offset=2&limit=2"
    assert "next" not in second.links


async def test_a_link_to_anywhere_else_is_sealed_and_followed_on_the_receivers_host(world: World) -> None:
    link = '<https://elsewhere.example/odd/pages/7?cursor=a%2Fb>; rel="next"'
    world.cpo.answers = lambda got: ok([]) if "odd" in got.path else ok([], Link=link)
    first = await world.emsp.call("GET", "sender/sessions?date_from=2026-01-01T00:00:00Z", to="NL-AAA")
    url = first.links["next"]["url"]
    assert "elsewhere" not in url
    await world.emsp.call("GET", url, to="NL-AAA")
    other = await world.emsp.call("GET", url, to="BE-BBB")

    assert (world.cpo.got[-1].path, world.cpo.got[-1].query) == ("/odd/pages/7", "cursor=a%2Fb")
    assert other.json()["status_code"] == 2001
    assert world.cpo2.got == []


async def test_the_location_of_a_cdr_leads_through_the_hub(world: World) -> None:
    place = f"{world.emsp.url}{BASE}/receiver/cdrs/777"
    world.emsp.answers = lambda got: (
        ok({"id": "C1"}) if got.method == "GET" else ok(status=201, Location=place)
    )
    cdr = {"id": "C1", "cdr_token": {"country_code": "de", "party_id": "ems", "uid": "04AA"}}
    posted = await world.cpo.call("POST", "receiver/cdrs", body=cdr)
    url = posted.headers["Location"]
    found = await world.cpo.call("GET", url)

    assert (posted.status_code, parties_of(posted)) == (201, ("NL-AAA", "de-ems"))
    assert url.startswith(world.house.base_url)
    assert found.json()["data"] == {"id": "C1"}
    assert world.emsp.heard == [("POST", f"{BASE}/receiver/cdrs"), ("GET", f"{BASE}/receiver/cdrs/777")]
    assert (await world.emsp2.call("GET", url)).json()["status_code"] == 4000 or world.emsp2.got == []


async def test_messages_without_receiver_go_where_their_content_says(world: World) -> None:
    session = {"id": "S1", "cdr_token": {"country_code": "DE", "party_id": "EMS", "uid": "04AA"}}
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to=HUB, body=location())
    await world.settled()
    world.emsp.got.clear()

    put = await world.cpo.call("PUT", "receiver/sessions/NL/AAA/S1", body=session)
    patched = await world.cpo.call("PATCH", "receiver/sessions/NL/AAA/S1", body={"kwh": 1})
    preferred = await world.emsp.call(
        "PUT", "sender/sessions/S1/charging_preferences", body={"profile_type": "FAST"}
    )
    located = await world.emsp2.call("GET", "sender/locations/LOC1")

    for each, parties in (
        (put, ("NL-AAA", "DE-EMS")),
        (patched, ("NL-AAA", "DE-EMS")),
        (preferred, ("DE-EMS", "NL-AAA")),
        (located, ("FR-FFF", "NL-AAA")),
    ):
        assert each.json()["status_code"] == 1000, each.text
        assert parties_of(each) == parties
    assert [(g.method, g.to, g.sender) for g in world.emsp.got] == [
        ("PUT", "DE-EMS", "NL-AAA"),
        ("PATCH", "DE-EMS", "NL-AAA"),
    ]
    assert [(g.method, g.to, g.sender) for g in world.cpo.got] == [
        ("PUT", "NL-AAA", "DE-EMS"),
        ("GET", "NL-AAA", "FR-FFF"),
    ]
    stranger = await world.emsp2.call("PUT", "sender/sessions/S1/charging_preferences", body={})
    assert stranger.json()["status_code"] == 4001


async def test_a_known_token_is_asked_for_at_its_issuer(world: World) -> None:
    token = {"country_code": "DE", "party_id": "EMS", "uid": "04AA", "type": "RFID", "last_updated": NOW}
    await world.emsp.call("PUT", "receiver/tokens/DE/EMS/04AA", to=HUB, body=token)
    world.emsp.answers = lambda _: ok({"allowed": "ALLOWED"})

    asked = await world.cpo.call(
        "POST", "sender/tokens/04aa/authorize?type=RFID", body={"location_id": "LOC1"}
    )

    assert asked.json()["data"] == {"allowed": "ALLOWED"}
    assert world.emsp.heard == [("POST", f"{BASE}/sender/tokens/04aa/authorize")]
    assert world.emsp2.got == []


@pytest.mark.parametrize(
    ("to", "code"), [("XX-XXX", 4001), ("FR-FFF", 4000), ("NL-AAA", 4000), ("DE-EMS", 4003)]
)
async def test_a_receiver_that_cannot_be_had_has_its_code(world: World, to: str, code: int) -> None:
    """Nobody; no agreement; on the sender's own platform; not listening."""
    sender = world.cpo2 if to == "FR-FFF" else world.cpo
    await world.emsp.stop()
    owner = sender.name.replace("-", "/")

    answer = await sender.call("PUT", f"receiver/locations/{owner}/LOC1", to=to, body=location(sender.name))

    assert (answer.status_code, answer.json()["status_code"]) == (200, code)
    assert parties_of(answer) == (sender.name, to)
    assert all(each.got == [] for each in world.parties)


@pytest.mark.parametrize(
    ("says", "status", "code"),
    [
        (lambda _: ok(code=2001), 200, 2001),
        (lambda _: ok(code=3000), 200, 3000),
        (lambda _: ok(status=404, code=2003), 404, 2003),
        (lambda _: ok(status=500, code=3000), 500, 3000),
        (lambda _: ok(status=429, code=2000, Retry_After="7"), 429, 2000),
        (lambda _: HTMLResponse("<html>gateway</html>", 502), 200, 4000),
        (lambda _: HTMLResponse("<html>hello</html>"), 200, 4000),
        (lambda _: Response(b"", 204), 200, 4000),
        (lambda _: Response(b"", 404), 404, 2000),
        (lambda _: Response(b"", 302, {"Location": "http://127.0.0.1:1/"}), 200, 4000),
        (lambda _: ok(status=401, code=2000), 200, 4003),
    ],
)
async def test_what_a_receiver_answers_is_the_answer(world: World, says: Any, status: int, code: int) -> None:
    world.emsp.answers = says

    answer = await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to="DE-EMS", body=location())

    assert (answer.status_code, answer.json()["status_code"]) == (status, code)
    assert answer.headers.get("Retry-After") == ("7" if status == 429 else None)
    assert parties_of(answer) == ("NL-AAA", "DE-EMS")


async def test_a_receiver_that_is_silent_is_a_timeout(world: World) -> None:
    world.emsp.answers = lambda _: None
    object.__setattr__(world.house.hub, "seconds", 0.3)

    answer = await world.cpo.call("PUT", "receiver/locations/NL/AAA/LOC1", to="DE-EMS", body=location())

    assert answer.json()["status_code"] == 4002


@pytest.mark.parametrize(
    ("method", "url", "to", "sender", "status", "code"),
    [
        ("PUT", "receiver/locations/NL/AAA/L", "DE-EMS", "DE-EMS", 200, 2001),
        ("PUT", "receiver/locations/BE/BBB/L", "DE-EMS", "", 200, 2001),
        ("PUT", "receiver/locations/BE/BBB/L", HUB, "", 200, 2001),
        ("GET", "sender/locations", None, "", 200, 2002),
        ("GET", "sender/cdrs", HUB, "", 200, 2001),
        ("GET", "receiver/locations/NL/AAA/L", HUB, "", 200, 2001),
        ("PUT", "receiver/sessions/NL/AAA/S", HUB, "", 200, 2001),
        ("POST", "receiver/cdrs", HUB, "", 200, 2001),
        ("POST", "receiver/commands/START_SESSION", HUB, "", 200, 2001),
        ("POST", "receiver/locations/NL/AAA/L", "DE-EMS", "", 405, 2000),
        ("DELETE", "receiver/tokens/NL/AAA/T", "DE-EMS", "", 405, 2000),
        ("PUT", "receiver/locations/NL/AAA/..%2F..%2Fcredentials", "DE-EMS", "", 404, 2000),
        ("PUT", "receiver/locations/NL/AAA/L/%2e%2e", "DE-EMS", "", 404, 2000),
        ("GET", "sender/locations/NOBODY", None, "", 200, 4001),
    ],
)
async def test_what_is_no_message_reaches_nobody(
    world: World, method: str, url: str, to: str | None, sender: str, status: int, code: int
) -> None:
    answer = await world.cpo.call(
        method, url, to=to, sender=sender, body=location() if method != "GET" else None
    )
    await world.settled()

    assert (answer.status_code, answer.json()["status_code"]) == (status, code), answer.text
    assert all(each.got == [] for each in world.parties)


async def test_a_message_that_has_been_here_is_refused(world: World) -> None:
    answer = await world.cpo.call(
        "PUT",
        "receiver/locations/NL/AAA/L",
        to="DE-EMS",
        body=location(),
        headers={"Via": "1.1 other, 1.1 NL-VHB"},
    )

    assert answer.json()["status_code"] == 4000
    assert world.emsp.got == []


async def test_a_missing_sender_is_the_only_party_of_the_platform(world: World) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/L", to="de-ems", sender=None, body=location())

    assert world.emsp.got[0].sender == "NL-AAA"


async def test_configuration_modules_are_never_routed(world: World) -> None:
    versions = await world.cpo.call("GET", world.house.desk.versions_url("hub"), to="DE-EMS")
    credentials = await world.cpo.call("GET", world.cpo.endpoint("credentials", "SENDER"), to="DE-EMS")

    assert versions.json()["data"][0]["version"] == "2.2.1"
    assert credentials.json()["data"]["roles"][0]["role"] == "HUB"
    assert "OCPI-from-party-id" not in versions.headers
    assert world.emsp.got == []


async def test_why_a_message_went_where_is_in_the_log(world: World) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/L", to="DE-EMS", body=location())
    await world.house.traffic.flush()

    async with world.house.store.reading() as session:
        found, _ = await messages.find(session, limit=50)
    assert "to-header: DE-EMS" in [each.routed for each in found]
    legs = [each for each in found if "receiver/locations" in each.url]
    assert {each.direction for each in legs} == {"in", "out"}
    assert len({each.correlation_id for each in legs}) == 1
    assert world.cpo.registration.peer().token not in json.dumps([each.url for each in found])
