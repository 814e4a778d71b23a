"""How each partner is doing: failures in a row, when it is tried again, whether it is paused."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.outbox import backoff
from app.outbox.outcomes import Down
from app.outbox.tables import DeliveryRow, LaneRow
from app.store.columns import micros_or_none
from app.store.statements import run, upsert


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

    def waits(self, now: datetime) -> bool:
        """Whether nothing may be sent now."""
        return self.paused or (self.retry_at is not None and self.retry_at > now)


_COLUMNS = ("partner_id", "failures", "retry_at", "paused", "last_error", "last_success")
_UPSERT = upsert(LaneRow, _COLUMNS, ("partner_id",), _COLUMNS[1:])


async def read(session: AsyncSession) -> dict[str, Lane]:
    """All lanes by partner."""
    rows = (await session.execute(select(LaneRow).execution_options(populate_existing=True))).scalars()
    return {
        row.partner_id: Lane(
            partner_id=row.partner_id,
            failures=row.failures,
            retry_at=row.retry_at,
            paused=row.paused,
            last_error=row.last_error,
            last_success=row.last_success,
        )
        for row in rows
    }


async def write(session: AsyncSession, lanes: Iterable[Lane]) -> None:
    """Keep these lanes."""
    await run(
        session,
        _UPSERT,
        [
            (
                lane.partner_id,
                lane.failures,
                micros_or_none(lane.retry_at),
                lane.paused,
                lane.last_error,
                micros_or_none(lane.last_success),
            )
            for lane in lanes
        ],
    )


async def reopen(session: AsyncSession, partner_id: str, now: datetime, *, unpause: bool = False) -> None:
    """Try the partner again at once: it has called us, or (`unpause`) an operator or new credentials say so."""
    lane = (await read(session)).get(partner_id)
    if lane is not None:
        await write(session, [replace(lane, failures=0, retry_at=None, paused=lane.paused and not unpause)])
    await hasten(session, [partner_id], now)


async def begin(session: AsyncSession, partner_id: str, at: datetime) -> None:
    """A new start with this partner, whatever was before: the first delivery goes out at `at`."""
    await write(session, [Lane(partner_id=partner_id, retry_at=at)])
    await hasten(session, [partner_id], at)


async def hasten(session: AsyncSession, partner_ids: Sequence[str], now: datetime) -> None:
    """What failed while these partners were away is due now."""
    await session.execute(
        update(DeliveryRow)
        .where(
            col(DeliveryRow.partner_id).in_(partner_ids),
            col(DeliveryRow.state) == "failing",
            col(DeliveryRow.next_at) > now,
        )
        .values(next_at=now)
        .execution_options(synchronize_session=False)
    )
