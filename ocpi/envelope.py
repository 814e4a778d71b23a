"""The envelope around every OCPI answer, both ways: written for our callers, read from our partners."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final

import msgspec

from ocpi.errors import SUCCESS, Nonsense, OcpiError, PartnerNonsense, PartnerRefused
from ocpi.strict_json import parse_answer
from ocpi.times import write_time

MEDIA_TYPE = "application/json"
MAX_MESSAGE = 500
"""The longest status message, in characters, that we write or keep."""


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"

    def __bool__(self) -> bool:
        return False


ABSENT: Final = Absent.ABSENT
"""No `data` in the envelope, which is not the same as `data: null` on the wire and means the same."""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def success(
    data: object = ABSENT, *, now: datetime, message: str | None = None, status_code: int = SUCCESS
) -> bytes:
    """Write a successful envelope; `data` as bytes is JSON already rendered, anything else is encoded here."""
    members: dict[str, object] = {}
    if data is not ABSENT:
        members["data"] = msgspec.Raw(data) if isinstance(data, bytes) else data
    members["status_code"] = status_code
    return _close(members, message, now)


def failure(error: OcpiError, *, now: datetime, data: object = ABSENT) -> bytes:
    """Write the envelope of an error; `data` only where a module prescribes it beside the error."""
    members: dict[str, object] = {}
    if data is not ABSENT:
        members["data"] = msgspec.Raw(data) if isinstance(data, bytes) else data
    members["status_code"] = error.status_code
    return _close(members, error.message, now)


def page(bodies: Iterable[bytes], *, now: datetime) -> bytes:
    """Join objects that are rendered already into the envelope of one list page."""
    end = b'],"status_code":%d,"timestamp":"%b"}' % (SUCCESS, write_time(now).encode("ascii"))
    return b"".join((b'{"data":[', b",".join(bodies), end))  # one copy of what may be large


def _close(members: dict[str, object], message: str | None, now: datetime) -> bytes:
    if message:
        # Text quoted from a caller may hold characters that UTF-8 cannot carry.
        members["status_message"] = message.encode("utf-8", "replace").decode("utf-8")[:MAX_MESSAGE]
    members["timestamp"] = write_time(now)
    return _encode(members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A partner's answer; `status_code` is None for an HTTP error that came without an envelope."""

    http_status: int
    status_code: int | None
    status_message: str | None = None
    data: Any = field(default=ABSENT, repr=False)

    @property
    def succeeded(self) -> bool:
        """Only HTTP 2xx together with OCPI 1xxx is a success."""
        return (
            200 <= self.http_status < 300 and self.status_code is not None and 1000 <= self.status_code < 2000
        )


def read_envelope(http_status: int, body: bytes) -> Envelope:
    """Read a partner's answer. `data: null` reads as absent.

    An HTTP error without a usable envelope is an answer too, with `status_code` None: its meaning is in the HTTP
    status. Raises PartnerNonsense for everything else that is no envelope.
    """
    try:
        return _read(http_status, body)
    except PartnerNonsense:
        if http_status < 400:
            raise
        return Envelope(http_status=http_status, status_code=None)


def data_of(answer: Envelope) -> Any:
    """Take the `data` out of a successful answer.

    Raises PartnerRefused when it is not a success, PartnerNonsense when a success has no data.
    """
    require_success(answer)
    if answer.data is ABSENT:
        raise PartnerNonsense(Nonsense.NO_DATA, "the answer has no data", http_status=answer.http_status)
    return answer.data


def require_success(answer: Envelope) -> None:
    """Raise PartnerRefused when the answer is not a success; acknowledgements have no data to look at."""
    if answer.succeeded:
        return
    said = "no OCPI status" if answer.status_code is None else f"OCPI status {answer.status_code}"
    words = f": {answer.status_message}" if answer.status_message else ""
    raise PartnerRefused(
        f"answered HTTP {answer.http_status} with {said}{words}",
        http_status=answer.http_status,
        status_code=answer.status_code,
    )


def _read(http_status: int, body: bytes) -> Envelope:
    if not body.strip():
        raise PartnerNonsense(Nonsense.EMPTY, "the answer has no body", http_status=http_status)
    try:
        members = parse_answer(body)
    except (ValueError, OcpiError) as error:
        html = body.lstrip()[:1] == b"<"
        raise PartnerNonsense(
            Nonsense.HTML if html else Nonsense.NOT_JSON,
            "the answer is a web page" if html else f"the answer is not usable JSON: {error}",
            http_status=http_status,
        ) from None
    code = _status_code(members.get("status_code")) if isinstance(members, dict) else None
    if code is None:
        raise PartnerNonsense(
            Nonsense.NO_ENVELOPE, "the answer is JSON without an OCPI status_code", http_status=http_status
        )
    message = members.get("status_message")
    data = members.get("data")
    return Envelope(
        http_status=http_status,
        status_code=code,
        status_message=message[:MAX_MESSAGE] if isinstance(message, str) else None,
        data=ABSENT if data is None else data,
    )


def _status_code(value: object) -> int | None:
    """Read the code; some platforms send it as a string."""
    if isinstance(value, str) and len(value) == 4 and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
