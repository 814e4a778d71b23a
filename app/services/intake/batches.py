"""From decided messages to rows: everything one commit writes, each table's rows collapsed to the last per key."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from app.domain.charging.state import Changes, KeptSample, StationState
from app.domain.events import Event
from app.outbox import tables as outbox
from app.services.intake.calls import Call
from app.store import cdrs, frames, grants, locations, reservations, sessions, stations, transactions
from app.store.announcements import Announcements
from app.store.bulk.statements import Row, Statement
from app.store.database.columns import micros
from app.store.frames import Frame, Quarantined, StationEvent
from app.store.views import availability


class Rows:
    """The rows of one commit, growing message by message."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._stamp = micros(now)
        self._frames: list[Row] = []
        self._samples: list[Row] = []
        self._inserts: dict[Statement, list[Row]] = {
            frames.INSERT_FRAMES: self._frames,
            transactions.INSERT_SAMPLES: self._samples,
        }
        self._latest: dict[Statement, dict[tuple[object, ...], Row]] = {}
        self.events: list[Event] = []
        self.records: Counter[str] = Counter()

    def frame(self, frame: Frame) -> None:
        """A call of the wire log."""
        self._frames.append(frames.row(frame))

    def answered(self, station_id: str, call: Call, answer: bytes, tolerated: Sequence[str]) -> None:
        """A station's call that this commit answers."""
        notes = [*call.deviations, *tolerated]
        self._frames.append(
            frames.answered_row(
                station_id,
                self._stamp,
                message_id=call.message_id.replace("\0", "\ufffd"),
                action=call.action.replace("\0", "\ufffd"),
                request=call.request,
                answer=answer,
                outcome=call.outcome,
                deviations=json.dumps(notes) if notes else None,
            )
        )

    def quarantine(self, station_id: str, frame: bytes, reason: str) -> None:
        """A frame that waits for a person."""
        self._insert(
            frames.INSERT_QUARANTINE,
            frames.quarantine_row(Quarantined(station_id, self._now, frame, reason)),
        )

    def lease(self, station_id: str, node: int) -> None:
        """A station that opened a socket at this process."""
        self._last(stations.TAKE_LEASES, (station_id,), (station_id, self._stamp, node))

    def end_lease(self, station_id: str, epoch: int) -> None:
        """A station whose socket, opened under this epoch, is gone."""
        self._last(stations.END_LEASES, (station_id,), (station_id, epoch, self._stamp))

    def add(self, state: StationState, changes: Changes) -> None:
        """What one message changed."""
        station_id = state.station.id
        if changes.station is not None:
            row = stations.station_row(changes.station, self._now)
            self._last(stations.UPSERT_STATIONS, (station_id,), row)
        for report in changes.connectors:
            row = stations.connector_row(station_id, report)
            self._last(stations.UPSERT_CONNECTORS, (station_id, report.evse, report.connector), row)
        for location_id, uid, status in changes.evses:
            row = (location_id, uid, status.value, self._stamp)
            self._last(locations.UPDATE_EVSE_REPORTED, (location_id, uid), row)
            self._last(locations.TOUCH_LOCATIONS, (location_id,), (location_id, self._stamp))
        for turn in changes.turns:
            row = availability.row(station_id, turn, self._now)
            self._last(availability.PUT_TURNS, (station_id, turn.evse), row)
        self._add_transactions(station_id, changes)
        for notice in changes.notices:
            event = StationEvent(station_id, notice.at or self._now, self._now, notice.kind, notice.text)
            self._insert(frames.INSERT_STATION_EVENTS, frames.event_row(event))
        self.events += changes.events

    def _add_transactions(self, station_id: str, changes: Changes) -> None:
        for kept in changes.samples:
            self._samples.append(self._sample(station_id, kept))
        for running in changes.running:
            row = transactions.row(running.transaction, self._now)
            self._last(transactions.UPSERT_TRANSACTIONS, (running.transaction.ref,), row)
        for running in changes.sessions:
            row = sessions.row(running.session, running.snapshot, running.transaction.ref, self._now)
            self._last(sessions.UPSERT_SESSIONS, (running.session.id,), row)
        for session, snapshot in changes.awaited:
            row = sessions.row(session, snapshot, None, self._now)
            self._last(sessions.UPSERT_SESSIONS, (session.id,), row)
        for grant in changes.grants:
            self._last(grants.UPSERT_GRANTS, grants.key(grant), grants.row(grant))
        for number in changes.reservations_used:
            self._last(reservations.USE_RESERVATIONS, (number,), (number, station_id))
        for orphan in changes.orphans:
            row = transactions.row(orphan, self._now)
            self._last(transactions.UPSERT_TRANSACTIONS, (orphan.ref,), row)
        for record in changes.records:
            self.records[record.state.value] += 1
            row = cdrs.row(record.record, record.ref, record.state, record.reason, self._now)
            self._last(cdrs.INSERT_CDRS, (record.ref,), row)
            if record.again:
                self._last(cdrs.SETTLE_CDRS, (record.ref,), row)

    def _sample(self, station_id: str, kept: KeptSample) -> Row:
        return transactions.sample_row(
            station_id,
            kept.evse,
            kept.connector,
            ref=kept.ref,
            at=kept.at,
            received=self._stamp,
            doc=kept.sample.document,
            reading=kept.reading,
        )

    def work(self, announcements: Announcements) -> list[tuple[Statement, Sequence[Row]]]:
        """All rows in the order in which they are written: raw frames first, what partners are told last."""
        work: list[tuple[Statement, Sequence[Row]]] = list(self._inserts.items())
        work += [(statement, list(rows.values())) for statement, rows in self._latest.items()]
        if self.events:
            marks, unheard = announcements.marks(self.events)
            work.append((outbox.UPSERT_DELIVERIES, outbox.rows(marks, unheard, self._now)))
        return work

    def _insert(self, statement: Statement, row: Row) -> None:
        self._inserts.setdefault(statement, []).append(row)

    def _last(self, statement: Statement, key: tuple[object, ...], row: Row) -> None:
        self._latest.setdefault(statement, {})[key] = row
