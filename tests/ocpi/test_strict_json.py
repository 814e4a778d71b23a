"""Bodies that are not JSON, and JSON that nobody should store."""

import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpi.errors import InvalidParameterError, MalformedBodyError, OcpiError
from ocpi.strict_json import parse_answer, parse_body


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_fractions_are_exact() -> None:
    assert parse_body(b'{"price": 0.10, "step": 1}') == {"price": Decimal("0.10"), "step": 1}
    assert isinstance(parse_answer(b'{"price": 0.10}')["price"], Decimal)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"{'a': 1}", b"NaN", b'{"a": Infinity}', b"[-Infinity]", b"<html>", b"\xff\xfe", b'"\xed\xa0\x80"',
            b'"\x00"', b'{"a": 1}{"b": 2}']
)  # fmt: skip
def test_what_is_no_json_gets_http_400(raw: bytes) -> None:
    with pytest.raises(MalformedBodyError) as refused:
        parse_body(raw)
    assert (refused.value.http_status, refused.value.status_code) == (400, 2001)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"id": "a", "id": "b"}',
        b'{"name": "a\\u0000b"}',
        b'{"na\\u0000me": 1}',
        b'["\\ud800"]',
        b'["\\uDC00\\uD800"]',
        b"1" * 5000,
        b"0." + b"1" * 5000,
        nested(65),
        nested(100_000),
    ],
)
def test_json_that_nobody_can_store_gets_2001(raw: bytes) -> None:
    with pytest.raises(InvalidParameterError) as refused:
        parse_body(raw)
    assert (refused.value.http_status, refused.value.status_code) == (200, 2001)


def test_refusals_do_not_repeat_what_was_sent() -> None:
    with pytest.raises(OcpiError) as refused:
        parse_body(b'{"secret-thing": ' + b"9" * 300 + b"}")
    assert len(refused.value.message) < 100


def test_accepts_what_only_looks_dangerous() -> None:
    assert parse_body(b'["\\\\u0000", "\\ud83d\\ude97"]') == ["\\u0000", "\U0001f697"]
    assert parse_body(nested(64))
    assert parse_body(b"[" + b"[]," * 5000 + b"[]]")
    assert parse_body(b'\xef\xbb\xbf{"byte order mark": true}') == {"byte order mark": True}


@pytest.mark.parametrize("raw", [b'["\\u0000"]', nested(65), nested(100_000)])
def test_answers_are_refused_for_the_same(raw: bytes) -> None:
    with pytest.raises(InvalidParameterError):
        parse_answer(raw)


@pytest.mark.parametrize("raw", [b"", b"<html>", b"[NaN]", b'"\\ud800"', b"9" * 5000, b"\xff"])
def test_answers_that_are_no_json_are_value_errors(raw: bytes) -> None:
    with pytest.raises(ValueError):
        parse_answer(raw)


@given(st.binary())
def test_any_bytes_are_read_or_refused_with_an_ocpi_error(raw: bytes) -> None:
    with contextlib.suppress(InvalidParameterError, MalformedBodyError):
        parse_body(raw)
