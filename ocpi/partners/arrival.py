"""How far a partner that we invited has come in its handshake, read from the messages that were kept of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec

from app.store.messages import Message
from ocpi.partners.partner import Partner, PartnerState

MESSAGES = 100
"""So many of its newest messages tell it: before it is registered a partner can do nothing else."""

_DONE = frozenset({PartnerState.REGISTERED, PartnerState.PAUSED})


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `ok` is None where it was not reached; `found` says what was seen, `advice` what to do about it."""

    step: str
    ok: bool | None = None
    found: str = "not reached"
    at: datetime | None = None
    advice: str | None = None


def arrival(partner: Partner, newest: Sequence[Message]) -> list[Seen]:
    """The steps in their order, by the partner's messages, newest first (OCPI 2.2.1, Credentials, registration)."""
    if partner.state in _DONE:
        return [Seen(step=step, ok=True, found="done") for step in _STEPS]
    mine = [each for each in newest if each.at >= partner.last_updated or partner.last_contact is None]
    posted = [place for place, each in enumerate(mine) if _posts_credentials(each)]
    tried = mine[posted[0]] if posted else None
    asked = [each for each in mine if (each.direction, each.method) == ("in", "GET")]
    # Our calls back are kept before the answer to what made us call.
    calls = mine[posted[0] + 1 : posted[1] if len(posted) > 1 else None] if posted else []
    back = [each for each in reversed(calls) if (each.direction, each.method) == ("out", "GET")]
    return [
        Seen(step=_STEPS[0], ok=True, found="the token A is made", at=partner.last_updated),
        _step(_STEPS[1], _first(asked, "/versions"), "give them the URL and the token A"),
        _step(_STEPS[2], _other(asked, "/versions"), "they look for a version that both sides speak"),
        _step(_STEPS[3], tried, "they have to POST to our credentials endpoint"),
        _step(_STEPS[4], back[0] if back else None, "we ask the URL in their credentials, with their token"),
        _step(_STEPS[5], back[1] if len(back) > 1 else None, None),
        Seen(step=_STEPS[6]),
    ]


_STEPS = (
    "invited", "they ask for our versions", "they ask for the details", "they send their credentials",
    "we ask for their versions", "we ask for their details", "registered",
)  # fmt: skip


def _posts_credentials(message: Message) -> bool:
    return (message.direction, message.method) == ("in", "POST") and _path(message).endswith("/credentials")


def _first(messages: Iterable[Message], ending: str) -> Message | None:
    return next((each for each in messages if _path(each).endswith(ending)), None)


def _other(messages: Iterable[Message], ending: str) -> Message | None:
    return next((each for each in messages if not _path(each).endswith(ending)), None)


def _path(message: Message) -> str:
    return message.url.partition("?")[0].rstrip("/")


def _step(step: str, message: Message | None, advice: str | None) -> Seen:
    if message is None:
        return Seen(step=step, advice=advice)
    status = message.http_status
    fine = status is not None and status < 400 and (message.ocpi_status or 1000) < 2000
    return Seen(step=step, ok=fine, found=_told(message, fine=fine), at=message.at)


def _told(message: Message, *, fine: bool) -> str:
    if message.http_status is None:
        return message.response or "no answer"
    said = f"HTTP {message.http_status}"
    if message.ocpi_status is not None:
        said += f", OCPI {message.ocpi_status}"
    words = "" if fine else _status_message(message.response)
    return f"{said}: {words}" if words else said


def _status_message(body: str | None) -> str:
    try:
        found = msgspec.json.decode(body or "{}")
    except msgspec.DecodeError:
        return ""
    words = found.get("status_message") if isinstance(found, dict) else None
    return words if isinstance(words, str) else ""
