"""Where in a refused body a number stands that is none, or is too long: the parser only says that there is one."""

import json
from typing import Any

from ocpi.strict_json import MAX_DIGITS


class _Odd:
    """Stands where a number was that nobody reads."""


_ODD = _Odd()


def field_of_odd_number(raw: bytes) -> str | None:
    """The path of the first NaN, infinity or endless number of a body; None if that is not what is wrong."""
    try:
        value = json.loads(
            raw.decode("utf-8-sig"),
            parse_constant=lambda _name: _ODD,
            parse_int=_number,
            parse_float=_number,
        )
    except (ValueError, RecursionError):
        return None
    return _path_of_odd(value)


def _number(digits: str) -> Any:
    return _ODD if len(digits) > MAX_DIGITS else None


def _path_of_odd(value: Any) -> str | None:
    waiting: list[tuple[str, Any]] = [("", value)]
    while waiting:
        path, item = waiting.pop()
        if item is _ODD:
            return path or "body"
        waiting.extend(reversed(_parts(path, item)))
    return None


def _parts(path: str, item: Any) -> list[tuple[str, Any]]:
    if isinstance(item, dict):
        return [(f"{path}.{name}" if path else name, each) for name, each in item.items()]
    if isinstance(item, list):
        return [(f"{path}[{place}]", each) for place, each in enumerate(item)]
    return []
