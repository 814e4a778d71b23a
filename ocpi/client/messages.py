"""What goes into the partner client and what comes out: the peer, its answer, a page, the record of an exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from ocpi.envelope import Envelope


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Whom we talk to; `name` is for messages and logs, `raw_token` sends the token without Base64.

    An empty token is not sent at all.
    """

    token: str = field(repr=False)
    name: str
    raw_token: bool = False
    allow_private: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer(Envelope):
    """A partner's answer with its headers (names looked up without regard to case) and how long it took."""

    headers: Mapping[str, str] = field(repr=False)
    duration: float
    """Seconds from the first byte sent to the last byte read."""

    def retry_after(self, now: datetime) -> float | None:
        """Seconds that the partner asks us to wait, never negative; None when it does not say."""
        value = self.headers.get("Retry-After", "").strip()
        if value.isascii() and value.isdecimal() and len(value) < 10:
            return float(value)
        try:
            moment = parsedate_to_datetime(value)
            return max(0.0, (moment - now).total_seconds())
        except (ValueError, TypeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page of a partner's list, entries as parsed JSON, not yet checked."""

    items: Sequence[Any] = field(repr=False)
    total: int | None
    """X-Total-Count, where the partner sends it."""
    foreign_link: bool
    """The page was found through a Link that named another host than the list's own, which we did not call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and what came of it, for the message log: secrets masked, bodies cut."""

    peer: str
    method: str
    url: str
    request_id: str
    correlation_id: str
    request_headers: Mapping[str, str]
    request: str
    http_status: int | None
    status_code: int | None
    response_headers: Mapping[str, str]
    response: str
    error: str | None
    duration: float
