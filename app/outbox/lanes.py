"""How each partner is doing: failures in a row, when it is tried again, whether it is paused."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
from msgspec.structs import replace
from sqlalchemy.ext.asyncio import AsyncSession

from app.outbox import backoff
from app.outbox.outcomes import Down
from app.outbox.tables import DeliveryRow, LaneRow
from app.store.bulk.statements import Row, Statement, ask, query, run, update, upsert
from app.store.bulk.writer import Batch
from app.store.database.columns import micros, micros_or_none, moment_or_none

_GRAIN = timedelta(seconds=1)
"""How exactly the last success is known: many a second are not worth a row each."""


class Lane(msgspec.Struct, frozen=True, kw_only=True):
    """The back-off of one partner. A paused lane waits for an operator or for new credentials."""

    partner_id: str
    failures: int = 0
    retry_at: datetime | None = None
    paused: bool = False
    last_error: str | None = None
    last_success: datetime | None = None

    def succeeded(self, now: datetime) -> "Lane":
        """The partner took something."""
        return Lane(partner_id=self.partner_id, paused=self.paused, last_success=now)

    def as_good_after(self, now: datetime) -> bool:
        """Whether one more success says nothing that is worth writing."""
        known = self.last_success is not None and now - self.last_success < _GRAIN
        return known and self.failures == 0 and self.retry_at is None and self.last_error is None

    def failed(self, why: Down, now: datetime) -> "Lane":
        """The partner was away once more."""
        failures = self.failures + 1
        return replace(
            self,
            failures=failures,
            retry_at=now + backoff.delay(failures, why.retry_after),
            paused=self.paused or (why.locked_out and failures >= backoff.LOCKED_OUT_LIMIT),
            last_error=why.error,
        )

    def reopened(self, *, unpause: bool = False) -> "Lane":
        """The partner is there, as far as we know."""
        return replace(self, failures=0, retry_at=None, paused=self.paused and not unpause)

    def waits(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.paused or (self.retry_at is not None and self.retry_at > now)


_COLUMNS = ("partner_id", "failures", "retry_at", "paused", "last_error", "last_success")
_ALL = query(f"SELECT {', '.join(_COLUMNS)} FROM lanes")  # noqa: S608 - our own columns
_UPSERT = upsert(LaneRow, _COLUMNS, ("partner_id",), _COLUMNS[1:])
_HASTENED = update(
    DeliveryRow,
    ("partner_id", "next_at"),
    ("partner_id",),
    {"next_at": "{new}.next_at"},
    where="{old}.state = 'failing' AND {old}.next_at > {new}.next_at",
)
Work = tuple[Statement, list[Row]]


async def read(session: AsyncSession) -> dict[str, Lane]:
    """All lanes by partner."""
    return _by_partner(await ask(session, _ALL))


async def all_of(batch: Batch) -> dict[str, Lane]:
    """All lanes by partner, in a batch."""
    return _by_partner(await batch.fetch(_ALL))


def kept(lanes: Iterable[Lane]) -> Work:
    """What keeps these lanes."""
    return _UPSERT, [
        (
            lane.partner_id,
            lane.failures,
            micros_or_none(lane.retry_at),
            lane.paused,
            lane.last_error,
            micros_or_none(lane.last_success),
        )
        for lane in lanes
    ]


def hastened(partner_ids: Iterable[str], now: datetime) -> Work:
    """What makes due now whatever failed while these partners were away."""
    return _HASTENED, [(partner_id, micros(now)) for partner_id in dict.fromkeys(partner_ids)]


async def reopen(session: AsyncSession, partner_id: str, now: datetime, *, unpause: bool = False) -> None:
    """Try the partner again at once: it has called us, or (`unpause`) an operator or new credentials say so."""
    lane = (await read(session)).get(partner_id)
    if lane is not None:
        await run(session, *kept([lane.reopened(unpause=unpause)]))
    await run(session, *hastened([partner_id], now))


async def begin(session: AsyncSession, partner_id: str, at: datetime) -> None:
    """A new start with this partner, whatever was before: the first delivery goes out at `at`."""
    await run(session, *kept([Lane(partner_id=partner_id, retry_at=at)]))
    await run(session, *hastened([partner_id], at))


def _by_partner(rows: Iterable[Row]) -> dict[str, Lane]:
    return {
        partner_id: Lane(
            partner_id=partner_id,
            failures=failures,
            retry_at=moment_or_none(retry_at),
            paused=bool(paused),
            last_error=last_error,
            last_success=moment_or_none(last_success),
        )
        for partner_id, failures, retry_at, paused, last_error, last_success in rows
    }
