"""What became of one delivery, in the outbox's own words; and who delivers.

Outcome
  Delivered   the partner has this version
  Refused     the partner will not have this version; a newer one is tried again
  Missing     the partner lacks something this object names: that goes first
  Failed      something is wrong with this object alone: later again
  Down        the partner as a whole cannot be used: everything for it waits
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

import msgspec

from app.domain.events import Mark
from app.store.bulk.writer import Batch


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery that this process may make until `leased_until`; `wanted` and `confirmed` in microseconds.

    `wanted` rises with every mark; `confirmed` is the version that the partner last took.
    """

    id: int
    partner_id: str
    kind: str
    object_id: str
    whole: bool
    wanted: int
    confirmed: int | None
    attempts: int
    created_at: datetime
    leased_until: datetime

    @property
    def turn(self) -> tuple[str, str]:
        """Deliveries with the same turn go one after the other: a location and its EVSEs share theirs."""
        if self.kind in ("location", "evse"):
            return "location", self.object_id.split("/", 1)[0]
        return self.kind, self.object_id


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """`version` is what the partner has now; `note` is worth an operator's glance."""

    version: datetime
    note: str | None = None


class Refused(msgspec.Struct, frozen=True, kw_only=True):
    """The partner understood and will not have it."""

    error: str


class Missing(msgspec.Struct, frozen=True, kw_only=True):
    """`needs` are the objects to be told first."""

    error: str
    needs: tuple[Mark, ...]


class Failed(msgspec.Struct, frozen=True, kw_only=True):
    """Worth another attempt, without holding up the partner's other objects."""

    error: str


class Down(msgspec.Struct, frozen=True, kw_only=True):
    """The partner is away. `retry_after`: seconds it asked for. `locked_out`: it does not accept our token.

    `answered`: it did speak, so that the fault may lie in this object after all.
    """

    error: str
    retry_after: float | None = None
    answered: bool = False
    locked_out: bool = False


Outcome = Delivered | Refused | Missing | Failed | Down


class Deliverer(Protocol):
    """Makes deliveries; the worker knows nothing of how."""

    def unreachable(self) -> frozenset[str]:
        """Partners to whom nothing may be sent now (paused, not registered)."""
        ...

    async def glance(self, batch: Batch, claims: Sequence[Claim]) -> Mapping[int, Any]:
        """Those of these objects that are quickly read in the batch that claims them, by the claim's id."""
        ...

    async def load(self, claims: Sequence[Claim]) -> Mapping[int, Any]:
        """The other objects, as they are now, by the claim's id."""
        ...

    async def deliver(self, claim: Claim, thing: Any) -> Outcome | None:
        """One delivery, whatever it takes; None where it must be given back untried.

        `thing` is what `glance` or `load` gave, None where the object does not exist. Never raises for what a partner does.
        """
        ...
