"""Elsewhere: the ends of calls to stations whose socket another process has. They are rows; the bus only wakes."""

import asyncio
from collections import OrderedDict
from datetime import timedelta

import msgspec

from app.cluster.bus import Bus, Topic, go_and_look
from app.domain.commands import Outcome, OutcomeKind
from app.domain.ports import Late
from app.kit import logs
from app.kit.clock import Clock
from app.store import commands as rows
from app.store.commands import StoredCommand
from app.store.database.engine import Store
from app.store.database.errors import StoreError

POLL_SECONDS = 0.5
"""How often a row is looked at where the bus says nothing."""
GRACE = timedelta(seconds=1)
"""How long after a call's deadline the other process may take to say how it ended."""
MOST_LATE = 4096
LATE_SECONDS = 3600.0

_decode = msgspec.json.Decoder(Outcome).decode
_log = logs.get("services.elsewhere")


class Elsewhere:
    """Waits for what other processes record."""

    def __init__(self, store: Store, clock: Clock, bus: Bus) -> None:
        self._store = store
        self._clock = clock
        self._awaited: dict[str, asyncio.Event] = {}
        self._late: OrderedDict[str, tuple[Late, float]] = OrderedDict()
        bus.subscribe(Topic.OUTCOME, self._heard)

    async def end_of(self, command: StoredCommand) -> Outcome:
        """How a call ended: what its process recorded, or TIMEOUT, which is then recorded here."""
        ended = self._awaited[command.id] = asyncio.Event()
        try:
            while self._clock.now() < command.deadline + GRACE:
                ended.clear()
                if (outcome := await self._recorded(command.id)) is not None:
                    return outcome
                try:
                    await asyncio.wait_for(ended.wait(), POLL_SECONDS)
                except TimeoutError:
                    continue
            return await self._give_up(command.id)
        finally:
            del self._awaited[command.id]

    def expect_late(self, command_id: str, late: Late) -> None:
        """Tell `late` of an answer that still comes within LATE_SECONDS; of too many the oldest are forgotten."""
        self._late[command_id] = late, self._clock.monotonic() + LATE_SECONDS
        if len(self._late) > MOST_LATE:
            self._late.popitem(last=False)

    async def look_for_late(self) -> None:
        """Regular work: answers that came after the end of their calls."""
        moment = self._clock.monotonic()
        while self._late and next(iter(self._late.values()))[1] < moment:
            self._late.popitem(last=False)
        if not self._late:
            return
        async with self._store.reading() as session:
            found = await rows.late_ones(session, list(self._late))
        for command_id, document in found.items():
            waiting = self._late.pop(command_id, None)
            if waiting is not None:
                waiting[0](_decode(document))

    def _heard(self, command_id: str) -> None:
        if command_id in self._late or (not command_id and self._late):
            go_and_look(self.look_for_late(), "late answers")
        for id_, ended in self._awaited.items():
            if command_id in (id_, ""):
                ended.set()

    async def _recorded(self, command_id: str) -> Outcome | None:
        try:
            async with self._store.reading() as session:
                row = await rows.get(session, command_id)
        except StoreError as error:
            _log.warning("the end of a call cannot be read", command=command_id, reason=str(error))
            return None
        if row is None or row.outcome is None:
            return None
        response = None if row.response is None else msgspec.json.decode(row.response)
        return Outcome(kind=OutcomeKind(row.outcome), response=response, answered_at=row.answered_at)

    async def _give_up(self, command_id: str) -> Outcome:
        try:
            async with self._store.unit_of_work(self._clock) as unit:
                await rows.finish(unit.session, command_id, unit.now(), outcome=OutcomeKind.TIMEOUT.value)
        except StoreError as error:
            _log.error("the outcome of a call was not recorded", command=command_id, reason=str(error))
        return await self._recorded(command_id) or Outcome(kind=OutcomeKind.TIMEOUT)
