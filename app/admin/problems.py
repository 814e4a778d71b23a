"""Every refusal of the admin API as problem details (RFC 9457), whatever part of the house refused.

Problem             raised here: a status, a title and what exactly is wrong
  from DomainError      404 NotFound, 409 Conflict, 403 Forbidden, 422 Invalid
  from OcpiError        400 what is not JSON, 422 what breaks OCPI's form
  from StoreError       503 the store is away, 422 the database refused a value
  from HandshakeFailed  502 with the step, 422 where the operator's own URL may not be called
"""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from app.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from app.store.database.errors import RowRefused, StoreError
from ocpi.errors import MalformedBodyError, OcpiError, PartnerUnreachable, Unreachable
from ocpi.partners.discovery import HandshakeFailed, Step

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5

_DOMAIN: tuple[tuple[type[DomainError], int], ...] = ((NotFound, 404), (Conflict, 409), (Forbidden, 403))
_COMPLAINT = re.compile(r"(?:^|; )([A-Za-z_][\w.]*): ((?:(?!; [A-Za-z_][\w.]*: ).)+)", re.DOTALL)
_INDEX = re.compile(r"\.(\d+)(?=\.|$)")

Complaint = dict[str, Any]
"""One thing that is wrong: `field` is its path, `message` says why; `line` where a file was given."""


class Problem(Exception):
    """An answer that is not a success."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        errors: Sequence[Complaint] = (),
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})
        self.more = dict(more or {})

    def response(self) -> Response:
        """The problem as it travels."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body |= {"field": self.errors[0]["field"], "errors": self.errors}
        return Response(
            msgspec.json.encode(body | self.more), self.status, headers=self.headers, media_type=MEDIA_TYPE
        )


def invalid(field: str, message: str) -> Problem:
    """422 for one field."""
    return Problem(422, f"{field}: {message}", errors=[{"field": field, "message": message}])


def within(part: str, error: Invalid | OcpiError) -> Problem:
    """The refusal of one part of a body, its fields named from the whole body's point of view."""
    found = problem_of(error)
    errors = [
        {"field": part if each["field"] == "body" else f"{part}.{each['field']}", "message": each["message"]}
        for each in found.errors
    ] or [{"field": part, "message": found.detail}]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in errors)
    return Problem(found.status, detail, errors=errors)


def unauthorized() -> Problem:
    """401, the same for a missing, a malformed and a wrong token."""
    return Problem(
        401,
        "send the admin token as Authorization: Bearer <token>",
        headers={"WWW-Authenticate": 'Bearer realm="voltbridge"'},
    )


def problem_of(error: Exception) -> Problem:
    """What the operator is told of an error; one that nobody expected says nothing of its inside."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, DomainError):
        return _of_domain(error)
    if isinstance(error, OcpiError):
        return _of_ocpi(error)
    if isinstance(error, HandshakeFailed):
        return _of_handshake(error)
    if isinstance(error, StoreError):
        return _of_store(error)
    return Problem(500, "something went wrong inside; the log says what")


def handle_problems(app: FastAPI) -> None:
    """Answer every error of this application as problem details."""

    async def known(_request: Request, error: Exception) -> Response:
        return problem_of(error).response()

    async def http(request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            return problem_of(error).response()
        return _of_http(error, request).response()

    async def form(_request: Request, error: Exception) -> Response:
        return _of_form(error).response()

    for kind in (Problem, DomainError, OcpiError, HandshakeFailed, StoreError, Exception):
        app.add_exception_handler(kind, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, form)


def _of_domain(error: DomainError) -> Problem:
    status = next((status for kind, status in _DOMAIN if isinstance(error, kind)), 422)
    text = str(error) or HTTPStatus(status).phrase
    field = error.field if isinstance(error, Invalid) else None
    if field is None:
        return Problem(status, text)
    message = text.removeprefix(f"{field}: ")
    return Problem(status, f"{field}: {message}", errors=[{"field": field, "message": message}])


def _of_ocpi(error: OcpiError) -> Problem:
    if isinstance(error, MalformedBodyError):
        return Problem(400, error.message)
    # A wire object's complaints: "Location: evses.0.uid: why; name: why".
    kind, _, complaints = error.message.partition(": ")
    found = _COMPLAINT.findall(complaints) if kind.isidentifier() else []
    return Problem(
        422,
        error.message,
        errors=[
            {"field": _INDEX.sub(r"[\1]", field), "message": _plain(message)} for field, message in found
        ],
    )


def _of_handshake(failure: HandshakeFailed) -> Problem:
    cause = failure.__cause__
    blocked = isinstance(cause, PartnerUnreachable) and cause.kind is Unreachable.BLOCKED
    if blocked and failure.step is Step.VERSIONS:
        return invalid("versions_url", failure.reason)
    return Problem(502, f"{failure.step}: {failure.reason}", more={"step": str(failure.step)})


def _of_store(error: StoreError) -> Problem:
    if isinstance(error, RowRefused):
        return Problem(422, "the database refuses a value of this request")
    return Problem(
        503, "the database is away; nothing was changed", headers={"Retry-After": str(RETRY_SECONDS)}
    )


def _of_http(error: HTTPException, request: Request) -> Problem:
    if error.status_code == 405:
        allowed = ", ".join(_methods(request))
        return Problem(405, f"not allowed here; allowed: {allowed}", headers={"Allow": allowed})
    detail = "there is nothing here" if error.status_code == 404 else str(error.detail)
    return Problem(error.status_code, detail, headers=error.headers)


def _methods(request: Request) -> list[str]:
    """Every method of a path: its routes are one per method, and the framework names only the first."""
    routes = request.app.router.routes
    return [
        method
        for method in ("DELETE", "GET", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


def _of_form(error: Exception) -> Problem:
    """FastAPI's own validation of bodies and parameters."""
    details = error.errors() if isinstance(error, RequestValidationError) else []
    found = [{"field": _path(each["loc"]), "message": _plain(each["msg"])} for each in details]
    detail = "; ".join(f"{each['field']}: {each['message']}" for each in found)
    return Problem(422, detail, errors=found)


def _plain(message: str) -> str:
    return message.removeprefix("Value error, ")


def _path(location: Sequence[int | str]) -> str:
    """The path of a field: `connectors[0].evse`; the part of the request it stands in is left out."""
    parts = [part for part in location if part not in ("body", "query", "path")] or ["body"]
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return text.removeprefix(".")
