"""Lists of parties that tell nobody, read by the hub: paged, newest wins, told on, again when due or after an outage."""

from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest
from starlette.responses import Response

from app.store.hub import pulls
from ocpi.hub.pulled import Reading
from ocpi.modules import ModuleId
from ocpi.pull.parties import PartyLists, pull
from tests.flows.hub_party import Got, HubParty, ok
from tests.flows.hub_world import BASE, HUB, OURS, World, location

OLD, NEW = "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"


def offers(party: HubParty, **lists: list[Any]) -> None:
    """The party's own lists, two objects a page."""

    def answer(got: Got) -> Response:
        if got.method != "GET":
            return ok()
        path = got.path.rstrip("/")
        found = lists.get(path.rsplit("/", 1)[1], [])
        offset = int(parse_qs(got.query).get("offset", ["0"])[0])
        url = f"{party.url}{path}?offset={offset + 2}"
        more = {"Link": f'<{url}>; rel="next"'} if offset + 2 < len(found) else {}
        return ok(found[offset : offset + 2], X_Total_Count=str(len(found)), **more)

    party.answers = answer


def stamped(location_id: str, at: str, **changes: Any) -> dict[str, Any]:
    return location("NL-AAA", location_id, last_updated=at, **changes)


async def listed(world: World, module: str = "locations", caller: HubParty | None = None) -> dict[str, Any]:
    answer = await (caller or world.emsp).call("GET", f"sender/{module}", to=HUB)
    return {each.get("id") or each["uid"]: each for each in answer.json()["data"]}


async def read(world: World, module: ModuleId = ModuleId.LOCATIONS, party: HubParty | None = None) -> None:
    partner = world.house.partner((party or world.cpo).partner_id)
    await pull(world.house.context, partner, module, None)


async def test_a_list_is_read_to_its_end_shown_and_told(world: World) -> None:
    offers(world.cpo, locations=[stamped(f"L{n}", OLD, x_kept=n) for n in range(5)])

    await read(world)
    await world.settled()

    assert {id_: each["x_kept"] for id_, each in (await listed(world)).items()} == {
        f"L{n}": n for n in range(5)
    }
    told = {got.path for got in world.emsp.got if got.method == "PUT"}
    assert told == {f"{BASE}/receiver/locations/NL/AAA/L{n}" for n in range(5)}
    assert {(got.to, got.sender) for got in world.cpo.got} == {("NL-AAA", HUB)}
    assert not any(got.method == "PUT" for got in world.cpo.got)


async def test_the_newest_wins_whichever_way_it_came(world: World) -> None:
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/L1", to=HUB, body=stamped("L1", NEW, name="told"))
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/L2", to=HUB, body=stamped("L2", OLD, name="told"))
    offers(world.cpo, locations=[stamped("l1", OLD, name="read"), stamped("L2", NEW, name="read")])
    await world.settled()
    world.emsp.got.clear()

    await read(world)
    await read(world)
    await world.settled()

    names = {id_.upper(): each["name"] for id_, each in (await listed(world)).items()}
    assert names == {"L1": "told", "L2": "read"}
    assert [got.path for got in world.emsp.got] == [f"{BASE}/receiver/locations/NL/AAA/L2"]


async def test_a_tariff_that_was_taken_back_does_not_come_back_by_an_old_list(world: World) -> None:
    tariff = {"country_code": "NL", "party_id": "AAA", "id": "T1", "currency": "EUR", "last_updated": OLD}
    await world.cpo.call("PUT", "receiver/tariffs/NL/AAA/T1", to=HUB, body=tariff)
    await world.cpo.call("DELETE", "receiver/tariffs/NL/AAA/T1", to=HUB)
    offers(world.cpo, tariffs=[tariff])
    await read(world, ModuleId.TARIFFS)
    assert await listed(world, "tariffs") == {}

    offers(world.cpo, tariffs=[tariff | {"last_updated": NEW}])
    await read(world, ModuleId.TARIFFS)
    assert list(await listed(world, "tariffs")) == ["T1"]


async def test_entries_of_others_and_unreadable_ones_cost_only_themselves(world: World) -> None:
    entries = [
        "nonsense", {"id": "L0"}, location("BE-BBB", "L1"), location("DE-EMS", "L2"), stamped("L3", "yesterday"),
        stamped("L4", OLD) | {"id": 4}, stamped("L5", OLD),
    ]  # fmt: skip
    offers(world.cpo, locations=entries)

    await read(world)

    assert list(await listed(world)) == ["L5"]


async def test_tokens_are_kept_for_our_own_cpo_too(world: World) -> None:
    token = {
        "country_code": "DE", "party_id": "EMS", "uid": "04AA", "type": "APP_USER", "contract_id": "DE-EMS-1",
        "issuer": "Elbe", "valid": True, "whitelist": "ALLOWED", "last_updated": OLD,
    }  # fmt: skip
    offers(world.emsp, tokens=[token])

    await read(world, ModuleId.TOKENS, world.emsp)
    await world.settled()

    assert list(await listed(world, "tokens", world.cpo)) == ["04AA"]
    ours = await world.emsp.call("GET", "receiver/tokens/DE/EMS/04AA?type=APP_USER", to=OURS)
    assert ours.json()["data"]["contract_id"] == "DE-EMS-1"
    (put,) = [got for got in world.cpo2.got if got.method == "PUT"]
    assert (put.path, put.query) == (f"{BASE}/receiver/tokens/DE/EMS/04AA", "type=APP_USER")


def tariff(tariff_id: str, **changes: Any) -> dict[str, Any]:
    return {
        "country_code": "NL", "party_id": "AAA", "id": tariff_id, "currency": "EUR", "last_updated": OLD,
    } | changes  # fmt: skip


async def test_what_a_whole_list_has_no_more_is_gone_and_its_end_is_told(world: World) -> None:
    offers(world.cpo, tariffs=[tariff(f"T{n}") for n in range(3)])
    await world.cpo.call("PUT", "receiver/tariffs/NL/AAA/TOLD", to=HUB, body=tariff("TOLD"))
    await read(world, ModuleId.TARIFFS)
    assert list(await listed(world, "tariffs")) == ["T0", "T1", "T2"]
    await world.settled()
    world.emsp.got.clear()

    offers(world.cpo, tariffs=[tariff("T2"), tariff("T1", last_updated="soon")])
    await read(world, ModuleId.TARIFFS)
    await world.settled()

    assert list(await listed(world, "tariffs")) == ["T1", "T2"]
    assert world.emsp.heard == [("DELETE", f"{BASE}/receiver/tariffs/NL/AAA/T0")]
    world.emsp.got.clear()
    offers(world.cpo, tariffs=[tariff(f"T{n}") for n in range(3)])
    await read(world, ModuleId.TARIFFS)
    await world.settled()
    assert set(await listed(world, "tariffs")) == {"T0", "T1", "T2"}
    assert world.emsp.heard == [("PUT", f"{BASE}/receiver/tariffs/NL/AAA/T0")]


async def test_what_was_told_while_the_list_was_read_stays(world: World) -> None:
    offers(world.cpo, tariffs=[tariff(f"T{n}") for n in range(2)])
    await read(world, ModuleId.TARIFFS)
    partner = world.house.partner(world.cpo.partner_id)
    reading = Reading(world.house.hub, partner, ModuleId.TARIFFS, world.house.clock.now())
    await reading.take([tariff("T0")])
    told = tariff("T1", last_updated=NEW)
    await world.cpo.call("PUT", "receiver/tariffs/NL/AAA/T1", to=HUB, body=told)
    await reading.finish()

    assert (reading.entries, reading.kept, reading.withdrawn) == (1, 0, 0)
    assert list(await listed(world, "tariffs")) == ["T0", "T1"]


@pytest.mark.parametrize(
    "left",
    [
        pytest.param({"items": [], "more": True}, id="broken off"),
        pytest.param({"items": [tariff("T0")], "total": "2"}, id="fewer than said"),
        pytest.param({"items": [tariff("T0"), {"currency": "EUR"}], "total": "2"}, id="unreadable"),
        pytest.param({"items": [tariff("T0")], "since": True}, id="changes only"),
    ],
)
async def test_a_list_that_may_not_be_whole_withdraws_nothing(world: World, left: dict[str, Any]) -> None:
    offers(world.cpo, tariffs=[tariff("T0"), tariff("T1")])
    await read(world, ModuleId.TARIFFS)

    def answer(got: Got) -> Response:
        if "offset" in got.query:
            return ok(code=3000)
        more = {"Link": f'<{world.cpo.url}{got.path}?offset=1>; rel="next"'} if left.get("more") else {}
        return ok(left["items"], X_Total_Count=left.get("total", "1"), **more)

    world.cpo.answers = answer
    since = datetime(2026, 11, 1, tzinfo=UTC) if left.get("since") else None
    await pull(world.house.context, world.house.partner(world.cpo.partner_id), ModuleId.TARIFFS, since)

    assert list(await listed(world, "tariffs")) == ["T0", "T1"]


async def test_the_end_of_locations_and_tokens_is_seen_and_not_invented(world: World) -> None:
    offers(world.cpo, locations=[stamped("L1", OLD), stamped("L2", OLD)])
    await read(world)
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/TOLD", to=HUB, body=stamped("TOLD", OLD))
    await world.settled()
    world.emsp.got.clear()

    offers(world.cpo, locations=[])
    await read(world)
    await world.settled()

    # A list with nothing in it may be one for somebody else: what was only ever told stays.
    assert list(await listed(world)) == ["TOLD"]
    assert world.emsp.got == []
    gone = await world.emsp.call("GET", "receiver/locations/NL/AAA/L1")
    assert gone.status_code == 404
    patch = {"last_updated": NEW, "name": "back"}
    again = await world.cpo.call("PATCH", "receiver/locations/NL/AAA/L1", to=HUB, body=patch)
    assert again.status_code == 404
    await world.cpo.call("PUT", "receiver/locations/NL/AAA/L1", to=HUB, body=stamped("L1", NEW))
    assert set(await listed(world)) == {"L1", "TOLD"}


async def test_whole_lists_are_read_every_day_and_what_came_of_it_is_kept(world: World) -> None:
    offers(world.cpo, tariffs=[tariff("T1"), tariff("T2")])
    lists = PartyLists(world.house.context)
    await lists.look()
    offers(world.cpo, tariffs=[tariff("T1", last_updated=NEW), location("BE-BBB", "T9")])
    async with world.house.store.unit_of_work(world.house.clock) as unit:
        for row in await pulls.every(unit.session):
            row.pulled_at = world.house.clock.now() - timedelta(hours=1)
            row.whole_at = world.house.clock.now() - timedelta(hours=24)
    await lists.look()

    assert list(await listed(world, "tariffs")) == ["T1"]
    async with world.house.store.reading() as session:
        (row,) = [each for each in await pulls.every(session) if each.module == "tariffs"
                  and each.partner_id == world.cpo.partner_id]  # fmt: skip
    assert (row.entries, row.kept, row.skipped, row.withdrawn, row.error) == (2, 1, 1, 1, None)
    assert row.whole_at == row.pulled_at == row.tried_at


async def test_what_is_due_is_read_once_and_after_an_hour_only_what_changed(world: World) -> None:
    offers(world.cpo, locations=[stamped("L1", OLD)])
    lists = PartyLists(world.house.context)
    await lists.look()
    gets = [got for got in world.cpo.got if got.method == "GET"]
    assert [got.path.rstrip("/").rsplit("/", 1)[1] for got in gets] == ["tariffs", "locations"]
    assert "date_from" not in gets[1].query
    assert [got.path for got in world.emsp.got if got.method == "GET"] == [f"{BASE}/sender/tokens"]

    await lists.look()
    assert len([got for got in world.cpo.got if got.method == "GET"]) == 2

    async with world.house.store.unit_of_work(world.house.clock) as unit:
        for row in await pulls.every(unit.session):
            row.pulled_at = datetime(2026, 11, 1, 12, tzinfo=UTC)
    await lists.look()
    last = [got for got in world.cpo.got if got.method == "GET"][-1]
    assert parse_qs(last.query)["date_from"] == ["2026-11-01T11:55:00Z"]


async def test_a_list_that_fails_is_read_again_from_where_it_was(world: World) -> None:
    world.cpo.answers = lambda _: ok(code=3000)
    lists = PartyLists(world.house.context)
    await lists.look()
    asked = len(world.cpo.got)
    await lists.look()
    assert len(world.cpo.got) == asked

    offers(world.cpo, locations=[stamped("L1", OLD)])
    async with world.house.store.unit_of_work(world.house.clock) as unit:
        for row in await pulls.every(unit.session):
            row.tried_at -= timedelta(minutes=5)
    await lists.look()

    assert list(await listed(world)) == ["L1"]
    assert "date_from" not in world.cpo.got[-1].query


async def test_who_was_away_is_read_at_once_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    offers(world.cpo)
    lists, away = PartyLists(world.house.context), {world.cpo.partner_id}
    await lists.look()
    before = len(world.cpo.got)
    monkeypatch.setattr(world.house.hub.liveness, "_away", away)
    await lists.look()
    assert len(world.cpo.got) == before

    away.clear()
    await lists.look()
    await lists.look()

    assert len(world.cpo.got) == before + 2
