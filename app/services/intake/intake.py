"""The door for everything stations say: messages decided in batches, written in bulk, answered after the commit.

One loop. While a commit is under way new messages wait; together they are the next batch. If the store is away,
nothing is answered, the stations keep their queues and come back. If one row is refused, the messages of the
batch are taken one at a time, so that a bad one never stops another station. Whose a station is: leases.py.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from app.domain.audiences import PriceMaps
from app.domain.authorization import Question
from app.domain.charging.asking import ASKING, question
from app.domain.charging.decisions import Answer, Report, decide, tolerate
from app.domain.charging.state import NOTHING_KNOWN, Changes, Known, Names, StationState
from app.domain.charging.strangers import everybody
from app.domain.errors import NotFound
from app.domain.ports import Issuers
from app.domain.stations import Admission, ChargingStation, Connected, Disconnected, SetUp, Unreadable
from app.kit import logs, metrics, tasks
from app.kit.clock import Clock
from app.services.intake import states
from app.services.intake.batches import Rows
from app.services.intake.calls import Call, Item, Line, Unanswered, count_answered
from app.services.intake.leases import Leases
from app.services.intake.lookups import LookUps
from app.services.intake.waiting import WaitingRoom
from app.store import stations
from app.store.bulk.writer import Batch, Writer
from app.store.database.engine import Store
from app.store.database.errors import StoreConflict, StoreUnavailable
from app.store.frames import Frame

__all__ = ["Call", "Intake", "Line", "Unanswered"]

_MOST = 512
"""Messages of one batch: beyond it a commit gains nothing and answers come later."""

_CROWD = 16
_LINGER_SECONDS = 0.001
"""After a batch of at least a crowd the next one waits this long for more: the more messages share a commit,
the less each of them costs. A quiet house never waits."""

_CONFLICTS = 3

_log = logs.get("services.intake")


@dataclass(slots=True)
class _Settled:
    """What a batch will tell its askers once it is committed."""

    answers: list[tuple[Item, Answer]] = field(default_factory=list)
    turned_away: list[Item] = field(default_factory=list)
    connected: dict[str, Line] = field(default_factory=dict)
    visited: set[str] = field(default_factory=set)
    remembered: set[str] = field(default_factory=set)
    """Stations locked for this batch; and those in memory, which must be unchanged when it commits."""
    asking: dict[str, tuple[Question, list[Item]]] = field(default_factory=dict)
    """By station: what an issuer has to be asked, the message that needs it, and those behind it."""


class Intake:
    """Takes messages; decides and commits them from `start` to `stop`. `prices` tells who has prices of its own."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        clock: Clock,
        names: Names,
        prices: Callable[[], PriceMaps] = dict,
        *,
        issuers: Issuers | None = None,
        leases: Leases | None = None,
    ) -> None:
        self.leases = leases or Leases(fenced=False, visited=lambda _station_id: None)
        self._store = store
        self._writer = writer
        self._clock = clock
        self._names = names
        self._prices = prices
        self._queue: deque[Item] = deque()
        self._waiting: WaitingRoom[Item] = WaitingRoom(issuers, self._back)
        self._exchanges: deque[Frame] = deque()
        self._awake = asyncio.Event()
        self._states: dict[str, StationState] = {}
        self._lines: dict[str, Line] = {}
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._crowded = False
        self._lookups = LookUps(everybody if issuers is None else issuers.admits)

    def start(self) -> None:
        """Begin to take batches."""
        self._task = tasks.spawn(self._run(), "intake")

    async def stop(self) -> None:
        """Finish what has been taken, then end."""
        self._stopping = True
        for item in self._waiting.empty():
            item.refuse(Unanswered())
        self._awake.set()
        if self._task is not None:
            await self._task

    async def connect(self, station_id: str, version: str) -> Line:
        """Take over a station whose socket has just been accepted. Raises Unanswered, NotFound."""
        line = Line(station_id, version)
        await self._ask(station_id, Connected(version=version), line)
        return line

    async def disconnect(self, line: Line) -> None:
        """A socket is gone; only the station's latest one counts."""
        if self._lines.get(line.station_id) is line:
            del self._lines[line.station_id]
            with suppress(Unanswered):  # another process has a newer socket
                await self._ask(line.station_id, Disconnected(), line)

    def take(self, call: Call) -> None:
        """Take a station's message; `call.done` hears of it once its effect is committed, or cannot be."""
        item = Item(call.line.station_id, call.report, call.line, call, None, self._clock.monotonic())
        self._queue.append(item)
        self._awake.set()

    async def report(self, station_id: str, report: Report) -> Answer:
        """What the house itself has to say about a station: set up, closed by hand, silent. Raises NotFound."""
        return await self._ask(station_id, report, None)

    def record(self, frame: Frame) -> None:
        """Keep a call of ours, with its answer, in the wire log."""
        self._exchanges.append(frame)
        self._awake.set()

    def state(self, station_id: str) -> StationState | None:
        """The state in memory of a station that this process has heard of lately, unless another has its socket."""
        return None if self.leases.elsewhere(station_id) else self._states.get(station_id)

    def held(self) -> Sequence[tuple[str, StationState]]:
        """All states in memory."""
        return tuple(self._states.items())

    def forget(self, station_id: str) -> None:
        """A station was deleted: nothing of it stays in memory, and whatever socket it has is not listened to."""
        self._states.pop(station_id, None)
        self.leases.forget(station_id)
        self._lines.pop(station_id, None)

    def connected(self, station_id: str) -> bool:
        """Whether the station has a socket here."""
        return station_id in self._lines

    async def _ask(self, station_id: str, report: Report, line: Line | None) -> Answer:
        done: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(Item(station_id, report, line, None, done, self._clock.monotonic()))
        self._awake.set()
        return await done

    async def _run(self) -> None:
        while self._queue or self._exchanges or not self._stopping:
            if not self._queue and not self._exchanges:
                self._awake.clear()
                await self._awake.wait()
                continue
            if self._crowded and not self._stopping:
                await asyncio.sleep(_LINGER_SECONDS)
            items = [self._queue.popleft() for _ in range(min(len(self._queue), _MOST))]
            if self._waiting:
                items = self._waiting.keep_back(items)
            exchanges = [self._exchanges.popleft() for _ in range(min(len(self._exchanges), _MOST))]
            self._crowded = len(items) >= _CROWD
            await self._take_together(items, exchanges)

    async def _take_together(self, items: list[Item], exchanges: list[Frame]) -> None:
        try:
            await self._commit(items, exchanges)
        except StoreUnavailable as error:
            self._go_away(items, error)
        except Exception as error:  # noqa: BLE001 - one bad row or message must not stop the others
            _log.warning(
                "a batch was refused, taking its messages singly", messages=len(items), error=str(error)
            )
            self._forget(items)
            for item in items:
                await self._take_alone(item)

    async def _take_alone(self, item: Item) -> None:
        try:
            await self._commit([item], [])
        except StoreUnavailable as error:
            self._go_away([item], error)
        except Exception as error:  # noqa: BLE001 - what cannot be stored is kept as bytes
            self._forget([item])
            await self._set_aside(item, error)

    async def _set_aside(self, item: Item, error: Exception) -> None:
        """A message that fails even alone: its frame goes to quarantine, and the station is answered."""
        if item.call is None:
            item.refuse(error)
            return
        _log.error(
            "a message was set aside", station=item.station_id, action=item.call.action, exc_info=error
        )
        item.report = Unreadable(action=item.call.action, reason=f"{type(error).__name__}: {error}")
        try:
            await self._commit([item], [])
        except Exception as worse:  # noqa: BLE001 - whatever it is, the station must send it again
            self._forget([item])
            self._go_away([item], worse)

    async def _commit(self, items: list[Item], exchanges: list[Frame]) -> None:
        for attempt in range(_CONFLICTS):
            self.leases.drop_stale(self._states)
            try:
                async with self._writer.batch() as batch:
                    alone = await self.leases.alone(batch, self._states)
                    rows = Rows(batch.now)
                    settled = await self._decide(batch, items, rows, again=attempt > 0)
                    for frame in exchanges:
                        rows.frame(frame)
                    await batch.write(rows.work(self._store.announcements))
                    if not alone:
                        self.leases.guard(batch, settled.remembered & self._states.keys())
                break
            except StoreConflict:
                self._forget(items)
                if attempt + 1 == _CONFLICTS:
                    raise
        self._settle(settled, rows)

    async def _decide(self, batch: Batch, items: list[Item], rows: Rows, *, again: bool) -> _Settled:
        settled = _Settled()
        await self._greet(batch, items, rows, settled)
        if self.leases.fenced:
            others = {item.station_id for item in items} - settled.connected.keys()
            spoken_of = {item.station_id for item in items if item.line is None}
            settled.visited = (spoken_of & others) - self._lines.keys()
            settled.remembered = others - settled.visited
            # A batch that was overtaken once is not overtaken again.
            await self.leases.lock(
                batch, settled.visited, settled.remembered if again else set(), self._states
            )
        await self._load(batch, items)
        present = [item for item in items if self._listened_to(item, settled)]
        messages = [(self._states[i.station_id], i.report) for i in present]
        known = await self._lookups.look_up(batch, messages, self._prices())
        for item in present:
            station_id = item.station_id
            state = self._states[station_id]
            given = known.get(station_id, NOTHING_KNOWN)
            asks = isinstance(item.report, ASKING) or station_id in settled.asking
            if asks and self._must_wait(item, given, batch.now, settled):
                continue
            answer, changes = decide(
                state, item.report, known=given, now=batch.now, names=self._names, asked=item.asked
            )
            if item.call is not None and item.call.deviations:
                tolerate(state, changes, item.call.deviations, batch.now)
            if isinstance(item.report, Disconnected) and item.line is not None:
                rows.end_lease(station_id, item.line.epoch)
                if station_id in settled.connected:
                    changes.turns.clear()  # it is back already
            rows.add(state, changes)
            settled.answers.append((item, answer))
            if item.call is not None:
                self._answer(item.call, answer, changes, rows)
        return settled

    def _must_wait(self, item: Item, given: Known, now: datetime, settled: _Settled) -> bool:
        """Whether a call waits for an issuer's word, or behind one of its station's that does."""
        if item.call is None:
            return False
        ahead = settled.asking.get(item.station_id)
        if ahead is not None:
            ahead[1].append(item)
            return True
        if item.asked is not None or not isinstance(item.report, ASKING):
            return False
        asked = question(self._states[item.station_id], item.report, given, now)
        if asked is None or not self._waiting.can_answer(asked):
            return False
        settled.asking[item.station_id] = (asked, [item])
        return True

    def _back(self, items: Iterable[Item]) -> None:
        """Messages that waited go before all that came since."""
        self._queue.extendleft(reversed(list(items)))
        self._awake.set()

    async def _greet(self, batch: Batch, items: list[Item], rows: Rows, settled: _Settled) -> None:
        """Stations that connect get a new epoch, and their state is read afresh."""
        arriving = {item.station_id: item for item in items if isinstance(item.report, Connected)}
        if not arriving:
            return
        leases = Rows(batch.now)
        for station_id in arriving:
            leases.lease(station_id, self.leases.node)
            self._states.pop(station_id, None)
        await batch.write(leases.work(self._store.announcements))
        for station_id, epoch in await batch.fetch(stations.EPOCHS, sorted(arriving)):
            line = arriving[station_id].line
            if line is not None:
                line.epoch = epoch
                settled.connected[station_id] = line

    async def _load(self, batch: Batch, items: list[Item]) -> None:
        missing = sorted({item.station_id for item in items} - self._states.keys())
        if missing:
            found, leases = await states.load(batch, missing)
            self._states.update(found)
            self.leases.found(leases, self._lines)
        for item in items:
            if item.station_id not in self._states and isinstance(item.report, SetUp):
                new = ChargingStation(id=item.station_id, state=Admission.ACCEPTED, last_updated=batch.now)
                self._states[item.station_id] = StationState(new, [], [], {})

    def _listened_to(self, item: Item, settled: _Settled) -> bool:
        station_id, line = item.station_id, item.line
        if station_id in self._states:
            current = settled.connected.get(station_id) or self._lines.get(station_id)
            if line is None or line is current:
                return True
            # The end of a socket counts unless another process has a newer one.
            if isinstance(item.report, Disconnected) and (
                station_id in settled.connected or self.leases.holds(line)
            ):
                return True
        settled.turned_away.append(item)
        return False

    def _answer(self, call: Call, answer: Answer, changes: Changes, rows: Rows) -> None:
        call.answer = rendered = call.reply(answer)
        station_id = call.line.station_id
        rows.answered(station_id, call, rendered, changes.deviations)
        if changes.quarantine is not None:
            rows.quarantine(station_id, call.request, changes.quarantine)

    def _settle(self, settled: _Settled, rows: Rows) -> None:
        """After the commit: answers go out, listeners hear of the events."""
        self._lines |= settled.connected
        if rows.events:
            self._store.announcements.committed(rows.events)
        for state, number in rows.records.items():
            metrics.CDRS.labels(state).inc(number)
        for item, answer in settled.answers:
            item.tell(answer)
        for asked, items in settled.asking.values():
            self._waiting.ask(asked, items)
        self.leases.visits_ended(settled.visited)
        for item in settled.turned_away:
            known = item.station_id in self._states
            item.refuse(Unanswered() if known else NotFound(f"station {item.station_id}"))
        self._count(settled)

    def _count(self, settled: _Settled) -> None:
        now = self._clock.monotonic()
        calls = [item.call for item, _ in settled.answers if item.call is not None]
        count_answered(calls, [now - item.began for item, _ in settled.answers if item.call is not None])
        metrics.COMMIT_BATCH_SIZE.observe(len(settled.answers))

    def _go_away(self, items: list[Item], error: Exception) -> None:
        """The store cannot commit: nothing is answered, and what was decided is forgotten."""
        _log.error(
            "the store cannot commit; stations keep their messages", messages=len(items), error=str(error)
        )
        self._forget(items)
        for item in items:
            item.refuse(Unanswered() if item.call is not None else error)

    def _forget(self, items: list[Item]) -> None:
        """Decisions change states; what was not committed must be read again."""
        for item in items:
            self._states.pop(item.station_id, None)
