"""No secret is written down, and no value, however odd, stops a line from being written."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.kit.redaction import is_secret, mask_headers, masked, printable

SECRET = "hunter2-9f8e7d6c"


@pytest.mark.parametrize(
    "text",
    [
        f"Authorization: Token {SECRET}",
        f"authorization: basic {SECRET}",
        f"Authorization: {SECRET}",
        f"sent Bearer {SECRET}, got 401",
        f"sent TOKEN {SECRET}",
        f"[(b'authorization', b'Token {SECRET}')]",
        f'{{"headers": {{"Authorization": "Token {SECRET}"}}}}',
        f'{{"token": "{SECRET}"}}',
        f'{{"token_a" : "{SECRET}", "url": "https://x"}}',
        f"{{'password': '{SECRET}'}}",
        f'{{\\"token\\":\\"{SECRET}\\"}}',
        f'{{"client_secret":"{SECRET}"}}',
        f'[2,"1","ChangeConfiguration",{{"key":"AuthorizationKey","value":"{SECRET}"}}]',
        f'[2,"1","ChangeConfiguration",{{"value":"{SECRET}","key":"AuthorizationKey"}}]',
        f'{{"attributeValue":"{SECRET}","variable":{{"name":"BasicAuthPassword"}}}}',
        f"postgresql+asyncpg://volt:{SECRET}@db/volt",
    ],
)
def test_a_secret_inside_a_text_is_masked(text):
    assert SECRET not in masked(text)
    assert SECRET not in orjson.dumps(printable({"event": text})).decode()
    assert SECRET not in orjson.dumps(printable({"frame": text.encode()})).decode()


@pytest.mark.parametrize(
    "text",
    [
        "station CP1 is online",
        '[2,"19223201","BootNotification",{"chargePointVendor":"VendorX"}]',
        '{"idTag":"B4A63CDF","timestamp":"2026-11-20T10:00:00Z"}',
        "https://emsp.example.com/ocpi/2.2.1/tokens?limit=50",
        "the token was rotated",
    ],
)
def test_an_ordinary_text_stays_as_it_is(text):
    assert masked(text) == text


@pytest.mark.parametrize(
    "value",
    [
        {"token": SECRET},
        {"token_a": SECRET},
        {"Token-C": SECRET},
        {"access_token": SECRET},
        {"password": SECRET},
        {"password_hash": SECRET.encode()},
        {"AuthorizationKey": SECRET},
        {"secret_key": SECRET},
        {"Set-Cookie": SECRET},
        {"deep": [{"er": ({"apiKey": SECRET},)}]},
        {"tokens": [SECRET, SECRET]},
        {"password": {"value": SECRET}},
        {"headers": [("Authorization", SECRET), (b"x", b"y")]},
        {"payload": {"key": "AuthorizationKey", "value": SECRET}},
        {"payload": {"attributeValue": SECRET, "variable": {"name": "BasicAuthPassword"}}},
    ],
)
def test_what_stands_under_a_secret_name_is_masked(value):
    assert SECRET not in orjson.dumps(printable(value)).decode()


def test_a_drivers_card_is_shown_though_ocpi_calls_it_a_token():
    card = {"token": {"uid": "B4A63CDF", "type": "RFID"}, "idToken": {"idToken": "B4A63CDF"}}
    assert printable(card) == card
    assert not is_secret("token_type")


def test_headers_keep_their_names_and_an_authorization_its_scheme():
    given_headers = [(b"Authorization", b"Token c2VjcmV0"), (b"X-Request-ID", b"r1"), (b"Cookie", b"a=b")]
    assert mask_headers(given_headers) == {
        "Authorization": "Token ***",
        "X-Request-ID": "r1",
        "Cookie": "***",
    }
    assert mask_headers({"authorization": "nakedtoken"}) == {"authorization": "***"}


class Hostile:
    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class HostileMapping(dict):
    def items(self):
        raise RuntimeError("no")


def test_no_value_stops_a_line():
    circle: list[object] = []
    circle.append(circle)
    odd = {
        "surrogate": "\ud800",
        "nul": "\x00\x1b",
        "big": 10**40,
        "huge": 1 << 100_000,
        "bytes": b"\xff\xfe",
        "hostile": Hostile(),
        "mapping": HostileMapping(a=1),
        "circle": circle,
        "nan": float("nan"),
        "when": datetime(2026, 1, 1, tzinfo=UTC),
        "money": Decimal("0.30"),
        "error": ValueError("x"),
        ("a", 1): {1: 2, None: 3},
        "long": "x" * 100_000,
    }
    line = json.loads(orjson.dumps(printable(odd)))
    assert line["surrogate"] == "\\ud800"
    assert line["money"] == "0.30"
    assert line["hostile"].startswith("<unprintable Hostile")
    assert len(line["long"]) < 20_000
    assert line["long"].endswith("(100000 characters)")


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text(st.characters()) | st.integers() | st.binary(), inner)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(values)
def test_any_value_becomes_json_without_control_characters(value):
    text = orjson.dumps(printable({"value": value})).decode()
    json.loads(text)
    assert not any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in text)


@settings(deadline=None)
@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEF0123456789+/=", min_size=1, max_size=64))
def test_any_credentials_token_is_masked_in_a_header_line(token):
    assert masked(f"Authorization: Token {token}") == "Authorization: Token ***"
