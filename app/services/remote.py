"""RemoteControl: commands of eMSPs and operators, from the wish to the one result that is told.

A command is a row before anything is sent; it is sent at most once; it has one result, TIMEOUT if the station says
nothing. What a station says after that is not told any more, but a start it agreed to late becomes a session.
"""

from datetime import datetime, timedelta

from msgspec.structs import replace

from app.domain.authorization import Grant
from app.domain.commands import Outcome
from app.domain.errors import DomainError, NotFound
from app.domain.events import CommandEnded
from app.domain.ports import Driver
from app.domain.remote import (
    Asker,
    CancelOrder,
    CommandReply,
    CommandResult,
    CommandType,
    Order,
    RemoteCommand,
    ReserveOrder,
    StartOrder,
    Told,
)
from app.domain.reservations import OPEN, ReservationState
from app.domain.stations import StartAwaited, StartOverdue
from app.kit import logs
from app.kit.clock import Clock
from app.kit.names import new_name
from app.kit.tasks import spawn
from app.services.commands import Commands
from app.services.intake.intake import Intake, Unanswered
from app.services.spots import Reply
from app.store import grants, remote, reservations, stations
from app.store.database.engine import Store
from app.store.database.errors import StoreError
from app.store.database.unit_of_work import UnitOfWork

TIMEOUT_SECONDS = 60
START_SECONDS = 180
"""How long a car may take to be plugged in after a station agreed to a start that did not tell how long it waits."""
GRACE_SECONDS = 60
"""How much later than the station's own patience a start may still come."""

_TOLD_WITHIN = timedelta(seconds=30)
"""How long after its time is over a result may still be told."""


_log = logs.get("services.remote")


class Underway:
    """A command with what it asks the station for, and what a start settles about its id tag."""

    def __init__(self, command: RemoteCommand, order: Order) -> None:
        self.command = command
        self.order = order
        self.grant: Grant | None = None
        self.evse_uid: str | None = None


class RemoteControl:
    """`seconds`: how long a station may take to answer; `start_seconds`: how long a start may take to follow."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        commands: Commands,
        driver: Driver,
        intake: Intake,
        *,
        seconds: float = TIMEOUT_SECONDS,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._store = store
        self._clock = clock
        self._commands = commands
        self._driver = driver
        self._intake = intake
        self._seconds = seconds
        self._start_seconds = start_seconds

    async def tend(self) -> None:
        """Regular work: commands that got no answer end as TIMEOUT, sessions that never began as INVALID."""
        now = self._clock.now()
        async with self._store.reading() as reading:
            silent = await remote.overdue(reading, now)
            waited = await remote.starts_overdue(reading, now)
        for command in silent:
            await self._end(command, CommandResult.TIMEOUT)
        for command in waited:
            await self._report(command, StartOverdue(session_id=command.session_id or ""))
            async with self._store.unit_of_work(self._clock) as unit:
                await remote.await_start(unit.session, command.id, None)

    async def forget_grants(self) -> None:
        """Regular work: what was settled about id tags is of no use after a month."""
        async with self._store.unit_of_work(self._clock) as unit:
            await grants.forget_before(unit.session, unit.now() - timedelta(days=30))

    def command(
        self,
        type_: CommandType,
        station_id: str,
        asker: Asker | None,
        now: datetime,
        *,
        session_id: str | None = None,
        number: int | None = None,
    ) -> RemoteCommand:
        return RemoteCommand(
            id=new_name(),
            type=type_,
            station_id=station_id,
            asker=asker,
            session_id=session_id,
            number=number,
            created_at=now,
            due_at=now + timedelta(seconds=self._seconds),
        )

    async def at_once(self, unit: UnitOfWork, command: RemoteCommand, result: CommandResult) -> Reply:
        """A result that needs no station."""
        await remote.add(unit.session, command)
        await self._end_in(unit, command, result)
        return self._accepted(command)

    def send(self, underway: Underway) -> Reply:
        spawn(self.carry_out(underway), f"remote command {underway.command.id}")
        return self._accepted(underway.command)

    def _accepted(self, command: RemoteCommand) -> Reply:
        return Reply(
            result=CommandReply.ACCEPTED, command_id=command.id, seconds=max(1, round(self._seconds))
        )

    async def carry_out(self, underway: Underway) -> CommandResult:
        """Send, wait, settle. A store that is away leaves the row open: it ends as TIMEOUT."""
        command, order = underway.command, underway.order

        def late(outcome: Outcome) -> None:
            spawn(self._reconcile(underway, outcome), f"late answer to {command.id}")

        action, payload = self._driver.spell(order)
        left = (command.due_at - self._clock.now()).total_seconds()
        try:
            sent = await self._commands.submit(
                command.station_id,
                action,
                payload,
                seconds=max(left, 0.001),
                origin=f"{command.type}:{command.id}",
                late=late,
            )
            result = self._driver.meaning(order, await sent.outcome)
        except DomainError as error:
            _log.warning("a remote command was not sent", command=command.id, reason=str(error))
            result = CommandResult.FAILED
        except StoreError as error:
            _log.error("a remote command was not sent", command=command.id, reason=str(error))
            return CommandResult.TIMEOUT
        await self._settle(underway, result)
        return result

    async def _settle(self, underway: Underway, result: CommandResult) -> None:
        try:
            await self._take_effect(underway, result)
            if not await self._end(underway.command, result) and result is not CommandResult.TIMEOUT:
                async with self._store.unit_of_work(self._clock) as unit:
                    await remote.came_late(unit.session, underway.command.id, result)
        except StoreError as error:
            _log.error("the result of a command was not kept", command=underway.command.id, reason=str(error))

    async def _reconcile(self, underway: Underway, outcome: Outcome) -> None:
        """An answer after TIMEOUT was told: what it means for the house counts, nobody is told a second result."""
        await self._settle(underway, self._driver.meaning(underway.order, outcome))

    async def _take_effect(self, underway: Underway, result: CommandResult) -> None:
        command, order = underway.command, underway.order
        agreed = result is CommandResult.ACCEPTED
        if isinstance(order, StartOrder) and agreed and underway.grant is not None:
            async with self._store.unit_of_work(self._clock) as unit:
                until = unit.now() + timedelta(seconds=await self._patience(unit, command.station_id))
                await remote.await_start(unit.session, command.id, until)
            awaited = StartAwaited(grant=underway.grant, id_tag=order.id_tag, evse_uid=underway.evse_uid)
            await self._report(command, awaited)
        elif isinstance(order, ReserveOrder) and result is not CommandResult.TIMEOUT:
            await self._reservation(
                order.number, ReservationState.ACTIVE if agreed else ReservationState.REJECTED
            )
        elif isinstance(order, CancelOrder) and agreed:
            await self._reservation(order.number, ReservationState.CANCELED, tell=command.asker is None)

    async def _patience(self, unit: UnitOfWork, station_id: str) -> float:
        """How long (s) a start may take to follow: as long as the station waits for a plug, and a minute."""
        stored = await stations.get(unit.session, station_id)
        told = stored.station.connection_timeout if stored is not None else None
        return self._start_seconds if told is None else told + GRACE_SECONDS

    async def _reservation(self, number: int, state: ReservationState, *, tell: bool = False) -> None:
        async with self._store.unit_of_work(self._clock) as unit:
            found = await reservations.get(unit.session, number)
            if found is None or found.state not in OPEN:
                return
            await reservations.save(unit.session, replace(found, state=state))
            if tell:
                until = unit.now() + timedelta(seconds=self._seconds) + _TOLD_WITHIN
                await _tell(unit, new_name(), found.asker, CommandResult.CANCELED_RESERVATION, until)

    async def _report(self, command: RemoteCommand, report: StartAwaited | StartOverdue) -> None:
        try:
            await self._intake.report(command.station_id, report)
        except (NotFound, Unanswered) as error:
            _log.warning("a station is gone", station=command.station_id, reason=str(error))

    async def _end(self, command: RemoteCommand, result: CommandResult) -> bool:
        async with self._store.unit_of_work(self._clock) as unit:
            return await self._end_in(unit, command, result)

    async def _end_in(self, unit: UnitOfWork, command: RemoteCommand, result: CommandResult) -> bool:
        """The one result of a command, and the row that tells it."""
        if not await remote.end(unit.session, command.id, result, unit.now()):
            return False
        if command.asker is not None:
            await _tell(unit, command.id, command.asker, result, command.due_at + _TOLD_WITHIN)
        return True


async def _tell(unit: UnitOfWork, told_id: str, asker: Asker, result: CommandResult, until: datetime) -> None:
    told = Told(
        id=told_id,
        partner_id=asker.partner_id,
        party=asker.party,
        url=asker.response_url,
        result=result,
        until=until,
        created_at=unit.now(),
    )
    await remote.tell(unit.session, told)
    unit.emit(CommandEnded(told_id=told_id, partner_id=asker.partner_id, at=unit.now()))
