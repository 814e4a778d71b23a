"""Limits: how much of us one partner may use, so that its flood is nobody else's."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from app.kit import logs, metrics
from ocpi.errors import TooManyRequestsError
from ocpi.partners.partner import Partner

_log = logs.get("ocpi.limits")

LARGEST_BODY = 1024 * 1024
MOST_BYTES = 64 * 1024 * 1024
"""What an operator may allow one partner, however large its bodies are."""
_TOLD_EVERY = 60.0


@dataclass(slots=True)
class Bucket:
    """`left` requests may be made at the moment `at`."""

    left: float
    at: float

    def refill(self, rate: float, most: float, now: float) -> None:
        """So many a second since then, at most so many at a time."""
        self.left = min(most, self.left + (now - self.at) * rate)
        self.at = now


@dataclass(slots=True)
class _Use(Bucket):
    """What one partner has used, and its requests under way."""

    under_way: int = 0
    told_at: float = -math.inf


class Limits:
    """Of this process. For partners without settings of their own: requests per second (twice as many at a time that
    saved them up), requests under way, bytes of a body.
    """

    def __init__(self, *, rate: float = 300.0, at_once: int = 64, largest_body: int = LARGEST_BODY) -> None:
        self._rate = rate
        self._at_once = at_once
        self._largest_body = largest_body
        self._uses: dict[str, _Use] = {}

    def largest_body(self, partner: Partner) -> int:
        """Bytes of one request's body."""
        return partner.settings.largest_body or self._largest_body

    @contextmanager
    def within(self, partner: Partner) -> Iterator[None]:
        """One request of a partner. Raises TooManyRequestsError (429) for one too many."""
        use = self._use(partner)
        if use.left < 1:
            rate = partner.settings.rate or self._rate
            raise self._refusal(partner, use, "rate", math.ceil((1 - use.left) / rate))
        if use.under_way >= (partner.settings.at_once or self._at_once):
            raise self._refusal(partner, use, "at_once", 1)
        use.left -= 1
        use.under_way += 1
        try:
            yield
        finally:
            use.under_way -= 1

    def _use(self, partner: Partner) -> _Use:
        rate, now = partner.settings.rate or self._rate, time.monotonic()
        most = max(1.0, 2 * rate)
        use = self._uses.get(partner.id)
        if use is None:
            use = self._uses[partner.id] = _Use(most, now)
        use.refill(rate, most, now)
        return use

    def _refusal(self, partner: Partner, use: _Use, limit: str, seconds: int) -> TooManyRequestsError:
        metrics.LIMITED.labels(partner.id, limit).inc()
        if use.at - use.told_at >= _TOLD_EVERY:
            use.told_at = use.at
            _log.warning("a partner asks for more than it may", partner=partner.id, limit=limit)
        words = "too many requests at a time" if limit == "at_once" else "too many requests in a second"
        return TooManyRequestsError(words, retry_after=max(1, seconds))
