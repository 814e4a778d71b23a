"""Lists and single objects that partners pull."""

from datetime import timedelta

import httpx
import pytest
from msgspec.structs import replace

from app.domain.cdrs import CdrState, HoldReason
from app.services import locations as location_service
from app.services import tariffs as tariff_service
from app.store import cdrs, sessions
from ocpi.headers import authorization
from ocpi.partners import invitations
from ocpi.times import write_time


@pytest.fixture
async def pull(ocpi_house, emsp):
    """GET one of our sender interfaces as the registered eMSP: `await pull("locations?limit=2")`."""
    _, token_a = await invitations.invite(ocpi_house.desk, "Elbe Mobility")
    await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
    headers = {"Authorization": authorization(emsp.registration.connection.token)}
    async with httpx.AsyncClient(trust_env=False, headers=headers) as client:

        async def pulling(path):
            url = path if path.startswith("http") else f"{ocpi_house.base_url}/ocpi/cpo/2.2.1/sender/{path}"
            return await client.get(url)

        yield pulling


async def put_locations(house, objects, *ids, **changes):
    for location_id in ids:
        async with house.store.unit_of_work(house.clock) as unit:
            await location_service.put(unit, objects.location(location_id, **changes))


async def put_session(house, objects, session_id, token=None):
    async with house.store.unit_of_work(house.clock) as unit:
        session = objects.session(session_id, token=token or objects.token, last_updated=unit.now())
        await sessions.save(unit.session, session, objects.snapshot(), f"T-{session_id}", unit.now())


def ids(response):
    return [item["id"] for item in response.json()["data"]]


def next_link(response):
    link = response.headers.get("Link")
    return None if link is None else link.split(">")[0].lstrip("<")


async def test_pages_go_on_in_order_of_creation_until_there_is_no_link(ocpi_house, objects, pull):
    names = [f"L{number}" for number in range(5)]
    await put_locations(ocpi_house, objects, *names)

    seen, url = [], "locations?limit=2"
    while url is not None:
        page = await pull(url)
        assert page.headers["X-Total-Count"] == "5"
        assert page.headers["X-Limit"] == "100"
        seen.append(ids(page))
        url = next_link(page)
        assert url is None or url.startswith(ocpi_house.base_url)

    assert seen == [["L0", "L1"], ["L2", "L3"], ["L4"]]
    assert ids(await pull("locations?offset=3&limit=1")) == ["L3"]
    assert ids(await pull("locations?offset=7")) == []


async def test_pages_neither_lose_nor_repeat_while_objects_change(ocpi_house, objects, pull):
    names = [f"L{number}" for number in range(6)]
    await put_locations(ocpi_house, objects, *names)
    seen, url = [], "locations?limit=2"
    while url is not None:
        page = await pull(url)
        seen += ids(page)
        await put_locations(ocpi_house, objects, "L0", "L5", city="Delft")
        if len(seen) == 2:
            await put_locations(ocpi_house, objects, "L0", roaming=False)
        url = next_link(page)

    assert seen == names


async def test_a_changed_object_is_rendered_anew(ocpi_house, objects, pull):
    await put_locations(ocpi_house, objects, "L0")
    first = (await pull("locations")).json()["data"][0]
    await put_locations(ocpi_house, objects, "L0", city="Delft")
    second = (await pull("locations")).json()["data"][0]

    assert (first["city"], second["city"]) == ("Utrecht", "Delft")
    assert second["last_updated"] > first["last_updated"]
    assert second["evses"] == first["evses"], "what did not change keeps its version"


async def test_dates_filter_by_last_updated_from_inclusive_to_exclusive(ocpi_house, objects, pull):
    await put_locations(ocpi_house, objects, "L0")
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        tariff, _ = await tariff_service.put(unit, objects.tariff())
    stamp = tariff.last_updated.replace(microsecond=tariff.last_updated.microsecond // 1000 * 1000)
    until = stamp + timedelta(milliseconds=1)

    async def tariffs(date_from, date_to):
        query = f"date_from={write_time(date_from)}&date_to={write_time(date_to)}"
        return ids(await pull(f"tariffs?{query}"))

    assert await tariffs(stamp, until) == ["AC-DAY"]
    assert await tariffs(stamp - timedelta(hours=1), stamp) == []
    assert await tariffs(until, until + timedelta(hours=1)) == []
    encoded_badly = await pull("tariffs?date_from=2020-01-01T00:00:00+00:00")
    assert ids(encoded_badly) == ["AC-DAY"]


@pytest.mark.parametrize("database", ["sqlite"])
async def test_absurd_paging_is_2001_and_never_an_error(pull):
    for query in (
        "limit=0",
        "limit=-1",
        "limit=ten",
        "offset=-1",
        f"offset={10**30}",
        "date_from=yesterday",
        "date_to=2026-13-01T00:00:00Z",
        "after=nonsense",
        "after=1.zz",
        f"after={2**70}.41",
    ):
        response = await pull(f"locations?{query}")
        assert (response.status_code, response.json()["status_code"]) == (200, 2001), query
    for query in (f"limit={10**15}", "limit=", "offset=&date_from="):
        response = await pull(f"locations?{query}")
        assert (response.status_code, response.json()["status_code"]) == (200, 1000), query


async def test_single_objects_are_found_whatever_their_case(ocpi_house, objects, pull):
    await put_locations(ocpi_house, objects, "quay-77")

    assert (await pull("locations/QUAY-77")).json()["data"]["id"] == "quay-77"
    assert (await pull("locations/quay-77/e1")).json()["data"]["evse_id"] == "NL*VBR*E1"
    connector = (await pull("locations/quay-77/E1/1/")).json()["data"]
    assert connector["tariff_ids"] == ["AC-DAY"]
    for unknown in ("locations/quay-78", "locations/quay-77/E2", "locations/quay-77/E1/2"):
        assert (await pull(unknown)).status_code == 404


async def test_what_may_not_roam_is_nowhere(ocpi_house, objects, pull):
    await put_locations(ocpi_house, objects, "hidden", roaming=False)
    await put_locations(ocpi_house, objects, "private", publish=False)

    assert ids(await pull("locations")) == ["private"]
    assert (await pull("locations/hidden")).status_code == 404


async def test_a_partner_sees_and_counts_only_its_own_sessions_and_issued_records(ocpi_house, objects, pull):
    stranger = replace(objects.token, party_id="XYZ")
    await put_session(ocpi_house, objects, "S-1")
    await put_session(ocpi_house, objects, "S-2", stranger)
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        for cdr_id, token, state in (
            ("C-1", objects.token, CdrState.ISSUED),
            ("C-2", stranger, CdrState.ISSUED),
            ("C-3", objects.token, CdrState.HELD),
        ):
            reason = HoldReason.NO_STOP if state is CdrState.HELD else None
            record = objects.cdr(cdr_id, token=token)
            await cdrs.add(unit.session, record, ref=cdr_id, state=state, reason=reason, now=unit.now())

    for path, expected in (("sessions", ["S-1"]), ("cdrs", ["C-1"])):
        response = await pull(path)
        assert ids(response) == expected
        assert response.headers["X-Total-Count"] == "1"


async def test_a_withdrawn_tariff_is_not_listed(ocpi_house, objects, pull):
    async with ocpi_house.store.unit_of_work(ocpi_house.clock) as unit:
        await tariff_service.put(unit, objects.tariff())
        await tariff_service.put(unit, objects.tariff("DC"))
        await tariff_service.withdraw(unit, "AC-DAY")

    assert ids(await pull("tariffs")) == ["DC"]


async def test_a_partners_own_page_limit_is_kept(ocpi_house, objects, pull):
    partner = ocpi_house.desk.registry.all()[0]
    await invitations.set_settings(ocpi_house.desk, partner.id, {"page_limit": 1})
    await put_locations(ocpi_house, objects, "L0", "L1")

    response = await pull("locations?limit=50")

    assert ids(response) == ["L0"]
    assert response.headers["X-Limit"] == "1"
    assert "limit=1&" in next_link(response)
