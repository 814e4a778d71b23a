"""An open socket: the reader that never waits, answers in order of completion, replacement, and the end."""

import asyncio
import json
from typing import Any

import pytest
import websockets

from app.domain.commands import OutcomeKind
from app.services.intake.intake import Unanswered


async def settled(condition: Any) -> None:
    """Waits until something is so."""
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.005)


async def test_the_reader_goes_on_while_answers_are_awaited_and_sends_them_as_they_come(bridge: Any) -> None:
    bridge.intake.held = []
    async with bridge.station() as wire:
        for number in range(3):
            await wire.send([2, f"m{number}", "Heartbeat", {}])
        await settled(lambda: len(bridge.intake.held) == 3)
        for index in (2, 0, 1):
            bridge.intake.settle(bridge.intake.held[index])
            assert (await wire.receive())[1] == f"m{index}"


async def test_with_sixteen_calls_unanswered_the_socket_is_not_read(bridge: Any) -> None:
    bridge.intake.held = []
    async with bridge.station() as wire:
        for number in range(40):
            await wire.send([2, f"m{number}", "Heartbeat", {}])
        await settled(lambda: len(bridge.intake.calls) == 16)
        await asyncio.sleep(0.1)
        assert len(bridge.intake.calls) == 16
        bridge.intake.release()
        answers = [await wire.receive() for _ in range(40)]
        assert {answer[1] for answer in answers} == {f"m{number}" for number in range(40)}


async def test_what_was_not_committed_is_not_answered_and_the_socket_closes(bridge: Any) -> None:
    async with bridge.station("CS2") as other, bridge.station() as wire:
        bridge.intake.failing = Unanswered()
        await wire.send([2, "m", "Heartbeat", {}])
        with pytest.raises(websockets.ConnectionClosed):
            await wire.receive()
        assert await wire.closed() == 1013
        bridge.intake.failing = None
        assert await other.alive()


async def test_a_second_socket_replaces_the_first(bridge: Any) -> None:
    async with bridge.station() as first:
        assert await first.alive()
        async with bridge.station() as second:
            assert await first.closed() == 1000
            assert await second.alive()
            assert len(bridge.context.live) == 1
            await settled(lambda: len(bridge.intake.gone) == 1)
            assert bridge.intake.gone[0].epoch == 1
            assert bridge.context.live.get("CS1") is not None
    await settled(lambda: len(bridge.context.live) == 0)


async def test_two_devices_that_fight_for_one_name_are_told_to_calm_down(bridge: Any) -> None:
    async with bridge.station():
        for _ in range(10):
            async with bridge.station() as wire:
                assert await wire.alive()
                # Closing it is no fight: only a socket that throws another one out counts.
                async with bridge.station() as another:
                    assert await another.alive()
            if bridge.context.live.flapping("CS1"):
                break
        with pytest.raises(websockets.InvalidStatus) as refusal:
            async with bridge.station():
                pass
        assert refusal.value.response.status_code == 429
        assert [(name, how["reason"]) for name, how in bridge.inbox.refusals] == [
            ("CS1", "two devices with one name")
        ]
        async with bridge.station("CS2") as other:
            assert await other.alive()


async def test_a_lost_socket_is_noted(bridge: Any) -> None:
    async with bridge.station() as wire:
        assert await wire.alive()
        wire.socket.transport.abort()
        await settled(lambda: bridge.intake.gone)
    assert bridge.intake.gone == bridge.intake.lines
    assert len(bridge.context.live) == 0


async def test_all_sockets_close_with_1012_in_slices(bridge: Any) -> None:
    async with bridge.station("A") as a, bridge.station("B") as b, bridge.station("C") as c:
        await settled(lambda: len(bridge.context.live) == 3)
        await bridge.context.live.close_all(seconds=1)
        assert len(bridge.context.live) == 0
        assert {line.station_id for line in bridge.intake.gone} == {"A", "B", "C"}
        assert [await wire.closed() for wire in (a, b, c)] == [1012, 1012, 1012]


async def test_our_call_and_the_stations_calls_do_not_wait_for_each_other(bridge: Any) -> None:
    async with bridge.station() as wire:
        asking = asyncio.create_task(call(bridge, "Reset", {"type": "Soft"}))
        request = await wire.receive()
        assert request[0] == 2
        assert request[2:] == ["Reset", {"type": "Soft"}]
        assert await wire.alive()
        await wire.send([3, request[1], {"status": "Accepted"}])
        outcome = await asking
        assert (outcome.kind, outcome.response) == (OutcomeKind.RESULT, {"status": "Accepted"})
        record = bridge.intake.records[0]
        assert (record.direction, record.action, record.outcome) == ("out", "Reset", "result")
        assert json.loads(record.request) == request
        assert json.loads(record.answer) == [3, request[1], {"status": "Accepted"}]


async def test_one_call_at_a_time_and_a_stop_goes_before_what_waits(bridge: Any) -> None:
    async with bridge.station() as wire:
        names = ["GetConfiguration", "ClearCache", "RemoteStartTransaction", "RemoteStopTransaction"]
        tasks = []
        for name in names:
            tasks.append(asyncio.create_task(call(bridge, name, {})))
            await asyncio.sleep(0)
        order = []
        for _ in names:
            request = await wire.receive()
            order.append(request[2])
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(wire.socket.recv(), 0.05)
            await wire.send([4, request[1], "NotSupported", "", {"a": 1}])
        assert order == ["GetConfiguration", "RemoteStopTransaction", "RemoteStartTransaction", "ClearCache"]
        outcomes = await asyncio.gather(*tasks)
        assert {outcome.kind for outcome in outcomes} == {OutcomeKind.ERROR}
        assert outcomes[0].response == {"code": "NotSupported", "description": "", "details": {"a": 1}}


async def test_after_a_timeout_the_next_call_goes_and_the_late_answer_is_logged(bridge: Any) -> None:
    late: list[Any] = []
    async with bridge.station() as wire:
        asking = asyncio.create_task(call(bridge, "Reset", {}, seconds=0.05, late=late.append))
        first = await wire.receive()
        assert (await asking).kind is OutcomeKind.TIMEOUT
        following = asyncio.create_task(call(bridge, "ClearCache", {}))
        second = await wire.receive()
        await wire.send([3, first[1], {"status": "Rejected"}])
        await wire.send([3, second[1], {"status": "Accepted"}])
        assert (await following).response == {"status": "Accepted"}
        assert late[0].response == {"status": "Rejected"}
    outcomes = [(record.action, record.outcome) for record in bridge.intake.records]
    assert outcomes == [("Reset", "timeout"), ("Reset", "late"), ("ClearCache", "result")]


async def test_a_late_answer_over_a_new_socket_is_recognised(bridge: Any) -> None:
    async with bridge.station() as wire:
        asking = asyncio.create_task(call(bridge, "Reset", {}))
        request = await wire.receive()
    assert (await asking).kind is OutcomeKind.TIMEOUT
    async with bridge.station() as wire:
        await wire.send([3, request[1], {"status": "Accepted"}])
        assert await wire.alive()
    assert [record.outcome for record in bridge.intake.records] == ["timeout", "late"]


async def test_a_call_that_waited_too_long_is_never_sent(bridge: Any) -> None:
    async with bridge.station() as wire:
        first = asyncio.create_task(call(bridge, "Reset", {}))
        request = await wire.receive()
        assert (await call(bridge, "ClearCache", {}, seconds=0.05)).kind is OutcomeKind.TIMEOUT
        await wire.send([3, request[1], {}])
        await first
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(wire.socket.recv(), 0.1)
        assert [record.action for record in bridge.intake.records] == ["Reset"]


async def test_what_was_not_sent_before_the_socket_was_lost_never_was(bridge: Any) -> None:
    async with bridge.station() as wire:
        sent = asyncio.create_task(call(bridge, "Reset", {}))
        waiting = asyncio.create_task(call(bridge, "ClearCache", {}))
        await wire.receive()
    assert (await sent).kind is OutcomeKind.TIMEOUT
    assert (await waiting).kind is OutcomeKind.NOT_CONNECTED
    assert (await call(bridge, "Reset", {})).kind is OutcomeKind.NOT_CONNECTED


async def test_a_caller_that_goes_away_does_not_block_the_next_call(bridge: Any) -> None:
    async with bridge.station() as wire:
        first = asyncio.create_task(call(bridge, "Reset", {}))
        await wire.receive()
        first.cancel()
        second = asyncio.create_task(call(bridge, "ClearCache", {}))
        request = await wire.receive()
        assert request[2] == "ClearCache"
        await wire.send([3, request[1], {}])
        assert (await second).kind is OutcomeKind.RESULT


async def call(bridge: Any, action: str, payload: Any, *, seconds: float = 30, late: Any = None) -> Any:
    """Makes a call, whatever it is, under a message id of its own."""
    from ocpp_bridge.gateway import LocalGateway

    call.number += 1  # type: ignore[attr-defined]
    return await LocalGateway(bridge.context.live).call(
        "CS1",
        action,
        payload,
        message_id=f"c{call.number}",
        timeout=seconds,
        late=late,  # type: ignore[attr-defined]
    )


call.number = 0  # type: ignore[attr-defined]
