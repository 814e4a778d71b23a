"""The envelope: it reads any bytes without raising, and what it writes it can read."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ocpp_bridge import rpc
from ocpp_bridge.rpc import CallFrame, ErrorCode, ErrorFrame, Fault, Garbage, ResultFrame

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=20,
)
FRAMES = (
    st.binary()
    | JSON.map(lambda value: json.dumps(value).encode())
    | st.lists(JSON, max_size=6).map(lambda parts: json.dumps([2, *parts]).encode())
)


@given(FRAMES)
def test_no_bytes_make_it_raise_and_every_answer_is_short_json(data: bytes) -> None:
    for frame in (rpc.parse(data), rpc.parse_binary(data)):
        assert isinstance(frame, CallFrame | ResultFrame | ErrorFrame | Garbage)
        if isinstance(frame, CallFrame) and frame.echo is not None:
            answer = rpc.error(frame.echo, frame.fault or Fault(ErrorCode.GENERIC, "x" * 1000))
            assert len(answer) < 4096
            assert json.loads(answer)[0] == 4


@given(st.text(max_size=36), st.text(max_size=50), st.dictionaries(st.text(), st.integers()))
def test_what_it_writes_it_reads(message_id: str, action: str, payload: dict[str, int]) -> None:
    if "\0" in message_id + action or any("\0" in key for key in payload):
        return
    frame = rpc.parse(rpc.call(message_id, action, json.dumps(payload).encode()))
    assert isinstance(frame, CallFrame)
    assert (frame.id, frame.action, frame.fault) == (message_id, action, None)
    assert json.loads(bytes(frame.payload)) == payload
    assert frame.echo is not None
    answer = rpc.parse(rpc.result(frame.echo, b"{}"))
    assert isinstance(answer, ResultFrame)
    assert answer.id == message_id


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'[4,"m","GenericError","why",{"a":1}]', ("m", "GenericError", "why", b'{"a":1}')),
        (b'[4,"m","GenericError"]', ("m", "GenericError", "", b"{}")),
        (b'[4,"m",17,null]', ("m", "GenericError", "", b"{}")),
    ],
)
def test_errors_of_stations_are_read_whatever_is_missing(data: bytes, expected: tuple[Any, ...]) -> None:
    frame = rpc.parse(data)
    assert isinstance(frame, ErrorFrame)
    assert (frame.id, frame.code, frame.description, bytes(frame.details)) == expected


def test_nesting_up_to_64_is_taken_and_brackets_in_texts_do_not_count() -> None:
    assert not rpc.too_deep(b"[" * 64 + b"]" * 64)
    assert rpc.too_deep(b"[" * 65 + b"]" * 65)
    assert not rpc.too_deep(b'["' + b"[" * 1000 + b'\\"{"]')


def test_a_message_id_longer_than_allowed_is_answered_up_to_a_bound() -> None:
    long = rpc.parse(b'[2,"' + b"i" * 255 + b'","Heartbeat",{}]')
    longer = rpc.parse(b'[2,"' + b"i" * 256 + b'","Heartbeat",{}]')
    assert isinstance(long, CallFrame)
    assert isinstance(longer, CallFrame)
    assert long.echo == b'"' + b"i" * 255 + b'"'
    assert longer.echo is None
    assert long.oddities == longer.oddities == ("message id longer than 36",)


def test_valid_surrogate_pairs_and_escaped_backslashes_stay() -> None:
    text = rb'{"a":"\ud83d\ude00 \\u0000 \\\ud800x"}'
    assert rpc.cleaned(text) == (
        rb'{"a":"\ud83d\ude00 \\u0000 \\\ufffdx"}',
        ("NUL or half a character in a text",),
    )
