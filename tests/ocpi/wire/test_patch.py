"""PATCH bodies laid over objects."""

from collections.abc import Callable
from typing import Any

import pytest

from ocpi.errors import InvalidParameterError
from ocpi.wire.base import render
from ocpi.wire.locations import EVSE, Location
from ocpi.wire.patch import apply_patch
from ocpi.wire.sessions import Session
from ocpi.wire.tokens import Token

Build = Callable[..., dict[str, Any]]
LATER = "2026-03-01T10:05:00Z"


def test_only_the_given_fields_change_and_the_original_stays(wire_object: Build) -> None:
    before = Token.read(wire_object("token"))
    original = render(before)
    after = apply_patch(before, {"valid": False, "last_updated": LATER})
    assert after.to_wire() == wire_object("token", valid=False, last_updated=LATER)
    assert render(before) == original


@pytest.mark.parametrize("patch", [{"valid": False}, {"valid": False, "last_updated": None}, {}])
def test_last_updated_is_required(patch: dict[str, Any], wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="last_updated"):
        apply_patch(Token.read(wire_object("token")), patch)


@pytest.mark.parametrize("patch", [None, [], "x", 1])
def test_a_patch_is_an_object(patch: object, wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="object"):
        apply_patch(Token.read(wire_object("token")), patch)


def test_null_takes_optional_fields_away_and_no_others(wire_object: Build) -> None:
    token = Token.read(wire_object("token", group_id="fleet"))
    assert apply_patch(token, {"group_id": None, "last_updated": LATER}).group_id is None
    with pytest.raises(InvalidParameterError, match="issuer"):
        apply_patch(token, {"issuer": None, "last_updated": LATER})


def test_the_result_must_be_valid(wire_object: Build) -> None:
    with pytest.raises(InvalidParameterError, match="whitelist"):
        apply_patch(Token.read(wire_object("token")), {"whitelist": "PERHAPS", "last_updated": LATER})


def test_unknown_fields_are_kept_and_changed(wire_object: Build) -> None:
    token = Token.read(wire_object("token", x_color="red", x_size=1))
    after = apply_patch(token, {"x_color": "blue", "last_updated": LATER}).to_wire()
    assert (after["x_color"], after["x_size"]) == ("blue", 1)


def test_an_object_keeps_its_name(wire_object: Build) -> None:
    token = Token.read(wire_object("token"))
    assert apply_patch(token, {"uid": token.uid.lower(), "last_updated": LATER}).uid == token.uid
    for name, value in (("uid", "other"), ("party_id", "XXX"), ("country_code", None), ("uid", 7)):
        with pytest.raises(InvalidParameterError, match=name):
            apply_patch(token, {name: value, "last_updated": LATER})


def test_charging_periods_are_appended(wire_object: Build) -> None:
    session = Session.read(wire_object("session"))
    period = {"start_date_time": LATER, "dimensions": [{"type": "TIME", "volume": 1}]}
    after = apply_patch(session, {"charging_periods": [period], "last_updated": LATER})
    assert [each.start_date_time.minute for each in after.charging_periods] == [0, 5]
    assert len(apply_patch(after, {"kwh": 8, "last_updated": LATER}).charging_periods) == 2
    assert len(apply_patch(after, {"charging_periods": None, "last_updated": LATER}).charging_periods) == 2
    with pytest.raises(InvalidParameterError, match="charging_periods"):
        apply_patch(session, {"charging_periods": "none", "last_updated": LATER})


def test_evses_and_connectors_are_merged_by_their_ids(wire_object: Build) -> None:
    location = Location.read(
        wire_object("location", evses=[wire_object("evse"), wire_object("evse", uid="E-77-2")])
    )
    changed = {"uid": "e-77-2", "status": "CHARGING", "connectors": [{"id": "1", "max_amperage": 16}]}
    added = wire_object("evse", uid="E-77-3")
    after = apply_patch(location, {"evses": [changed, added], "last_updated": LATER})
    assert [(evse.uid, evse.status) for evse in after.evses] == [
        ("E-77-1", "AVAILABLE"),
        ("E-77-2", "CHARGING"),
        ("E-77-3", "AVAILABLE"),
    ]
    assert after.evses[1].connectors[0].max_amperage == 16
    assert after.evses[1].connectors[0].max_voltage == 230


def test_nothing_vanishes_from_a_location(wire_object: Build) -> None:
    location = Location.read(wire_object("location"))
    assert len(apply_patch(location, {"evses": None, "last_updated": LATER}).evses) == 1
    for nameless in ({"status": "REMOVED"}, {"uid": 7}, "E-77-1"):
        with pytest.raises(InvalidParameterError, match="uid"):
            apply_patch(location, {"evses": [nameless], "last_updated": LATER})


def test_the_status_of_an_evse(wire_object: Build) -> None:
    evse = EVSE.read(wire_object("evse"))
    assert apply_patch(evse, {"status": "REMOVED", "last_updated": LATER}).status == "REMOVED"
