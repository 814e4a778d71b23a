"""Writing down what became of deliveries: many at once, in one batch."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from app.domain.events import Mark
from app.outbox import backoff, lanes
from app.outbox.lanes import Lane
from app.outbox.outcomes import Claim, Delivered, Down, Failed, Missing, Outcome, Refused
from app.outbox.tables import UPSERT_DELIVERIES, DeliveryRow, rows
from app.store.bulk.statements import Row, Statement, update
from app.store.bulk.writer import Batch
from app.store.database.columns import micros

_ABSENT = 3


class Result(NamedTuple):
    """A claim and what became of it; None: not tried, to be given back."""

    claim: Claim
    outcome: Outcome | None


async def settle(batch: Batch, results: Sequence[Result], callers: Collection[str] = ()) -> dict[str, Lane]:
    """Write all results, and how the partners are doing, which is given back by partner.

    A mark that was raised while its object was under way stays: its newer version is due at once. `callers` are
    partners that have called us meanwhile: their lanes are open again.
    """
    await batch.write(_work(results, batch.now))
    known = await lanes.all_of(batch)
    changed = lanes_after(known, results, batch.now)
    back = [name for name in changed if name in known and _is_back(known[name], changed[name])]
    changed |= {name: lane.reopened() for name in callers if (lane := changed.get(name) or known.get(name))}
    await batch.write([lanes.kept(changed.values()), lanes.hastened([*back, *callers], batch.now)])
    return known | changed


def _work(results: Sequence[Result], now: datetime) -> list[tuple[Statement, list[Row]]]:
    by_kind: dict[type, list[Result]] = {}
    for result in results:
        by_kind.setdefault(type(result.outcome), []).append(result)
    retried = [*by_kind.get(Failed, ()), *by_kind.get(Missing, ()), *by_kind.get(Down, ())]
    needs = [mark for r in by_kind.get(Missing, ()) for mark in _needs(r.outcome)]
    return [
        (_DELIVERED, [_delivered(r, micros(now)) for r in by_kind.get(Delivered, ())]),
        (_REFUSED, [_refused(r, micros(now)) for r in by_kind.get(Refused, ())]),
        (_RETRIED, [_retried(r, now) for r in retried]),
        (_RELEASED, [(r.claim.id,) for r in by_kind.get(type(None), ())]),
        (UPSERT_DELIVERIES, rows(needs, (), now)),
    ]


def lanes_after(known: dict[str, Lane], results: Iterable[Result], now: datetime) -> dict[str, Lane]:
    """The lanes that these results change: one success opens a lane, one absence closes it once."""
    changed: dict[str, Lane] = {}
    for partner_id, outcomes in _by_partner(results).items():
        before = known.get(partner_id, Lane(partner_id=partner_id))
        absences = [outcome for outcome in outcomes if isinstance(outcome, Down)]
        if not absences and before.as_good_after(now):
            continue
        lane = before.succeeded(now) if len(absences) < len(outcomes) else before
        changed[partner_id] = lane.failed(absences[-1], now) if absences else lane
    return changed


def _by_partner(results: Iterable[Result]) -> dict[str, list[Outcome]]:
    found: dict[str, list[Outcome]] = {}
    for claim, outcome in results:
        if outcome is not None:
            found.setdefault(claim.partner_id, []).append(outcome)
    return found


def _is_back(before: Lane, after: Lane) -> bool:
    """Whether a partner that was away for a while is there again; one odd failure is no absence."""
    return before.failures >= _ABSENT and after.failures == 0


def _delivered(result: Result, now: int) -> Row:
    claim, outcome = result
    assert isinstance(outcome, Delivered)
    note = None if outcome.note is None else _storable(outcome.note)
    return claim.id, claim.wanted, micros(outcome.version), now, now, note


def _refused(result: Result, now: int) -> Row:
    assert isinstance(result.outcome, Refused)
    return result.claim.id, result.claim.wanted, now, _storable(result.outcome.error)


def _retried(result: Result, now: datetime) -> Row:
    claim, outcome = result
    assert isinstance(outcome, Failed | Missing | Down)
    blamed = not isinstance(outcome, Down) or outcome.answered
    attempts = claim.attempts + 1 if blamed else claim.attempts
    dead = now - claim.created_at > backoff.GIVE_UP_AFTER
    state = "dead" if dead else "failing" if attempts else "waiting"
    next_at = now + backoff.delay(attempts) if blamed else now
    return claim.id, state, attempts, micros(next_at), _storable(outcome.error)


def _needs(outcome: Outcome | None) -> tuple[Mark, ...]:
    return outcome.needs if isinstance(outcome, Missing) else ()


def _storable(text: str) -> str:
    """What a partner said, without what no database takes: one such text would hold up all other results."""
    return text.replace("\0", "\u2400").encode(errors="replace").decode()


_MINE = "{old}.state = 'in_flight'"
_RAISED = "{old}.wanted > {new}.wanted"
_DELIVERED = update(
    DeliveryRow,
    ("id", "wanted", "confirmed", "delivered_at", "next_at", "last_error"),
    ("id",),
    {
        "state": f"CASE WHEN {_RAISED} THEN 'waiting' ELSE 'delivered' END",
        "whole": f"CASE WHEN {_RAISED} THEN {{old}}.whole ELSE FALSE END",
        "confirmed": "{new}.confirmed",
        "delivered_at": "{new}.delivered_at",
        "next_at": "{new}.next_at",
        "leased_until": "NULL",
        "attempts": "0",
        "last_error": "{new}.last_error",
    },
    where=_MINE,
)
"""In the column `wanted` comes what was claimed: a higher one in the table was raised meanwhile."""
_REFUSED = update(
    DeliveryRow,
    ("id", "wanted", "next_at", "last_error"),
    ("id",),
    {
        "state": f"CASE WHEN {_RAISED} THEN 'waiting' ELSE 'dead' END",
        "next_at": "{new}.next_at",
        "leased_until": "NULL",
        "attempts": "{old}.attempts + 1",
        "last_error": "{new}.last_error",
    },
    where=_MINE,
)
_RETRIED = update(
    DeliveryRow,
    ("id", "state", "attempts", "next_at", "last_error"),
    ("id",),
    {
        "state": "{new}.state",
        "attempts": "{new}.attempts",
        "next_at": "{new}.next_at",
        "leased_until": "NULL",
        "last_error": "{new}.last_error",
    },
    where=_MINE,
)
_RELEASED = update(DeliveryRow, ("id",), ("id",), {"state": "'waiting'", "leased_until": "NULL"}, where=_MINE)
