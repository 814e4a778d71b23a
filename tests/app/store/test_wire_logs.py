"""Frames, quarantine, notices, OCPI messages and remote commands: kept as they came, newest first."""

from datetime import timedelta
from typing import Any

import pytest

from app.store import commands, frames, messages
from app.store.bulk.writer import Writer
from app.store.commands import StoredCommand
from app.store.database.engine import Store
from app.store.database.errors import RowRefused
from app.store.frames import Frame, Quarantined, StationEvent
from app.store.messages import Message


async def test_frames_are_kept_as_bytes_newest_first(store: Store, writer: Writer, make: Any) -> None:
    kept = [
        Frame("CP1", make.noon + timedelta(seconds=n), "in", f"m{n}", "MeterValues", bytes([0, 255, n]))
        for n in range(5)
    ]
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, [frames.row(frame) for frame in kept])])
    async with store.reading() as session:
        assert await frames.find(session, "CP1", limit=2) == ([kept[4], kept[3]], 5)
        assert (await frames.find(session, "CP1", limit=9, offset=4))[0] == [kept[0]]
        assert await frames.find(session, "CP2", limit=2) == ([], 0)


@pytest.mark.parametrize("looked_at_first", [1, 8])
async def test_a_stations_frames_are_found_in_every_block(
    store: Store, writer: Writer, make: Any, monkeypatch: pytest.MonkeyPatch, looked_at_first: int
) -> None:
    monkeypatch.setattr(frames, "FEW_BLOCKS", looked_at_first)
    many = 4500  # more than two blocks of the index
    rows = [
        frames.row(Frame(f"CP{n % 3}", make.noon, "in", f"m{n}", "Heartbeat", b"[]")) for n in range(many)
    ]
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, rows)])
    async with store.reading() as session:
        newest, total = await frames.find(session, "CP0", limit=2)
        oldest, _ = await frames.find(session, "CP0", limit=5, offset=many // 3 - 2)
    assert total == many // 3
    assert [frame.message_id for frame in newest] == ["m4497", "m4494"]
    assert [frame.message_id for frame in oldest] == ["m3", "m0"]


async def test_frames_of_a_span_of_time_in_whatever_block(store: Store, writer: Writer, make: Any) -> None:
    rows = [
        frames.row(Frame(f"CP{n % 3}", make.noon + timedelta(seconds=n), "in", f"m{n}", "Heartbeat", b"[]"))
        for n in range(9000)  # more than four blocks of the index
    ]

    async def between(first: int, last: int, limit: int = 99) -> list[str]:
        since, until = make.noon + timedelta(seconds=first), make.noon + timedelta(seconds=last)
        async with store.reading() as session:
            return [
                each.message_id for each in await frames.within(session, "CP0", since, until, limit=limit)
            ]

    assert await between(0, 9000) == []
    async with writer.batch() as batch:
        await batch.write([(frames.INSERT_FRAMES, rows)])
    assert await between(-50, 4) == ["m0", "m3"]
    assert await between(4090, 4101) == ["m4092", "m4095", "m4098", "m4101"]
    assert await between(6000, 9000, limit=1) == ["m6000"]
    assert await between(8999, 99_999) == []
    assert await between(8997, 99_999) == ["m8997"]


@pytest.mark.parametrize(("seconds", "gone"), [(-1, 0), (0, 0), (2, 2), (99, 5)])
async def test_old_frames_are_forgotten(store: Store, clock: Any, make: Any, seconds: int, gone: int) -> None:
    async with store.unit_of_work(clock) as unit:
        for n in range(5):
            frame = Frame("CP1", make.noon + timedelta(seconds=n), "out", f"m{n}", "Reset", b"[]", b"[3]")
            await frames.add(unit.session, frame)
    async with store.unit_of_work(clock) as unit:
        assert await frames.forget_before(unit.session, make.noon + timedelta(seconds=seconds)) == gone
        left, total = await frames.find(unit.session, "CP1", limit=9)
    assert total == 5 - gone
    assert [frame.message_id for frame in left] == [f"m{n}" for n in reversed(range(gone, 5))]


async def test_quarantine_and_notices(store: Store, writer: Writer, make: Any) -> None:
    bad = Quarantined("CP1", make.noon, b"\x00\xed\xa0\x80", "NUL")
    notice = StationEvent("CP1", make.noon, make.noon, "SecurityEventNotification", '{"type":"Tamper"}')
    async with writer.batch() as batch:
        await batch.write(
            [
                (frames.INSERT_QUARANTINE, [frames.quarantine_row(bad)]),
                (frames.INSERT_STATION_EVENTS, [frames.event_row(notice)]),
            ]
        )
    async with store.reading() as session:
        assert await frames.quarantined(session, "CP1", limit=9) == ([bad], 1)
        assert await frames.events(session, "CP1", limit=9) == ([notice], 1)


async def test_messages_of_any_content_are_kept(store: Store, clock: Any, make: Any) -> None:
    odd = Message(
        make.noon, "p1", "in", "PUT", "/x", "r1", "c1", 400, None, 3, request="a\0b\ud800", response="\u00e9"
    )
    other = Message(make.noon + timedelta(seconds=1), None, "out", "GET", "/y", "r2", "c2")
    async with store.unit_of_work(clock) as unit:
        await messages.add(unit.session, [odd, other])
        await messages.add(unit.session, [])
    async with store.reading() as session:
        assert await messages.find(session, limit=1) == ([other], 2)
        (found,), total = await messages.find(session, partner_id="p1", correlation_id="c1", limit=9)
        assert total == 1
        assert found == odd._replace(request="a\u2400b?")
        assert await messages.find(session, correlation_id="c9", limit=9) == ([], 0)
    async with store.unit_of_work(clock) as unit:
        assert await messages.forget_before(unit.session, other.at) == 1
        assert await messages.find(unit.session, limit=9) == ([other], 1)


def _command(id_: str, clock: Any, seconds: float = 30) -> StoredCommand:
    return StoredCommand(
        id=id_,
        station_id="CP1",
        action="Reset",
        message_id=f"m-{id_}",
        payload='{"type":"Soft"}',
        created_at=clock.now(),
        deadline=clock.now() + timedelta(seconds=seconds),
        origin="operator",
    )


async def test_a_command_is_sent_once_and_has_one_outcome(store: Store, clock: Any) -> None:
    command = _command("a", clock)
    async with store.unit_of_work(clock) as unit:
        await commands.add(unit.session, command)
        assert await commands.mark_sent(unit.session, "a", unit.now())
        assert not await commands.mark_sent(unit.session, "a", unit.now())
        assert await commands.finish(unit.session, "a", unit.now(), outcome="result", response="{}")
        assert not await commands.finish(unit.session, "a", unit.now(), outcome="timeout")
    async with store.reading() as session:
        assert await commands.get(session, "a") == command._replace(
            sent_at=clock.now(), answered_at=clock.now(), outcome="result", response="{}"
        )
        assert await commands.find(session, station_id="CP2", limit=9) == ([], 0)
        assert (await commands.find(session, limit=9))[1] == 1
    with pytest.raises(RowRefused):
        async with store.unit_of_work(clock) as unit:
            await commands.add(unit.session, command)


async def test_a_command_is_never_sent_after_its_deadline_or_its_end(store: Store, clock: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await commands.add(unit.session, _command("late", clock, 10))
        await commands.add(unit.session, _command("ended", clock, 60))
        assert await commands.finish(unit.session, "ended", unit.now(), outcome="timeout")
        assert await commands.expired(unit.session, unit.now()) == []
    clock.advance(10)
    async with store.unit_of_work(clock) as unit:
        assert [command.id for command in await commands.expired(unit.session, unit.now())] == ["late"]
        assert not await commands.mark_sent(unit.session, "late", unit.now())
        assert not await commands.mark_sent(unit.session, "ended", unit.now())
