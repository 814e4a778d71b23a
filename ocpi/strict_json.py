"""JSON as we accept it: exact numbers, no duplicate names, nothing that a database or a log could choke on."""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Never

import msgspec

from ocpi.errors import InvalidParameterError, MalformedBodyError

MAX_DEPTH = 64
MAX_DIGITS = 40
"""The longest number we read, in characters: no amount, price or coordinate comes near it."""

# An escape that may stand for NUL or for half of a surrogate pair; without one, no such character can be inside.
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")

_fast = msgspec.json.Decoder(float_hook=Decimal)


def parse_body(raw: bytes) -> Any:
    """Read a request body; fractions become Decimal, never float.

    Raises MalformedBodyError (HTTP 400) for what is not JSON, NaN and infinities included, and
    InvalidParameterError (2001) for JSON that we refuse: nesting beyond 64, a name given twice, a number of more
    than 40 characters, NUL characters, halves of surrogate pairs.
    """
    try:
        # The text is decoded here because json.loads would also guess at UTF-16 and accept encoded surrogates.
        value = json.loads(
            raw.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_not_a_number,
        )
    except RecursionError:
        raise InvalidParameterError(f"the body is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise MalformedBodyError(f"the body is not valid JSON: {_reason(error)}") from None
    refuse_unfit(raw, value)
    return value


def parse_answer(raw: bytes) -> Any:
    """Read what a partner answered, fast: lists may be large. The last of two equal names wins.

    Raises ValueError for what is not JSON, and InvalidParameterError as `parse_body` does.
    """
    try:
        value = _fast.decode(raw.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        raise InvalidParameterError(f"the answer is nested deeper than {MAX_DEPTH} levels") from None
    except msgspec.MsgspecError as error:
        raise ValueError(str(error)) from None
    refuse_unfit(raw, value)
    return value


def refuse_unfit(raw: bytes, value: object) -> None:
    """Raise InvalidParameterError when the parsed `value` is too deep or holds characters nobody can store."""
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH and _depth_exceeds(value, MAX_DEPTH):
        raise InvalidParameterError(f"the body is nested deeper than {MAX_DEPTH} levels")
    if _SUSPECT_ESCAPE.search(raw) and not all(map(_storable, _strings(value))):
        raise InvalidParameterError("the body holds NUL characters or halves of surrogate pairs")


def _depth_exceeds(value: object, levels: int) -> bool:
    layer = [value]
    for _ in range(levels):
        layer = [child for parent in layer for child in _children(parent)]
    return any(isinstance(item, dict | list) for item in layer)


def _children(value: object) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []


def _strings(value: object) -> Iterator[str]:
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            yield from item
        waiting.extend(_children(item))


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise InvalidParameterError("the body names a field twice in one object")
    return members


def _fraction(digits: str) -> Decimal:
    return Decimal(_bounded(digits))


def _integer(digits: str) -> int:
    return int(_bounded(digits))


def _bounded(digits: str) -> str:
    if len(digits) > MAX_DIGITS:
        raise InvalidParameterError(f"the body holds a number of more than {MAX_DIGITS} characters")
    return digits


def _not_a_number(name: str) -> Never:
    raise ValueError(f"{name} is no JSON number")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        return f"{error.msg} at line {error.lineno}, column {error.colno}"
    return "it is not UTF-8" if isinstance(error, UnicodeDecodeError) else str(error)
