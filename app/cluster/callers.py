"""Callers: that a partner has called, told to the processes that deliver, but not with every request."""

from collections.abc import Callable

from app.cluster.bus import Topic
from app.cluster.membership import Membership
from app.kit.clock import Clock

AGAIN_SECONDS = 1.0
"""How long after one call of a partner the next is worth a word to other processes."""


class Callers:
    """`heard_from` for every request; `here` is told of each, the other processes of one a second."""

    def __init__(self, membership: Membership, clock: Clock, here: Callable[[str], None]) -> None:
        self._membership = membership
        self._clock = clock
        self._here = here
        self._told: dict[str, float] = {}

    def heard_from(self, partner_id: str) -> None:
        """The partner is there."""
        self._here(partner_id)
        if not self._membership.neighbours:
            return
        moment = self._clock.monotonic()
        if moment - self._told.get(partner_id, -AGAIN_SECONDS) >= AGAIN_SECONDS:
            self._told[partner_id] = moment
            self._membership.bus.publish(Topic.CALLER, partner_id, here=False)
