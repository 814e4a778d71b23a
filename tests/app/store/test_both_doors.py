"""The unit of work and the bulk writer write identical bytes, and each reads what the other wrote."""

from decimal import Decimal
from typing import Any

from sqlalchemy import delete
from sqlmodel import SQLModel

from app.domain.events import Mark
from app.domain.metering import Reading
from app.domain.parties import Party
from app.kit.clock import Clock
from app.outbox import tables as outbox
from app.store import frames, locations, sessions, stations, tariffs, tokens, transactions
from app.store.bulk.statements import Row, Statement, query
from app.store.bulk.writer import Writer
from app.store.database.columns import document, micros
from app.store.database.engine import Store


def _cases(make: Any) -> list[tuple[SQLModel, Statement, Row]]:
    now, moved = make.noon, make.noon.replace(microsecond=1)
    transaction = make.transaction(energy_wh=Decimal("12.3400"), flags=["clock", "replayed"])
    session, snapshot, station = make.session(), make.snapshot(), make.station()
    reading = Reading(register_wh=Decimal("1234.50"))
    frame = frames.Frame(
        "CP1", now, "in", 'i"d', "MeterValues", b"\x00\xff[2]", b"[3]", moved, "result", None
    )
    mark = Mark(partner_id="p", kind="evse", object_id="LOC1/Ü", rank=2, whole=False, wanted=moved)
    return [
        (
            transactions.TransactionRow(
                **{
                    name: getattr(transaction, name)
                    for name in transactions.COLUMNS
                    if name not in {"state", "last_updated"}
                },
                state=transaction,
                last_updated=now,
            ),
            transactions.UPSERT_TRANSACTIONS,
            transactions.row(transaction, now),
        ),
        (
            transactions.SampleRow(
                station_id="CP1",
                evse=1,
                connector=2,
                ref=None,
                at=moved,
                received_at=now,
                doc="[é]",
                reading=reading,
            ),
            transactions.INSERT_SAMPLES,
            transactions.sample_row(
                "CP1", 1, 2, ref=None, at=moved, received=micros(now), doc="[é]", reading=reading
            ),
        ),
        (frames.FrameRow(**frame._asdict()), frames.INSERT_FRAMES, frames.row(frame)),
        (
            sessions.SessionRow(
                id="S1",
                ref="tx1",
                country_code="DE",
                party_id="ABC",
                published=True,
                doc=session,
                snapshot=snapshot,
                status="ACTIVE",
                seq=sessions.row(session, snapshot, "tx1", now)[8],
                last_updated=now,
            ),
            sessions.UPSERT_SESSIONS,
            sessions.row(session, snapshot, "tx1", now),
        ),
        (
            stations.StationRow(
                id="CP1",
                state="accepted",
                location_id="LOC1",
                doc=station,
                epoch=3,
                online=True,
                last_seen=now,
                created_at=now,
                last_updated=now,
            ),
            stations.UPSERT_STATIONS,
            stations.station_row(station, now, epoch=3, online=True),
        ),
        (
            outbox.DeliveryRow(
                **{**mark_fields(mark), "state": "waiting", "next_at": now, "created_at": now},
            ),
            outbox.UPSERT_DELIVERIES,
            outbox.delivery_row(mark, now),
        ),
    ]


def mark_fields(mark: Mark) -> dict[str, Any]:
    row = outbox.delivery_row(mark, mark.wanted)
    return dict(zip(outbox.COLUMNS[:6], row[:6], strict=True))


async def test_the_same_bytes_by_both_doors(store: Store, writer: Writer, clock: Clock, make: Any) -> None:
    for ordinary, statement, row in _cases(make):
        raw = query(f"SELECT {', '.join(statement.columns)} FROM {statement.table}")
        async with store.unit_of_work(clock) as unit:
            unit.session.add(ordinary)
        async with writer.batch() as batch:
            by_unit = await batch.fetch(raw)
        async with store.unit_of_work(clock) as unit:
            await unit.session.execute(delete(type(ordinary)))
        async with writer.batch() as batch:
            await batch.write([(statement, [row])])
            by_writer = await batch.fetch(raw)
        assert len(by_unit) == 1
        assert by_unit == by_writer, statement.table
        assert [type(value) for value in by_unit[0]] == [type(value) for value in by_writer[0]]


async def test_a_batch_reads_what_units_wrote(store: Store, writer: Writer, clock: Clock, make: Any) -> None:
    async with store.unit_of_work(clock) as unit:
        location = await locations.save(unit.session, make.location("Loc-1"), unit.now(), attached={"UID1"})
        tariff = await tariffs.save(unit.session, make.tariff(), unit.now())
        await tokens.save(unit.session, make.token())
        await stations.save(unit.session, make.station(), unit.now())
    async with writer.batch() as batch:
        found = locations.from_batch(await batch.fetch(locations.LOCATIONS_BY_KEY, ["LOC-1", "NONE"]))
        assert found == {"LOC-1": location}
        assert tariffs.from_batch(await batch.fetch(tariffs.TARIFFS_BY_KEY, ["T1"])) == {"T1": tariff}
        by_uid = tokens.from_batch(await batch.fetch(tokens.TOKENS_BY_UID, ["04A1B2C3"]))
        assert by_uid == {"04A1B2C3": [make.token()]}
        assert await batch.fetch(stations.EPOCHS, ["CP1", "nobody"]) == [("CP1", 0)]


async def test_units_read_what_a_batch_wrote(store: Store, writer: Writer, make: Any) -> None:
    transaction = make.transaction()
    async with writer.batch() as batch:
        await batch.write(
            [
                (transactions.UPSERT_TRANSACTIONS, [transactions.row(transaction, batch.now)]),
                (sessions.UPSERT_SESSIONS, [sessions.row(make.session(), make.snapshot(), "tx1", batch.now)]),
            ]
        )
        now = batch.now
    async with store.reading() as session:
        assert await transactions.get(session, "tx1") == transaction
        stored = await sessions.get(session, "S1")
        assert stored is not None
        assert stored.last_updated == now
        assert await sessions.snapshot_of(session, "S1") == make.snapshot()
        by_party = await sessions.bodies(session, ["S1", "S2"])
        assert by_party == {"S1": stored}
    assert Party("DE", "ABC") == Party(stored.token.country_code, stored.token.party_id)
    assert document(stored.kwh) == '"1.2340"'
