"""Who may connect, with which password, and how a station is taken in; on both databases."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from app.domain.charging.state import Names
from app.domain.errors import Invalid, NotFound
from app.domain.stations import Admission, ConnectorLink, SetUp
from app.services import stations as service
from app.services.intake.intake import Intake
from app.services.stations import (
    Entry,
    Stations,
    UnknownStations,
    hash_password,
    new_password,
    password_matches,
    valid_id,
)
from app.store.bulk.writer import Writer

Make = Callable[..., Stations]


@pytest.fixture
async def make(store: Any, clock: Any) -> AsyncIterator[Make]:
    """Stations of a house, with the settings a test wants."""
    writer = Writer(store, clock)
    names = Names(number=lambda: 1, id=lambda: "id", country_code="NL", party_id="VBR")
    intake = Intake(store, writer, clock, names)
    intake.start()

    def made(unknown: str = "pending", *, profile_0: bool = False) -> Stations:
        return Stations(store, clock, intake.report, unknown=UnknownStations(unknown), profile_0=profile_0)

    yield made
    await intake.stop()
    await writer.close()


def test_a_password_is_stored_salted_and_never_twice_the_same() -> None:
    first, second = hash_password("secret"), hash_password("secret")
    assert first != second
    assert "secret" not in first
    assert password_matches(first, b"secret")
    assert not password_matches(first, b"Secret")
    assert not password_matches(first, b"")
    assert not password_matches("plain", b"plain")


@pytest.mark.parametrize("digits", [32, 36, 40])
def test_a_hexadecimal_key_counts_in_either_case_and_as_its_bytes(digits: int) -> None:
    key = "0123456789ABCDEFabcdef0123456789abcdef01"[:digits]
    hashed = hash_password(key)
    for form in (key.encode(), key.lower().encode(), key.upper().encode(), bytes.fromhex(key)):
        assert password_matches(hashed, form)
    assert not password_matches(hashed, bytes.fromhex(key)[:-1])


def test_other_passwords_count_only_as_they_are() -> None:
    hashed = hash_password("ABCDEF0123456789")
    assert not password_matches(hashed, b"abcdef0123456789")
    assert not password_matches(hashed, bytes.fromhex("ABCDEF0123456789"))


def test_a_new_password_is_long_and_fits_every_version() -> None:
    assert len(new_password()) == 40
    assert new_password() != new_password()


def test_ids() -> None:
    assert all(valid_id(name) for name in ("CS1", "NL:1", "a|b@c", "x" * 48))
    assert not any(valid_id(name) for name in ("", "x" * 49, "a b", "a/b", "é", "a\n"))


async def test_a_stranger_is_refused_but_listed_once(make: Make) -> None:
    stations = make()
    assert await stations.admit("NEW", None) is Entry.UNKNOWN
    assert await stations.admit("NEW", b"x") is Entry.PENDING
    found, total = await stations.find(limit=10, state=Admission.PENDING)
    assert (total, found[0].station.id) == (1, "NEW")


async def test_strangers_cannot_fill_the_database(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "MOST_PENDING", 3)
    stations = make()
    for number in range(6):
        assert await stations.admit(f"NEW{number}", None) is Entry.UNKNOWN
    assert (await stations.find(limit=10))[1] == 3


async def test_strangers_may_be_let_in_or_turned_away_without_a_trace(make: Make) -> None:
    assert await make("reject").admit("A", None) is Entry.UNKNOWN
    assert (await make().find(limit=10))[1] == 0
    open_house = make("accept", profile_0=True)
    assert await open_house.admit("B", None) is Entry.WELCOME
    assert (await open_house.get("B")).station.state is Admission.ACCEPTED


async def test_an_operator_puts_a_station_and_it_may_connect_with_its_password(make: Make) -> None:
    stations = make()
    link = ConnectorLink(evse=1, evse_uid="E1", connector_id="1")
    stored, created = await stations.put("CS1", SetUp(location_id="L1", connectors=(link,)), "secret")
    assert created
    assert stored.has_password
    assert (stored.station.state, stored.station.location_id) == (Admission.ACCEPTED, "L1")
    assert await stations.admit("CS1", b"secret") is Entry.WELCOME
    assert await stations.admit("CS1", b"wrong") is Entry.WRONG_PASSWORD
    assert await stations.admit("CS1", None) is Entry.NO_PASSWORD
    stored, created = await stations.put("CS1", SetUp(location_id="L2"))
    assert not created
    assert (stored.station.location_id, stored.station.connectors) == ("L2", ())
    assert await stations.admit("CS1", b"secret") is Entry.WELCOME


async def test_a_station_without_a_password_needs_profile_0(make: Make) -> None:
    await make().put("CS1", SetUp())
    assert await make().admit("CS1", None) is Entry.NO_PASSWORD
    assert await make(profile_0=True).admit("CS1", None) is Entry.WELCOME
    await make().put("CS1", SetUp(security_profile=1))
    assert await make(profile_0=True).admit("CS1", None) is Entry.NO_PASSWORD
    await make().put("CS2", SetUp(security_profile=0), "secret")
    assert await make(profile_0=True).admit("CS2", None) is Entry.NO_PASSWORD


async def test_what_cannot_be_put(make: Make) -> None:
    for name, password in (("a b", None), ("x" * 49, None), ("CS1", "")):
        with pytest.raises(Invalid):
            await make().put(name, SetUp(), password)
    assert (await make().find(limit=1))[1] == 0


async def test_accepting_makes_a_password_that_is_told_once(make: Make) -> None:
    stations = make()
    await stations.admit("CS1", None)
    accepted = await stations.accept("CS1")
    assert accepted.password is not None
    assert await stations.admit("CS1", accepted.password.encode()) is Entry.WELCOME
    assert (await stations.accept("CS1")).password is None
    assert await stations.admit("CS1", accepted.password.encode()) is Entry.WELCOME


async def test_accepting_where_profile_0_is_allowed_makes_no_password(make: Make) -> None:
    stations = make(profile_0=True)
    await stations.admit("CS1", None)
    assert (await stations.accept("CS1")).password is None
    assert await stations.admit("CS1", None) is Entry.WELCOME


async def test_who_cannot_be_accepted(make: Make) -> None:
    with pytest.raises(NotFound):
        await make().accept("NOBODY")
    await make().put("CS1", SetUp())
    for minutes in (0, -1, 24 * 60 + 1):
        with pytest.raises(Invalid):
            await make().accept("CS1", minutes)


async def test_adoption_is_open_for_its_time_and_without_a_password_only(make: Make, clock: Any) -> None:
    stations = make()
    await stations.admit("CS1", None)
    assert (await stations.accept("CS1", 15)).password is None
    assert await stations.admit("CS1", None) is Entry.ADOPTION
    assert await stations.admit("CS1", b"x") is Entry.NO_PASSWORD
    clock.advance(15 * 60)
    assert await stations.admit("CS1", None) is Entry.NO_PASSWORD


async def test_an_adopted_station_needs_its_password_from_then_on(make: Make) -> None:
    stations = make()
    await stations.put("CS1", SetUp())
    await stations.accept("CS1", 15)
    password = await stations.offer_password("CS1")
    assert await stations.admit("CS1", None) is Entry.ADOPTION
    assert await stations.admit("CS1", password.encode()) is Entry.WELCOME
    await stations.settle_adoption("CS1", taken=True)
    assert await stations.admit("CS1", None) is Entry.NO_PASSWORD
    assert await stations.admit("CS1", bytes.fromhex(password)) is Entry.WELCOME


async def test_a_refused_password_is_worth_nothing_and_the_window_stays_open(make: Make) -> None:
    stations = make()
    await stations.put("CS1", SetUp())
    await stations.accept("CS1", 15)
    password = await stations.offer_password("CS1")
    await stations.settle_adoption("CS1", taken=False)
    assert await stations.admit("CS1", None) is Entry.ADOPTION
    assert await stations.admit("CS1", password.encode()) is not Entry.WELCOME
