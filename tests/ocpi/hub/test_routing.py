"""The decision where a message goes: pure, with its reason, and never to a party that it is not for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.parties import Party
from ocpi.errors import InvalidParameterError, NotEnoughInformationError, OcpiError
from ocpi.headers import RoutedParty
from ocpi.hub.routing import (
    BROADCAST,
    METHODS,
    Kind,
    Message,
    Reason,
    Route,
    Wanted,
    check_owner,
    check_shape,
    decide,
)
from ocpi.modules import InterfaceRole, ModuleId

HUB = Party("NL", "VHB")
AAA = Party("NL", "AAA")
EMS = RoutedParty("de", "Ems")
SENDER, RECEIVER = InterfaceRole.SENDER, InterfaceRole.RECEIVER
TOKEN = {"country_code": "DE", "party_id": "EMS", "uid": "04AA"}


def message(
    module: str, role: InterfaceRole, method: str, *segments: str, to: RoutedParty | None = None
) -> Message:
    return Message(ModuleId(module), role, method, segments, to, AAA)


def never() -> Any:
    raise AssertionError("the body must not be read")


@pytest.mark.parametrize("module", [m for m in ModuleId if m.routed])
def test_a_named_party_gets_it_whatever_it_is_and_the_body_stays_shut(module: ModuleId) -> None:
    for (known, role), shapes in METHODS.items():
        for shape in shapes if known is module else ():
            found = decide(message(module, role, "PUT", *shape, to=EMS), HUB, never)
            assert found == Route(Reason.TO_HEADER, EMS)


@pytest.mark.parametrize(
    ("asked", "body", "expected"),
    [
        (message("locations", SENDER, "GET", "L1"), None, Wanted(Reason.OWNER, Kind.LOCATION, "L1")),
        (message("tokens", SENDER, "POST", "T1", "authorize"), None, Wanted(Reason.ISSUER, Kind.TOKEN, "T1")),
        (
            message("sessions", SENDER, "PUT", "S1", "charging_preferences"),
            None,
            Wanted(Reason.OWNER, Kind.SESSION, "S1"),
        ),
        (
            message("cdrs", RECEIVER, "POST"),
            {"cdr_token": TOKEN},
            Route(Reason.ISSUER, RoutedParty("DE", "EMS")),
        ),
        (
            message("sessions", RECEIVER, "PATCH", "NL", "AAA", "S1"),
            {"kwh": 1},
            Wanted(Reason.ISSUER, Kind.SESSION, "S1", issuer=True),
        ),
        (
            message("commands", RECEIVER, "POST", "STOP_SESSION"),
            {"session_id": "S1"},
            Wanted(Reason.OWNER, Kind.SESSION, "S1"),
        ),
        (
            message("commands", RECEIVER, "POST", "CANCEL_RESERVATION"),
            {"reservation_id": "R1"},
            Wanted(Reason.OWNER, Kind.RESERVATION, "R1"),
        ),
        (
            message("chargingprofiles", RECEIVER, "PUT", "S1"),
            None,
            Wanted(Reason.OWNER, Kind.SESSION, "S1"),
        ),
        (
            message("chargingprofiles", SENDER, "PUT", "S1"),
            None,
            Wanted(Reason.ISSUER, Kind.SESSION, "S1", issuer=True),
        ),
        (message("tariffs", RECEIVER, "PUT", "NL", "AAA", "T1"), None, Route(Reason.BROADCAST)),
        (message("tokens", RECEIVER, "GET", "NL", "AAA", "T1"), None, Route(Reason.HERE)),
    ],
)
def test_without_receiver_the_content_decides(asked: Message, body: Any, expected: Any) -> None:
    assert decide(asked, HUB, lambda: body) == expected


def test_a_list_without_receiver_is_refused_and_of_the_hub_is_its_own() -> None:
    with pytest.raises(NotEnoughInformationError):
        decide(message("locations", SENDER, "GET"), HUB, never)
    hub = RoutedParty("nl", "vhb")
    assert decide(message("locations", SENDER, "GET", to=hub), HUB, never) == Route(Reason.HERE)
    for module in ("cdrs", "sessions"):
        with pytest.raises(InvalidParameterError):
            decide(message(module, SENDER, "GET", to=hub), HUB, never)


_TEXT = st.text(max_size=8)
_BODIES = st.recursive(
    st.none() | st.integers() | _TEXT,
    lambda inner: st.dictionaries(_TEXT, inner) | st.lists(inner),
    max_leaves=5,
) | st.fixed_dictionaries(
    {}, optional={"cdr_token": st.none() | st.just(TOKEN) | st.dictionaries(_TEXT, _TEXT)}
)


@given(
    place=st.sampled_from(sorted(METHODS)),
    method=st.sampled_from(["GET", "PUT", "PATCH", "POST", "DELETE", "BREW"]),
    segments=st.lists(_TEXT | st.sampled_from(["NL", "AAA", "..", "authorize", "START_SESSION"]), max_size=6),
    to=st.none() | st.just(RoutedParty("NL", "vhb")) | st.builds(RoutedParty, _TEXT, _TEXT),
    body=_BODIES,
)
def test_whatever_comes_is_refused_or_goes_where_it_says(
    place: tuple[ModuleId, InterfaceRole],
    method: str,
    segments: list[str],
    to: RoutedParty | None,
    body: Any,
) -> None:
    asked = Message(*place, method, tuple(segments), to, AAA)
    try:
        check_shape(asked)
        check_owner(asked)
        found = decide(asked, HUB, lambda: body)
    except OcpiError:
        return
    if found.reason is Reason.TO_HEADER:
        assert to is not None
        assert isinstance(found, Route)
        assert found.to is to
    elif found.reason is Reason.BROADCAST:
        assert method in BROADCAST[asked.module]
        assert Party(*segments[:2]).folded() == AAA
    elif isinstance(found, Route) and found.to is not None:
        assert found.to.key == ("DE", "EMS") or body["cdr_token"]["country_code"] == found.to.country_code
