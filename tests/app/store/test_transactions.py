"""Transactions and their samples: found again by every name a station may use, complete after a restart."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from app.domain.metering import Reading
from app.store import sessions, transactions
from app.store.bulk.writer import Writer
from app.store.database.columns import micros
from app.store.database.engine import Store


async def _write(writer: Writer, make: Any) -> None:
    """Two transactions of CP1 (one ended, without a session), one of CP2 with two samples."""
    ended = make.transaction("a", ocpp_id=1, stopped_at=make.noon, session_id=None)
    running = [
        make.transaction("b", ocpp_id=2),
        make.transaction("c", ocpp_id=1, station_id="CP2", id_tag="X"),
    ]
    async with writer.batch() as batch:
        samples = [
            transactions.sample_row(
                "CP2",
                1,
                1,
                ref="c",
                at=make.noon + timedelta(seconds=offset),
                received=micros(batch.now),
                doc=f"[{offset}]",
                reading=Reading(register_wh=Decimal(offset)),
            )
            for offset in (60, 0)
        ]
        await batch.write(
            [
                (
                    transactions.UPSERT_TRANSACTIONS,
                    [transactions.row(t, batch.now) for t in (ended, *running)],
                ),
                (transactions.INSERT_SAMPLES, samples),
                (
                    sessions.UPSERT_SESSIONS,
                    [sessions.row(make.session("S1"), make.snapshot(), "b", batch.now)],
                ),
            ]
        )


async def test_a_restart_finds_everything_that_runs(writer: Writer, make: Any) -> None:
    await _write(writer, make)
    async with writer.batch() as batch:
        rows = await batch.fetch(transactions.OPEN_TRANSACTIONS, ["CP1", "CP2", "CP3"])
        samples = await batch.fetch(transactions.SAMPLES_BY_REF, [row[0] for row in rows])
    found = {each.transaction.ref: each for each in transactions.resumed(rows, samples)}
    assert set(found) == {"b", "c"}
    assert found["b"].transaction == make.transaction("b", ocpp_id=2)
    assert found["b"].session is not None
    assert found["b"].session.id == "S1"
    assert found["b"].snapshot == make.snapshot()
    assert [(s.document, s.reading.register_wh) for s in found["c"].samples] == [
        ("[60]", Decimal(60)),
        ("[0]", Decimal(0)),
    ], "as they came"


async def test_look_ups_by_number_and_name_are_by_station(writer: Writer, make: Any) -> None:
    await _write(writer, make)
    async with writer.batch() as batch:
        by_number = await batch.fetch(transactions.TRANSACTIONS_BY_OCPP_ID, ["CP2", "CP1", "CP9"], [1, 2, 1])
        assert sorted(row[0] for row in by_number) == ["b", "c"]
        orphaned = transactions.resumed(await batch.fetch(transactions.TRANSACTIONS_BY_REF, ["a", "zz"]), [])
        assert [(r.transaction.ref, r.session, r.snapshot) for r in orphaned] == [("a", None, None)]
        keys = ["1|TAG|a|0", "1|TAG|c|0"]
        started = await batch.fetch(transactions.STARTED_BY_KEY, ["CP1", "CP1"], keys)
        assert len(started) == 1
        assert await batch.fetch(transactions.STARTED_BY_KEY, [], []) == []


async def test_the_operators_list_is_newest_first(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    await _write(writer, make)
    async with store.unit_of_work(clock) as unit:
        late = make.transaction("d", ocpp_id=9, received_at=make.noon + timedelta(hours=1))
        await transactions.save(unit.session, late, unit.now())
    async with store.reading() as session:
        found, total = await transactions.find(session, station_id="CP1", limit=2)
        assert ([t.ref for t in found], total) == (["d", "b"], 3)
        assert [t.ref for t in (await transactions.find(session, active=False, limit=9))[0]] == ["a"]
        assert [t.ref for t in (await transactions.find(session, id_tag="X", limit=9))[0]] == ["c"]
        assert await transactions.count_active(session) == 3
        assert await transactions.get(session, "nothing") is None
        assert len(await transactions.samples_of(session, "c")) == 2


async def test_signed_and_odd_samples_come_back_byte_for_byte(
    store: Store, writer: Writer, make: Any
) -> None:
    doc = '[{"value":"OCMF|{\\"FV\\":\\"1.0\\"}|é😀\\u0000","format":"SignedData"}]'
    async with writer.batch() as batch:
        row = transactions.sample_row(
            "CP1", 1, 1, ref="a", at=make.noon, received=micros(batch.now), doc=doc, reading=Reading()
        )
        await batch.write([(transactions.INSERT_SAMPLES, [row])])
    async with store.reading() as session:
        (sample,) = await transactions.samples_of(session, "a")
    assert sample.document == doc
    assert sample.at == make.noon


async def test_batches_larger_than_one_step_are_written_whole(
    store: Store, writer: Writer, make: Any
) -> None:
    for count in (1, 63, 64, 65, 200):
        async with writer.batch() as batch:
            rows = [
                transactions.row(make.transaction(f"{count}-{n}", ocpp_id=count * 1000 + n), batch.now)
                for n in range(count)
            ]
            await batch.write([(transactions.UPSERT_TRANSACTIONS, rows)])
    async with store.reading() as session:
        assert (await transactions.find(session, limit=1))[1] == 1 + 63 + 64 + 65 + 200
