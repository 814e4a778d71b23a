"""Crossings: how many messages are on their way from one platform to another, so that none is full of one's messages."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from app.kit import metrics
from ocpi.errors import TooManyRequestsError

MOST = 32
"""From one platform to one other: half of what a platform may have under way, so that a receiver that hangs leaves its
senders room for all others, and a sender that floods leaves the receiver room for all others."""


class Crossings:
    """Messages under way, by sender and receiver."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._under_way: Counter[tuple[str, str]] = Counter()

    @contextmanager
    def one(self, sender_id: str, receiver_id: str) -> Iterator[None]:
        """One message more. Raises TooManyRequestsError (429) while there are too many."""
        pair = (sender_id, receiver_id)
        if self._under_way[pair] >= self._most:
            metrics.LIMITED.labels(sender_id, "to_one").inc()
            raise TooManyRequestsError("the receiver has yet to answer too many of your messages")
        self._under_way[pair] += 1
        try:
            yield
        finally:
            self._under_way[pair] -= 1
            if not self._under_way[pair]:
                del self._under_way[pair]
