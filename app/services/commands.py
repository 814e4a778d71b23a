"""The life of a call to a station: a row before the first byte, sent at most once, one recorded outcome."""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict
from app.domain.ports import Late, StationGateway
from app.kit import logs
from app.kit.clock import Clock
from app.kit.tasks import spawn
from app.store import commands as rows
from app.store.commands import StoredCommand
from app.store.engine import Store
from app.store.errors import StoreError

DEFAULT_SECONDS = 30.0
LONGEST_SECONDS = 120.0
_EVER = datetime(9000, 1, 1, tzinfo=UTC)

_log = logs.get("services.commands")


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A call whose row is committed; `outcome` ends when the call does."""

    id: str
    message_id: str
    outcome: asyncio.Task[Outcome]


class Commands:
    """Makes calls to stations and keeps their rows."""

    def __init__(self, store: Store, clock: Clock, gateway: StationGateway) -> None:
        self._store = store
        self._clock = clock
        self._gateway = gateway

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
        """Commits the row, marked as sent, then hands the call to the station's socket.

        A station gets at most `seconds` (capped at LONGEST_SECONDS) to answer; `late` is told of an answer that
        comes after that. Raises Conflict (not connected),
        NotFound (no such action in its version), Invalid (payload breaks the schema), StoreUnavailable.
        """
        self._gateway.check(station_id, action, payload)
        seconds = min(seconds, LONGEST_SECONDS)
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
                sent_at=uow.now(),
            )
            await rows.add(uow.session, command)
        outcome = spawn(self._carry_out(command, payload, seconds, late), f"command {command_id}")
        return Submitted(id=command_id, message_id=command_id, outcome=outcome)

    async def end_unanswered(self) -> int:
        """At the start: every call without an outcome ends as a timeout; nobody waits for its answer any more."""
        return await self._end(_EVER)

    async def end_overdue(self) -> int:
        """Housekeeping: calls whose deadline passed without a record, because the store was away then."""
        return await self._end(self._clock.now() - timedelta(seconds=LONGEST_SECONDS))

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
