"""Answers: which partners answered what we last sent them, and when."""

from datetime import datetime

from app.kit.clock import Clock
from ocpi.client import Exchange


class Answers:
    """Kept in memory only, by partner: after a restart nothing is known, and is learned with the first request."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._answered: dict[str, datetime] = {}
        self._silent: dict[str, datetime] = {}

    def note(self, exchange: Exchange) -> None:
        """A request of ours has ended."""
        kept = self._silent if exchange.http_status is None else self._answered
        kept[exchange.peer] = self._clock.now()

    def answered(self, partner_id: str) -> datetime | None:
        """When a partner last answered, whatever it said."""
        return self._answered.get(partner_id)

    def silent(self, partner_id: str) -> datetime | None:
        """When a partner last did not answer."""
        return self._silent.get(partner_id)
