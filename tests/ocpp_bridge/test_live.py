"""The calls to one station: bounds of what waits and of what is remembered."""

import asyncio
from typing import Any

import pytest

from app.domain.commands import OutcomeKind
from app.domain.errors import Conflict
from ocpp_bridge import live
from ocpp_bridge.live import Calls, LateAnswers
from ocpp_bridge.rpc import ResultFrame


def calls(clock: Any, late: LateAnswers, sent: list[bytes], kept: list[Any]) -> Calls:
    return Calls("CS1", sent.append, kept.append, late, clock)


async def ask(station: Calls, message_id: str, *, seconds: float = 30) -> Any:
    return await station.call(message_id, "Reset", b"{}", priority=2, timeout=seconds, late=None)


async def test_only_so_many_calls_wait(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_WAITING", 2)
    sent: list[bytes] = []
    station = calls(clock, LateAnswers(), sent, [])
    tasks = [asyncio.create_task(ask(station, f"m{number}")) for number in range(3)]
    await asyncio.sleep(0)
    with pytest.raises(Conflict):
        await ask(station, "one too many")
    assert sent == [b'[2,"m0","Reset",{}]']
    station.lost()
    kinds = [(await task).kind for task in tasks]
    assert kinds == [OutcomeKind.TIMEOUT, OutcomeKind.NOT_CONNECTED, OutcomeKind.NOT_CONNECTED]
    assert (await ask(station, "after the end")).kind is OutcomeKind.NOT_CONNECTED


async def test_an_answer_to_another_call_is_not_taken(clock: Any) -> None:
    station = calls(clock, LateAnswers(), [], [])
    task = asyncio.create_task(ask(station, "m"))
    await asyncio.sleep(0)
    assert not station.answered(ResultFrame("x", b"{}"), b"")
    assert station.answered(ResultFrame("m", b"{broken"), b"")
    assert not station.answered(ResultFrame("m", b"{}"), b"")
    outcome = await task
    assert (outcome.kind, outcome.response) == (OutcomeKind.RESULT, None)


async def test_only_so_many_late_answers_are_expected(clock: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_LATE", 2)
    late = LateAnswers()
    kept: list[Any] = []
    station = calls(clock, late, [], kept)
    for number in range(3):
        assert (await ask(station, f"m{number}", seconds=0)).kind is OutcomeKind.TIMEOUT
    taken = [
        late.answered("CS1", ResultFrame(f"m{number}", b"{}"), b"", clock.now(), kept.append)
        for number in range(3)
    ]
    assert taken == [False, True, True]
    assert [frame.outcome for frame in kept] == ["timeout"] * 3 + ["late"] * 2
    assert not late.answered("CS2", ResultFrame("m2", b"{}"), b"", clock.now(), kept.append)
