"""Writing down what became of deliveries: many at once, in one unit of work."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import bindparam, case, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from app.outbox import backoff, enqueue, lanes
from app.outbox.lanes import Lane
from app.outbox.outcomes import Claim, Delivered, Down, Failed, Missing, Outcome, Refused
from app.outbox.tables import DeliveryRow
from app.store.columns import UtcMicros, micros

_ABSENT = 3


class Result(NamedTuple):
    """A claim and what became of it; None: not tried, to be given back."""

    claim: Claim
    outcome: Outcome | None


async def settle(session: AsyncSession, results: Sequence[Result], now: datetime) -> dict[str, Lane]:
    """Write all results, and how the partners are doing, which is given back by partner.

    A mark that was raised while its object was under way stays: its newer version is due at once.
    """
    by_kind: dict[type, list[Result]] = {}
    for result in results:
        by_kind.setdefault(type(result.outcome), []).append(result)
    await _execute(session, _DELIVERED, [_delivered(r, now) for r in by_kind.get(Delivered, ())])
    await _execute(session, _REFUSED, [_refused(r, now) for r in by_kind.get(Refused, ())])
    retried = [*by_kind.get(Failed, ()), *by_kind.get(Missing, ()), *by_kind.get(Down, ())]
    await _execute(session, _RETRIED, [_retried(r, now) for r in retried])
    await _execute(session, _RELEASED, [{"b_id": r.claim.id} for r in by_kind.get(type(None), ())])
    needs = [mark for r in by_kind.get(Missing, ()) for mark in _needs(r.outcome)]
    await enqueue.mark(session, needs, now)
    return await _settle_lanes(session, results, now)


def lanes_after(known: dict[str, Lane], results: Iterable[Result], now: datetime) -> dict[str, Lane]:
    """The lanes that these results change: one success opens a lane, one absence closes it once."""
    changed: dict[str, Lane] = {}
    for partner_id, outcomes in _by_partner(results).items():
        before = known.get(partner_id, Lane(partner_id=partner_id))
        absences = [outcome for outcome in outcomes if isinstance(outcome, Down)]
        lane = before.succeeded(now) if len(absences) < len(outcomes) else before
        changed[partner_id] = lane.failed(absences[-1], now) if absences else lane
    return changed


def _by_partner(results: Iterable[Result]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for claim, outcome in results:
        if outcome is not None:
            found.setdefault(claim.partner_id, []).append(outcome)
    return found


async def _settle_lanes(session: AsyncSession, results: Sequence[Result], now: datetime) -> dict[str, Lane]:
    known = await lanes.read(session)
    if all(result.outcome is None for result in results):
        return known
    changed = lanes_after(known, results, now)
    await lanes.write(session, changed.values())
    back = [name for name in changed if name in known and _is_back(known[name], changed[name])]
    if back:
        await lanes.hasten(session, back, now)
    return known | changed


def _is_back(before: Lane, after: Lane) -> bool:
    """Whether a partner that was away for a while is there again; one odd failure is no absence."""
    return before.failures >= _ABSENT and after.failures == 0


async def _execute(session: AsyncSession, statement: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection = await session.connection()
        await connection.execute(statement, rows)


def _delivered(result: Result, now: datetime) -> dict[str, Any]:
    claim, outcome = result
    assert isinstance(outcome, Delivered)
    return {
        "b_id": claim.id,
        "b_seen": claim.wanted,
        "b_version": micros(outcome.version),
        "b_error": outcome.note,
        "b_now": now,
    }


def _refused(result: Result, now: datetime) -> dict[str, Any]:
    assert isinstance(result.outcome, Refused)
    return {
        "b_id": result.claim.id,
        "b_seen": result.claim.wanted,
        "b_error": result.outcome.error,
        "b_now": now,
    }


def _retried(result: Result, now: datetime) -> dict[str, Any]:
    claim, outcome = result
    assert isinstance(outcome, Failed | Missing | Down)
    blamed = not isinstance(outcome, Down) or outcome.answered
    attempts = claim.attempts + 1 if blamed else claim.attempts
    dead = now - claim.created_at > backoff.GIVE_UP_AFTER
    state = "dead" if dead else "failing" if attempts else "waiting"
    return {
        "b_id": claim.id,
        "b_state": state,
        "b_attempts": attempts,
        "b_next_at": now + backoff.delay(attempts) if blamed else now,
        "b_error": outcome.error,
    }


def _needs(outcome: Outcome | None) -> tuple[Any, ...]:
    return outcome.needs if isinstance(outcome, Missing) else ()


_mine = update(DeliveryRow.__table__).where(  # type: ignore[attr-defined]
    col(DeliveryRow.id) == bindparam("b_id"), col(DeliveryRow.state) == "in_flight"
)
_raised = col(DeliveryRow.wanted) > bindparam("b_seen")


def _time(name: str) -> Any:
    return bindparam(name, type_=UtcMicros)


_DELIVERED = _mine.values(
    state=case((_raised, "waiting"), else_="delivered"),
    whole=case((_raised, col(DeliveryRow.whole)), else_=False),
    confirmed=bindparam("b_version"),
    delivered_at=_time("b_now"),
    next_at=_time("b_now"),
    leased_until=None,
    attempts=0,
    last_error=bindparam("b_error"),
)
_REFUSED = _mine.values(
    state=case((_raised, "waiting"), else_="dead"),
    next_at=_time("b_now"),
    leased_until=None,
    attempts=col(DeliveryRow.attempts) + 1,
    last_error=bindparam("b_error"),
)
_RETRIED = _mine.values(
    state=bindparam("b_state"),
    attempts=bindparam("b_attempts"),
    next_at=_time("b_next_at"),
    leased_until=None,
    last_error=bindparam("b_error"),
)
_RELEASED = _mine.values(state="waiting", leased_until=None)
