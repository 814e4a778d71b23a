"""Prices of one partner: what it and everybody else is told and can pull."""

import pytest

from app.domain.errors import Invalid, NotFound
from app.services import locations as location_service
from app.services import tariffs as tariff_service
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import invitations
from ocpi.push.prices import set_prices, special_for
from ocpi.simulator.emsp import EmspSimulator


@pytest.fixture
async def other():
    """A second eMSP."""
    async with EmspSimulator(country_code="NL", party_id="OTH", name="Other").running() as simulator:
        yield simulator


@pytest.fixture
async def join(ocpi_house):
    """Register an eMSP, and wait until it has been told everything; gives its partner id."""

    async def joining(emsp):
        partner, token_a = await invitations.invite(ocpi_house.desk, emsp.identity.name)
        await emsp.register(ocpi_house.desk.versions_url("cpo"), token_a)
        await emsp.wait_until(lambda: emsp.ledger.locations)
        await ocpi_house.settled()
        return partner.id

    return joining


async def put_site(house, objects, *more):
    async with house.store.unit_of_work(house.clock) as unit:
        for tariff_id in ("AC-DAY", *more):
            await tariff_service.put(unit, objects.tariff(tariff_id))
        await location_service.put(unit, objects.location())


def named(location):
    return location["evses"][0]["connectors"][0]["tariff_ids"]


async def test_a_special_price_reaches_its_partner_and_nobody_else(ocpi_house, emsp, other, objects, join):
    await put_site(ocpi_house, objects, "SPECIAL")
    mine, theirs = await join(emsp), await join(other)

    await set_prices(ocpi_house.desk, mine, {"ac-day": "special"})
    ocpi_house.worker.wake()
    await ocpi_house.settled()
    await put_site(ocpi_house, objects, "SPECIAL")
    await ocpi_house.settled()

    assert [each["id"] for each in await emsp.pull(ModuleId.TARIFFS)] == ["SPECIAL"]
    assert [each["id"] for each in await other.pull(ModuleId.TARIFFS)] == ["AC-DAY"]
    assert [named(each) for each in await emsp.pull(ModuleId.LOCATIONS)] == [["SPECIAL"]]
    assert [named(each) for each in await other.pull(ModuleId.LOCATIONS)] == [["AC-DAY"]]
    assert sorted(emsp.ledger.tariffs) == ["SPECIAL"]
    assert sorted(other.ledger.tariffs) == ["AC-DAY"], "what it was told before is taken back"
    told = [m for m in other.ledger.messages if m.kind == "tariffs" and m.path.endswith("SPECIAL")]
    assert [m.method for m in told] == ["PUT", "DELETE"], "and it hears no more of it"
    assert named(emsp.ledger.locations["quay-77"].to_wire()) == ["SPECIAL"]
    assert named(other.ledger.locations["quay-77"].to_wire()) == ["AC-DAY"]
    assert ocpi_house.partner(theirs).prices == {}
    assert special_for(ocpi_house.desk, "Special").id == mine


async def test_a_newcomer_does_not_hear_of_a_price_that_is_special(ocpi_house, emsp, other, objects, join):
    await put_site(ocpi_house, objects, "SPECIAL")
    await set_prices(ocpi_house.desk, await join(emsp), {"AC-DAY": "SPECIAL"})
    await join(other)
    await other.wait_until(lambda: other.ledger.locations)
    await ocpi_house.settled()

    assert [m.path.rsplit("/", 1)[1] for m in other.ledger.messages if m.kind == "tariffs"] == ["AC-DAY"]


async def test_taking_it_back_tells_the_usual_price_again(ocpi_house, emsp, objects, join):
    await put_site(ocpi_house, objects, "SPECIAL")
    mine = await join(emsp)
    await set_prices(ocpi_house.desk, mine, {"AC-DAY": "SPECIAL"})
    await ocpi_house.settled()
    (before,) = await emsp.pull(ModuleId.LOCATIONS)

    await set_prices(ocpi_house.desk, mine, {})
    ocpi_house.worker.wake()
    await ocpi_house.settled()

    (after,) = await emsp.pull(ModuleId.LOCATIONS)
    assert (named(before), named(after)) == (["SPECIAL"], ["AC-DAY"])
    assert after["last_updated"] > before["last_updated"], "who pulls by date finds the change"
    assert named(emsp.ledger.locations["quay-77"].to_wire()) == ["AC-DAY"]
    assert "AC-DAY" in emsp.ledger.tariffs


async def test_single_objects_are_seen_with_the_partners_prices(ocpi_house, emsp, objects, join):
    await put_site(ocpi_house, objects, "SPECIAL")
    await set_prices(ocpi_house.desk, await join(emsp), {"AC-DAY": "SPECIAL"})

    url = emsp.registration.url_of(ModuleId.LOCATIONS, InterfaceRole.SENDER)
    client, peer = emsp._client, emsp.registration.peer()
    whole = await client.send("GET", f"{url}/quay-77", peer)
    evse = await client.send("GET", f"{url}/quay-77/E1", peer)
    connector = await client.send("GET", f"{url}/quay-77/E1/1", peer)

    assert named(whole.data) == ["SPECIAL"]
    assert evse.data["connectors"][0]["tariff_ids"] == ["SPECIAL"]
    assert connector.data["tariff_ids"] == ["SPECIAL"]


@pytest.mark.parametrize("database", ["sqlite"])
@pytest.mark.parametrize(
    ("prices", "words"),
    [
        ({"AC-DAY": "NONE"}, "no tariff NONE"),
        ({"NONE": "SPECIAL"}, "no tariff NONE"),
        ({"AC-DAY": "SPECIAL", "ac-day": "OTHER"}, "named twice"),
        ({"AC-DAY": "SPECIAL", "SPECIAL": "OTHER"}, "itself replaced"),
        ({"OTHER": "AC-DAY"}, "location quay-77 names AC-DAY"),
    ],
)
async def test_prices_that_cannot_be_are_refused(ocpi_house, objects, prices, words):
    await put_site(ocpi_house, objects, "SPECIAL", "OTHER")
    partner, _ = await invitations.invite(ocpi_house.desk, "eMSP")

    with pytest.raises(Invalid, match=words):
        await set_prices(ocpi_house.desk, partner.id, prices)

    assert ocpi_house.partner(partner.id).prices == {}
    with pytest.raises(NotFound):
        await set_prices(ocpi_house.desk, "nobody", {})
