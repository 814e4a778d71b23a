"""A JSON list of objects, each with the line it begins on."""

import json
from typing import Any

import msgspec

from app.admin.bulk.sheets import Fault, Item
from ocpi.errors import OcpiError
from ocpi.strict_json import parse_body

_BLANK = " \t\r\n"
_encode = msgspec.json.Encoder(decimal_format="number").encode


def read(text: str) -> tuple[list[Item], list[Fault]]:
    """The objects of the list, and the first thing that is no such list."""
    text = text.removeprefix("\ufeff")
    items: list[Item] = []
    place = _skip(text, 0)
    if text[place : place + 1] != "[":
        return [], [Fault(1, "", "must be a JSON list of objects")]
    place = _skip(text, place + 1)
    line, counted = 1, 0
    decoder = json.JSONDecoder()
    while text[place : place + 1] != "]":
        line, counted = line + text.count("\n", counted, place), place
        try:
            _, end = decoder.raw_decode(text, place)
            document = parse_body(text[place:end].encode())
        except json.JSONDecodeError as error:
            return items, [Fault(error.lineno, "", f"is not JSON: {error.msg}")]
        except (OcpiError, RecursionError, UnicodeEncodeError) as error:
            return items, [Fault(line, "", str(error) or "is nested too deep")]
        if not isinstance(document, dict):
            return items, [Fault(line, "", "must be an object")]
        items.append(Item(line, document))
        place = _skip(text, end)
        if text[place : place + 1] == ",":
            place = _skip(text, place + 1)
        elif text[place : place + 1] != "]":
            return items, [Fault(line + text.count("\n", counted, place), "", "a comma or ] is missing")]
    if _skip(text, place + 1) != len(text):
        return items, [Fault(line, "", "there is more after the list")]
    return items, []


def write(documents: list[dict[str, Any]]) -> str:
    """One object per line, numbers with all their digits."""
    lines = ",\n".join(_encode(document).decode() for document in documents)
    return f"[\n{lines}\n]\n" if lines else "[]\n"


def _skip(text: str, place: int) -> int:
    while place < len(text) and text[place] in _BLANK:
        place += 1
    return place
