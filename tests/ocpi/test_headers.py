"""Credentials tokens, message ids and routing headers, as platforms really send them."""

import base64
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from ocpi.errors import InvalidParameterError
from ocpi.headers import MessageIds, RoutedParty, Routing, authorization, new_message_id, token_candidates

VISIBLE = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E), min_size=1, max_size=64)


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@given(VISIBLE)
def test_a_written_token_is_the_first_candidate_when_read(token: str) -> None:
    assert token_candidates(authorization(token))[0] == token


@given(VISIBLE)
def test_a_raw_token_is_among_the_candidates(token: str) -> None:
    assert token in token_candidates(authorization(token, raw=True))


def test_a_token_encoded_with_its_line_feed_is_read() -> None:
    assert token_candidates("Token " + encoded("my-token\n"))[0] == "my-token"
    assert token_candidates("Token " + encoded("my-token \r\n"))[0] == "my-token"


def test_missing_padding_is_tolerated() -> None:
    assert token_candidates("Token " + encoded("abcd").rstrip("="))[0] == "abcd"


def test_both_readings_are_offered_the_decoded_one_first() -> None:
    assert token_candidates("Token YWJj") == ("abc", "YWJj")


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "Token",
        "Token ",
        "token YWJj",
        "Bearer YWJj",
        "Basic YWJj",
        "Token  YWJj",
        "Token a b",
        "Token " + "a" * 65,
        "Token " + "a" * 100_000,
        "Token t\u00f6ken",
    ],
)
def test_anything_else_is_no_token(value: str | None) -> None:
    assert token_candidates(value) == ()


@pytest.mark.parametrize("token", ["", "with space", "line\n", "a" * 65, "\u00fc"])
def test_refuses_to_write_what_is_no_token(token: str) -> None:
    with pytest.raises(ValueError):
        authorization(token)


def test_message_ids_are_echoed() -> None:
    ids = MessageIds.read(Headers({"x-request-id": "r-1", "X-CORRELATION-ID": "c-1"}))
    assert ids.headers() == {"X-Request-ID": "r-1", "X-Correlation-ID": "c-1"}


def test_missing_or_unfit_message_ids_are_replaced() -> None:
    ids = MessageIds.read(Headers({"x-request-id": "x" * 500, "x-correlation-id": "a b"}))
    assert len(ids.request_id) == len(ids.correlation_id) == 36
    assert ids.request_id != ids.correlation_id
    assert MessageIds.new("chain").correlation_id == "chain"
    assert MessageIds.new("chain").request_id != MessageIds.new("chain").request_id


def test_routing_is_read_without_regard_to_case_and_swapped_for_the_answer() -> None:
    routing = Routing.parse(
        Headers(
            {
                "ocpi-TO-country-code": "nl",
                "ocpi-to-party-id": "Vbr",
                "OCPI-FROM-COUNTRY-CODE": "DE",
                "ocpi-from-party-id": "EMS",
            }
        )
    )
    assert routing.to == RoutedParty("nl", "Vbr")
    assert routing.to.key == ("NL", "VBR")
    assert routing.swapped().headers() == {
        "OCPI-to-country-code": "DE",
        "OCPI-to-party-id": "EMS",
        "OCPI-from-country-code": "nl",
        "OCPI-from-party-id": "Vbr",
    }


def test_routing_may_be_absent_in_whole_or_for_one_side() -> None:
    assert Routing.parse(Headers({})) == Routing()
    assert Routing().headers() == {}
    only_from = Routing.parse(Headers({"ocpi-from-country-code": "DE", "ocpi-from-party-id": "EMS"}))
    assert only_from == Routing(sender=RoutedParty("DE", "EMS"))


@pytest.mark.parametrize(
    "headers",
    [
        {"ocpi-to-country-code": "NL"},
        {"ocpi-from-party-id": "EMS"},
        {"ocpi-to-country-code": "NLD", "ocpi-to-party-id": "VBR"},
        {"ocpi-to-country-code": "NL", "ocpi-to-party-id": "VBRX"},
        {"ocpi-to-country-code": "NL", "ocpi-to-party-id": "../"},
    ],
)
def test_half_or_malformed_routing_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(InvalidParameterError):
        Routing.parse(Headers(headers))


def test_message_ids_that_we_make_are_random_uuids() -> None:
    made = {new_message_id() for _ in range(2000)}
    assert len(made) == 2000
    for text in made:
        found = UUID(text)
        assert (str(found), found.version, found.variant) == (text, 4, RFC_4122)
