"""A call to a station: its row is there before the first byte, it is sent once, and it ends once; on both databases."""

import asyncio
import json
from typing import Any

import pytest

from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict, Invalid
from app.services.commands import LONGEST_SECONDS, Commands
from app.store import commands as rows


class Gateway:
    """A station that answers when it is told to."""

    def __init__(self, store: Any) -> None:
        self.store = store
        self.refusing: Exception | None = None
        self.row_when_sent: Any = None
        self.seconds = 0.0
        self.answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def here(self, _station_id: str) -> bool:
        return True

    async def check(self, _station_id: str, _action: str, _payload: Any) -> None:
        if isinstance(self.refusing, Invalid):
            raise self.refusing

    async def call(
        self,
        _station_id: str,
        _action: str,
        _payload: Any,
        *,
        message_id: str,
        timeout: float,
        late: Any = None,
    ) -> Outcome:
        del late
        self.seconds = timeout
        async with self.store.reading() as session:
            self.row_when_sent = await rows.get(session, message_id)
        if self.refusing is not None:
            raise self.refusing
        return await self.answer


@pytest.fixture
async def gateway(store: Any) -> Gateway:
    return Gateway(store)


async def kept(store: Any, command_id: str) -> Any:
    async with store.reading() as session:
        return await rows.get(session, command_id)


async def test_the_row_is_committed_as_sent_before_anything_is_written(
    store: Any, clock: Any, gateway: Gateway
) -> None:
    submitted = await Commands(store, clock, gateway).submit("CS1", "Reset", {"type": "Soft"}, seconds=20)
    gateway.answer.set_result(Outcome(kind=OutcomeKind.RESULT, response={"status": "Accepted"}))
    outcome = await submitted.outcome
    assert outcome.response == {"status": "Accepted"}
    sent = gateway.row_when_sent
    assert (sent.station_id, sent.action, json.loads(sent.payload)) == ("CS1", "Reset", {"type": "Soft"})
    assert sent.sent_at is not None
    assert sent.outcome is None
    assert (sent.deadline - sent.created_at).total_seconds() == 20
    row = await kept(store, submitted.id)
    assert (row.outcome, json.loads(row.response)) == ("result", {"status": "Accepted"})
    assert row.answered_at is not None


@pytest.mark.parametrize("kind", [OutcomeKind.ERROR, OutcomeKind.TIMEOUT, OutcomeKind.NOT_CONNECTED])
async def test_every_end_is_recorded(store: Any, clock: Any, gateway: Gateway, kind: OutcomeKind) -> None:
    submitted = await Commands(store, clock, gateway).submit("CS1", "Reset", {})
    gateway.answer.set_result(Outcome(kind=kind))
    assert (await submitted.outcome).kind is kind
    row = await kept(store, submitted.id)
    assert (row.outcome, row.response) == (kind.value, None)


async def test_a_call_that_may_not_be_sent_leaves_no_row(store: Any, clock: Any, gateway: Gateway) -> None:
    gateway.refusing = Invalid("no", field="$.type")
    with pytest.raises(Invalid):
        await Commands(store, clock, gateway).submit("CS1", "Reset", {})
    async with store.reading() as session:
        assert (await rows.find(session, limit=1))[1] == 0


async def test_a_full_queue_ends_as_not_sent(store: Any, clock: Any, gateway: Gateway) -> None:
    gateway.refusing = Conflict("too many")
    submitted = await Commands(store, clock, gateway).submit("CS1", "Reset", {})
    assert (await submitted.outcome).kind is OutcomeKind.NOT_CONNECTED
    assert (await kept(store, submitted.id)).outcome == "not_connected"


async def test_no_station_gets_longer_than_the_longest(store: Any, clock: Any, gateway: Gateway) -> None:
    submitted = await Commands(store, clock, gateway).submit("CS1", "Reset", {}, seconds=10_000)
    gateway.answer.set_result(Outcome(kind=OutcomeKind.TIMEOUT))
    await submitted.outcome
    assert gateway.seconds == LONGEST_SECONDS


async def test_after_a_restart_what_has_no_outcome_ended_as_timeout(
    store: Any, clock: Any, gateway: Gateway
) -> None:
    before = Commands(store, clock, gateway)
    left = [await before.submit("CS1", "Reset", {}) for _ in range(3)]
    async with store.unit_of_work(clock) as unit:
        await rows.give_up_lost(unit.session, unit.now(), outcome="timeout")
    gateway.answer.set_result(Outcome(kind=OutcomeKind.RESULT))
    for submitted in left:
        await submitted.outcome
        assert (await kept(store, submitted.id)).outcome == "timeout"


async def test_housekeeping_ends_only_what_is_overdue(store: Any, clock: Any, gateway: Gateway) -> None:
    commands = Commands(store, clock, gateway)
    submitted = await commands.submit("CS1", "Reset", {}, seconds=30)
    assert await commands.end_overdue() == 0
    clock.advance(30 + LONGEST_SECONDS)
    assert await commands.end_overdue() == 1
    gateway.answer.set_result(Outcome(kind=OutcomeKind.TIMEOUT))
    await submitted.outcome
