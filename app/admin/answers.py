"""How the admin API writes: exact numbers, times with Z, plain arrays with their length in a header."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

import msgspec
from fastapi import Response

from ocpi.times import write_time

TOTAL = "X-Total-Count"

_encode = msgspec.json.Encoder(decimal_format="number").encode

LIST: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A plain array",
        "headers": {TOTAL: {"description": "length of the whole list", "schema": {"type": "integer"}}},
    }
}
"""How lists are described in the OpenAPI document."""


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer; Decimals become JSON numbers."""
    return Response(_encode(body), status, media_type="application/json")


def put_answer(body: Any, *, created: bool) -> Response:
    """201 for what is new, 200 for what was replaced."""
    return answer(body, 201 if created else 200)


def page_answer(bodies: Sequence[Any], total: int | None) -> Response:
    """One page of a list, and how long the whole list is, if that was counted."""
    response = answer(list(bodies))
    if total is not None:
        response.headers[TOTAL] = str(total)
    return response


def nothing() -> Response:
    """204: done, and there is nothing to show."""
    return Response(status_code=204)


def time_or_none(at: datetime | None) -> str | None:
    """A time in UTC with Z."""
    return None if at is None else write_time(at)


def exact_number(value: Decimal | None) -> int | Decimal | None:
    """A number with all its digits, as an integer where it is whole."""
    if value is None:
        return None
    whole = value.to_integral_value()
    return int(whole) if value == whole else Decimal(format(value.normalize(), "f"))
