"""What handlers take from a request: the page of a list, the JSON object that was sent, words without oddities."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query, Request
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict

from app.admin.problems import Problem, invalid
from ocpi.times import read_time

MOST = 1000
"""The longest page of a list."""

_FURTHEST = 2**31 - 1
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")


class Page:
    """Which part of a list is wanted."""

    def __init__(
        self,
        limit: Annotated[int, Query(ge=1, le=MOST, description="at most so many")] = 50,
        offset: Annotated[int, Query(ge=0, le=_FURTHEST, description="after so many")] = 0,
    ) -> None:
        self.limit = limit
        self.offset = offset


Paging = Annotated[Page, Depends()]

Counted = Annotated[
    bool,
    Query(
        alias="count",
        description="false: leave X-Total-Count out; the end of a long log is read sooner than counted",
    ),
]
"""Whether the whole list is counted."""


class Form(BaseModel):
    """A body with named fields: a name nobody knows is a mistake worth telling."""

    model_config = ConfigDict(extra="forbid", strict=True, hide_input_in_errors=True)


def _moment(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError("a time such as 2026-01-31T12:00:00Z")  # noqa: TRY004 - pydantic collects ValueError only
    # A plus in a query that nobody encoded arrives as a space.
    return read_time(re.sub(r" (?=\d\d:?\d\d$)", "+", value))


Moment = Annotated[datetime, BeforeValidator(_moment)]
"""A time of RFC 3339, read as UTC."""


def _present(value: str) -> str:
    if not value.strip():
        raise ValueError("must say something")
    return value


Words = Annotated[str, AfterValidator(_present)]
"""A text that is not empty."""


def refuse_controls(request: Request) -> None:
    """Refuse control characters in any text of the body: nobody means them, and they spoil logs and screens."""
    refuse_controls_in(request.state.document)


def refuse_controls_in(document: object) -> None:
    """As `refuse_controls`, for one object of many."""
    for path, text in _texts(document):
        if _CONTROLS.search(text):
            raise invalid(path or "body", "control characters are not allowed")


Plain = Depends(refuse_controls)


def _document(request: Request) -> dict[str, Any]:
    """The JSON object that was sent; fractions are Decimal."""
    document = request.state.document
    if document is None:
        raise Problem(400, "a JSON object is expected as the body")
    if not isinstance(document, dict):
        raise invalid("body", "must be a JSON object")
    return document


Document = Annotated[dict[str, Any], Depends(_document)]


def object_body(what: str, example: dict[str, Any] | None = None) -> dict[str, Any]:
    """How a body read by `Document` is described in the OpenAPI document."""
    content: dict[str, Any] = {"schema": {"type": "object", "description": what}}
    if example is not None:
        content["example"] = example
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


def _texts(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """All strings of a document with their paths; names count too. Its depth is bounded by the gate."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield path, name
            yield from _texts(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _texts(item, f"{path}[{number}]")
