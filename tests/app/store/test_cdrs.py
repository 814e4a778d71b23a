"""Records: one per transaction, never changed once issued."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from msgspec.structs import replace

from app.domain.cdrs import CdrState, HoldReason
from app.domain.parties import Party
from app.store import cdrs
from app.store.bulk.writer import Writer
from app.store.database.engine import Store
from app.store.paging import Window


async def _held(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        await cdrs.add(
            unit.session,
            make.cdr("HELD"),
            ref="t2",
            state=CdrState.HELD,
            reason=HoldReason.NO_TARIFF,
            now=unit.now(),
        )


async def test_a_second_record_for_a_transaction_is_passed_over(
    store: Store, writer: Writer, clock: Any, make: Any
) -> None:
    for id_, cost in (("C1", "1.00"), ("C2", "2.00")):
        record = make.cdr(id_, total_energy=Decimal(cost))
        async with writer.batch() as batch:
            row = cdrs.row(record, "t1", CdrState.ISSUED, None, batch.now)
            await batch.write([(cdrs.INSERT_CDRS, [row])])
    async with store.unit_of_work(clock) as unit:
        again = make.cdr("C3")
        await cdrs.add(unit.session, again, ref="t1", state=CdrState.ISSUED, reason=None, now=unit.now())
    async with store.reading() as session:
        found, total = await cdrs.find(session, limit=9)
        assert (total, found[0].record.id, found[0].ref) == (1, "C1", "t1")
        assert await cdrs.get(session, "C2") is None
    async with writer.batch() as batch:
        assert await batch.fetch(cdrs.CDR_REFS, ["t1", "t9"]) == [("t1", "C1")]


async def test_records_without_a_transaction_do_not_collide(store: Store, clock: Any, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        for id_ in ("A", "B"):
            await cdrs.add(
                unit.session, make.cdr(id_), ref=None, state=CdrState.ISSUED, reason=None, now=unit.now()
            )
    async with store.reading() as session:
        assert (await cdrs.find(session, limit=9))[1] == 2


async def test_an_issued_record_never_changes(store: Store, clock: Any, make: Any) -> None:
    await _held(store, clock, make)
    corrected = make.cdr("HELD", total_energy=Decimal("9.99"))
    async with store.unit_of_work(clock) as unit:
        assert await cdrs.decide(
            unit.session, "HELD", CdrState.ISSUED, unit.now(), corrected=corrected, note="ok"
        )
        assert not await cdrs.decide(unit.session, "HELD", CdrState.DISCARDED, unit.now())
        assert not await cdrs.decide(unit.session, "nothing", CdrState.ISSUED, unit.now())
    async with store.reading() as session:
        found = await cdrs.get(session, "HELD")
    assert found is not None
    assert (found.state, found.reason, found.note) == (CdrState.ISSUED, "no_tariff", "ok")
    raised = clock.now() + timedelta(milliseconds=1)
    assert found.record == replace(corrected, last_updated=raised)
    assert (found.created_at, found.decided_at) == (clock.now(), clock.now())


async def test_partners_see_issued_records_of_their_own(store: Store, clock: Any, make: Any) -> None:
    await _held(store, clock, make)
    async with store.unit_of_work(clock) as unit:
        for id_, party in (("A", "ABC"), ("X", "XYZ")):
            record = make.cdr(id_, party)
            await cdrs.add(unit.session, record, ref=id_, state=CdrState.ISSUED, reason=None, now=unit.now())
    async with store.reading() as session:
        mine = await cdrs.page(session, Window(limit=9), [Party("de", "abc")])
        assert ([id_ for id_, _ in mine.items], mine.total) == (["A"], 1)
        assert (
            await cdrs.page(session, Window(limit=9), [Party("DE", "ABC"), Party("DE", "XYZ")])
        ).total == 2
        assert (await cdrs.page(session, Window(limit=9), [])).total == 0
        assert set(await cdrs.bodies(session, ["A", "X", "?"])) == {"A", "X"}
        held, total = await cdrs.find(session, state=CdrState.HELD, owners=[Party("DE", "abc")], limit=9)
        assert ([each.record.id for each in held], total) == (["HELD"], 1)
        later = clock.now() + timedelta(seconds=1)
        assert (await cdrs.find(session, date_from=later, limit=9))[1] == 0
        assert (await cdrs.find(session, date_to=later, limit=9))[1] == 3
