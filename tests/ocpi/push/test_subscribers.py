"""Which partner is marked for which event."""

import asyncio
from datetime import UTC, datetime

import pytest

from app.domain.events import (
    CdrIssued,
    EvseStatusChanged,
    LocationChanged,
    SessionChanged,
    StationChanged,
    TariffChanged,
    TokenChanged,
)
from app.domain.parties import Party, Role
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import tables
from ocpi.partners.partner import Endpoint, Partner, PartnerParty, PartnerSettings, PartnerState
from ocpi.partners.registry import PartnerRegistry
from ocpi.push.audience import addressees
from ocpi.push.loading import evse_name, evse_of
from ocpi.push.subscribers import on_events

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ALL = (ModuleId.LOCATIONS, ModuleId.TARIFFS, ModuleId.SESSIONS, ModuleId.CDRS)


def partner(partner_id, role=Role.EMSP, *, modules=ALL, state=PartnerState.REGISTERED, **changes):
    values = {
        "id": partner_id,
        "platform": "cpo",
        "name": partner_id,
        "state": state,
        "token_hash": f"hash-{partner_id}",
        "token_out": "locked",
        "endpoints": tuple(
            Endpoint(m, InterfaceRole.RECEIVER, f"https://{partner_id}.example/{m}/") for m in modules
        ),
        "parties": (PartnerParty(role, "DE", partner_id.upper()),),
        "created_at": NOW,
        "last_updated": NOW,
    }
    return Partner(**(values | changes))


@pytest.fixture
def ask(store, clock):
    """Ask the subscriber which (partner, kind, object, whole) an event calls for, given these partners."""

    async def asking(event, *partners):
        async with store.unit_of_work(clock) as unit:
            for each in partners:
                await tables.save(unit.session, each)
        registry = PartnerRegistry(store)
        await registry.load()
        return [(m.partner_id, m.kind, m.object_id, m.whole) for m in on_events(registry)([event])]

    return asking


async def test_status_reaches_everyone_who_takes_locations(ask):
    event = EvseStatusChanged(location_id="L", evse_uid="E", at=NOW)

    marks = await ask(
        event,
        partner("aaa"),
        partner("nsp", Role.NSP),
        partner("cpo", Role.CPO),
        partner("ccc", modules=(ModuleId.CDRS,)),
        partner("ddd", state=PartnerState.SUSPENDED),
        partner("eee", token_out=None, state=PartnerState.INVITED),
        partner("fff", state=PartnerState.PAUSED),
    )

    assert sorted(marks) == [(name, "evse", "L/E", False) for name in ("aaa", "fff", "nsp")]


async def test_sessions_and_records_reach_only_the_emsp_of_the_token(ask):
    partners = (partner("aaa"), partner("bbb"), partner("nsp", Role.NSP))
    session = SessionChanged(session_id="S", owner=Party("de", "Aaa"), whole=False, at=NOW)

    assert await ask(session, *partners) == [("aaa", "session", "S", False)]
    cdr = CdrIssued(cdr_id="C", owner=Party("DE", "BBB"), at=NOW)
    assert await ask(cdr) == [("bbb", "cdr", "C", True)]
    assert await ask(CdrIssued(cdr_id="C", owner=Party("DE", "NSP"), at=NOW)) == []
    assert await ask(CdrIssued(cdr_id="C", owner=Party("DE", "XXX"), at=NOW)) == []


async def test_locations_that_may_not_roam_and_matters_of_the_house_reach_nobody(ask):
    one = partner("aaa")

    assert await ask(LocationChanged(location_id="L", roaming=False, at=NOW), one) == []
    assert await ask(StationChanged(station_id="X")) == []
    assert await ask(TokenChanged(country_code="DE", party_id="AAA", uid="1")) == []
    assert await ask(LocationChanged(location_id="L", roaming=True, at=NOW)) == [
        ("aaa", "location", "L", True)
    ]
    assert await ask(TariffChanged(tariff_id="T", at=NOW)) == [("aaa", "tariff", "T", True)]


def test_each_party_gets_its_own_request_unless_the_partner_wants_one_per_platform():
    parties = (
        PartnerParty(Role.EMSP, "DE", "AAA"),
        PartnerParty(Role.NSP, "DE", "AAA"),
        PartnerParty(Role.EMSP, "NL", "BBB"),
        PartnerParty(Role.CPO, "NL", "CCC"),
    )
    each = partner("x", parties=parties)
    once = partner("x", parties=parties, settings=PartnerSettings(broadcast="per_platform"))

    assert [p.party_id for p in addressees(each)] == ["AAA", "BBB"]
    assert [p.party_id for p in addressees(once)] == ["AAA"]


@pytest.mark.parametrize("location_id", ["L", "a/b", "50%", "a%2Fb", "ü"])
def test_an_evse_is_found_by_its_name_whatever_the_ids(location_id):
    assert evse_of(evse_name(location_id, "E/1%")) == (location_id, "E/1%")


async def test_asking_is_quick(ask, store):
    registry = PartnerRegistry(store)
    await registry.load()
    subscriber = on_events(registry)
    event = EvseStatusChanged(location_id="L", evse_uid="E", at=NOW)
    began = asyncio.get_running_loop().time()

    for _ in range(10_000):
        subscriber((event,))

    assert asyncio.get_running_loop().time() - began < 2
