"""The life of a call to a station: a row before the first byte, sent at most once, one recorded outcome.

A call to a station whose socket another process has is a row for that process: it claims the row, sends, and
records the outcome, which is read here.
"""

import asyncio
import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec

from app.cluster.bus import Bus, LocalBus, Topic, go_and_look
from app.cluster.directory import Directory
from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict
from app.domain.ports import Late, StationGateway
from app.kit import logs
from app.kit.clock import Clock
from app.kit.tasks import spawn
from app.services.elsewhere import Elsewhere
from app.store import commands as rows
from app.store.commands import StoredCommand
from app.store.database.engine import Store
from app.store.database.errors import StoreError

DEFAULT_SECONDS = 30.0
LONGEST_SECONDS = 120.0

_log = logs.get("services.commands")


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose row is committed; `outcome` ends when the call does."""

    id: str
    message_id: str
    outcome: asyncio.Task[Outcome]


class Commands:
    """Makes calls to stations and keeps their rows. Without `directory` and `bus` there is no other process."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gateway: StationGateway,
        *,
        directory: Directory | None = None,
        bus: Bus | None = None,
    ) -> None:
        self.node = 0
        """The number of this process, set before the first call."""
        self._store = store
        self._clock = clock
        self._gateway = gateway
        self._directory = directory
        self._bus = bus or LocalBus()
        self._elsewhere = Elsewhere(store, clock, self._bus)
        self._bus.subscribe(Topic.CALL, self._wanted)

    async def submit(
        self,
        station_id: str,
        action: str,
        payload: dict[str, Any],
        *,
        seconds: float = DEFAULT_SECONDS,
        origin: str = "admin",
        late: Late | None = None,
    ) -> Submitted:
        """Commits the row, marked as sent, then hands the call to the station's socket, here or elsewhere.

        A station gets at most `seconds` (capped at LONGEST_SECONDS) to answer; `late` is told of an answer that
        comes after that. Raises Conflict (not connected),
        NotFound (no such action in its version), Invalid (payload breaks the schema), StoreUnavailable.
        """
        await self._gateway.check(station_id, action, payload)
        seconds = min(seconds, LONGEST_SECONDS)
        other = await self._other(station_id)
        command_id = str(uuid.uuid4())
        async with self._store.unit_of_work(self._clock) as uow:
            command = StoredCommand(
                id=command_id,
                station_id=station_id,
                action=action,
                message_id=command_id,
                payload=msgspec.json.encode(payload).decode(),
                created_at=uow.now(),
                deadline=uow.now() + timedelta(seconds=seconds),
                origin=origin,
                sent_at=None if other else uow.now(),
                node=other or self.node,
            )
            await rows.add(uow.session, command)
        if other:
            self._bus.publish(Topic.CALL, str(other))
            work = self._have_carried_out(command, late)
        else:
            work = self._carry_out(command, payload, seconds, late)
        outcome = spawn(work, f"command {command_id}")
        return Submitted(id=command_id, message_id=command_id, outcome=outcome)

    async def take_wanted(self) -> None:
        """Regular work, and done when the bus says so: send the calls that other processes want of stations here."""
        async with self._store.reading() as session:
            wanted = await rows.wanted_of(session, self.node, self._clock.now())
        for command in wanted:
            async with self._store.unit_of_work(self._clock) as uow:
                mine = await rows.mark_sent(uow.session, command.id, uow.now())
            if mine:
                spawn(self._carry_out_for_another(command), f"command {command.id}")

    async def look_for_late(self) -> None:
        """Regular work: late answers that other processes recorded."""
        await self._elsewhere.look_for_late()

    async def end_overdue(self) -> int:
        """Housekeeping: calls whose deadline passed without a record, because the store was away then."""
        return await self._end(self._clock.now() - timedelta(seconds=LONGEST_SECONDS))

    async def _other(self, station_id: str) -> int | None:
        """The other process that has the station's socket, if it is not here."""
        if self._directory is None or self._gateway.here(station_id):
            return None
        return await self._directory.elsewhere(station_id)

    def _wanted(self, node: str) -> None:
        if node in ("", str(self.node)):
            go_and_look(self.take_wanted(), "calls of other processes")

    async def _have_carried_out(self, command: StoredCommand, late: Late | None) -> Outcome:
        outcome = await self._elsewhere.end_of(command)
        if late is not None and outcome.kind is OutcomeKind.TIMEOUT:
            self._elsewhere.expect_late(command.id, late)
        return outcome

    async def _carry_out_for_another(self, command: StoredCommand) -> None:
        def late(outcome: Outcome) -> None:
            go_and_look(self._keep_late(command.id, outcome), f"late answer to {command.id}")

        left = (command.deadline - self._clock.now()).total_seconds()
        payload: dict[str, Any] = msgspec.json.decode(command.payload)
        await self._carry_out(command, payload, max(left, 0.001), late)
        self._bus.publish(Topic.OUTCOME, command.id, here=False)

    async def _keep_late(self, command_id: str, outcome: Outcome) -> None:
        async with self._store.unit_of_work(self._clock) as uow:
            await rows.came_late(uow.session, command_id, msgspec.json.encode(outcome).decode())
        self._bus.publish(Topic.OUTCOME, command_id, here=False)

    async def _carry_out(
        self, command: StoredCommand, payload: dict[str, Any], seconds: float, late: Late | None
    ) -> Outcome:
        try:
            outcome = await self._gateway.call(
                command.station_id,
                command.action,
                payload,
                message_id=command.message_id,
                timeout=seconds,
                late=late,
            )
        except Conflict as error:
            _log.warning("a call was not sent", station=command.station_id, reason=str(error))
            outcome = Outcome(kind=OutcomeKind.NOT_CONNECTED)
        try:
            await self._finish(command.id, outcome)
        except StoreError as error:
            _log.error("the outcome of a call was not recorded", command=command.id, reason=str(error))
        return outcome

    async def _finish(self, command_id: str, outcome: Outcome) -> None:
        response = None if outcome.response is None else msgspec.json.encode(outcome.response).decode()
        async with self._store.unit_of_work(self._clock) as uow:
            await rows.finish(
                uow.session, command_id, uow.now(), outcome=outcome.kind.value, response=response
            )

    async def _end(self, before: datetime) -> int:
        ended = 0
        while True:
            async with self._store.unit_of_work(self._clock) as uow:
                overdue = await rows.expired(uow.session, before)
                for command in overdue:
                    await rows.finish(uow.session, command.id, uow.now(), outcome=OutcomeKind.TIMEOUT.value)
            ended += len(overdue)
            if not overdue:
                return ended
