"""What goes into the partner client and what comes out: the peer, its answer, a page, the record of an exchange."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from app.kit.redaction import mask_headers, masked
from ocpi.envelope import Envelope
from ocpi.headers import MessageIds

_KEPT_OF_A_BODY = 16 * 1024


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


@dataclass(slots=True)
class Received:
    """What has come of a request so far: read by the log even when the request failed half-way."""

    http_status: int | None = None
    status_code: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A request as it went out."""

    method: str
    url: str
    peer: str
    ids: MessageIds
    headers: Mapping[str, str]
    body: bytes
    subject: str | None = None
    """What it is about, in the sender's words: such as `session/<id>`. It does not travel."""


class Exchange:
    """One request and what came of it, for the message log: what is asked of it is masked, bodies are cut.

    Masking takes longer than sending, so it is done when somebody looks.
    """

    __slots__ = ("_received", "_sent", "duration")

    def __init__(self, sent: Sent, received: Received, duration: float) -> None:
        self._sent = sent
        self._received = received
        received.body = received.body[:_KEPT_OF_A_BODY]  # it was judged: nobody needs the rest of a long list
        self.duration = duration
        """Seconds."""

    def __repr__(self) -> str:
        return f"<Exchange {self.method} {self.url} {self.http_status or self.error}>"

    @property
    def peer(self) -> str:
        """Whom we asked."""
        return self._sent.peer

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self._sent.method

    @property
    def url(self) -> str:
        """Where to, masked."""
        return masked(self._sent.url)

    @property
    def request_id(self) -> str:
        """X-Request-ID."""
        return self._sent.ids.request_id

    @property
    def correlation_id(self) -> str:
        """X-Correlation-ID."""
        return self._sent.ids.correlation_id

    @property
    def subject(self) -> str | None:
        """What it is about, where whoever sent it said so."""
        return self._sent.subject

    @property
    def request_headers(self) -> dict[str, str]:
        """What we sent, masked."""
        return mask_headers(self._sent.headers)

    @property
    def request(self) -> str:
        """The body we sent, masked and cut."""
        return _kept(self._sent.body)

    @property
    def http_status(self) -> int | None:
        """None where no answer came."""
        return self._received.http_status

    @property
    def status_code(self) -> int | None:
        """The OCPI status code."""
        return self._received.status_code

    @property
    def response_headers(self) -> dict[str, str]:
        """What came back, masked."""
        return mask_headers(self._received.headers)

    @property
    def response(self) -> str:
        """The body that came back, masked and cut."""
        return _kept(self._received.body)

    @property
    def error(self) -> str | None:
        """Why there is no usable answer."""
        return self._received.error


def _kept(body: bytes) -> str:
    return masked(body[:_KEPT_OF_A_BODY].decode("utf-8", "replace"))
