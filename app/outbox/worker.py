"""OutboxWorker: claims what is due, delivers it side by side, and settles many at once."""

import asyncio
import contextlib
from collections import deque
from typing import Any, NamedTuple

from app.kit import logs, metrics
from app.kit.clock import Clock
from app.kit.tasks import spawn
from app.outbox.claim import CLAIMING, anything_due, claim
from app.outbox.outcomes import Claim, Deliverer, Down, Failed, Outcome
from app.outbox.settle import Result, settle
from app.store.bulk.writer import Writer
from app.store.database.engine import Store
from app.store.database.errors import StoreError

_log = logs.get("outbox.worker")

IN_FLIGHT = 4
"""How many requests one partner gets at a time."""
_BATCH = 200
"""Claimed at a time: in a storm the next turn comes late, and a lane must not run dry until then."""
_AHEAD = 64
_AHEAD_OF_SLOW = 12
_SLOW_SECONDS = 0.25
_POLL_SECONDS = 1.0
_GATHER_SECONDS = 0.004
_STORE_AWAY_SECONDS = 1.0


class Work(NamedTuple):
    """A claim and the object it is about, as read right after the claim."""

    claim: Claim
    thing: Any


class _PartnerLane:
    """What this process has claimed for one partner, and what is under way to it."""

    def __init__(self) -> None:
        self.queue: deque[Work] = deque()
        self.turns: set[tuple[str, str]] = set()
        self.runners = 0
        self.down = False
        self.usual_seconds = 0.0

    @property
    def full(self) -> bool:
        """Whether nothing more should be claimed: a lease must not run out while a claim waits here."""
        room = _AHEAD_OF_SLOW if self.usual_seconds > _SLOW_SECONDS else _AHEAD
        return self.down or len(self.queue) >= room

    def next(self) -> Work | None:
        """The first claim whose object is not under way already."""
        for index, found in enumerate(self.queue):
            if found.claim.turn not in self.turns:
                del self.queue[index]
                return found
        return None

    def took(self, seconds: float) -> None:
        """Remember how long this partner usually takes."""
        self.usual_seconds += (seconds - self.usual_seconds) / 8


class OutboxWorker:
    """Delivers for as long as it runs: `start`, `stop`, and `wake` after a commit that raised marks.

    One slow partner never delays another: each has its own queue, four requests at a time, and its own back-off.
    """

    def __init__(
        self, store: Store, clock: Clock, deliverer: Deliverer, *, poll_seconds: float = _POLL_SECONDS
    ) -> None:
        self.node = 0
        """The number of this process, set before the start; 0: there is no other."""
        self._store = store
        self._clock = clock
        self._writer: Writer
        self._deliverer = deliverer
        self._poll_seconds = poll_seconds
        self._lanes: dict[str, _PartnerLane] = {}
        self._results: list[Result] = []
        self._callers: set[str] = set()
        self._backed_off: set[str] = set()
        self._awake = asyncio.Event()
        self._marked = asyncio.Event()
        self._due = True
        self._stopping = False
        self._task: asyncio.Task[None] | None = None
        self._runners: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Begin. What a process that died had claimed has been given back by then (claim.give_up_lost)."""
        self._stopping = False
        # Of several workers one claims at a time, and sees what those before it have claimed.
        self._writer = Writer(self._store, self._clock, turn=CLAIMING if self.node else None)
        self._task = spawn(self._run(), "outbox")

    async def stop(self, seconds: float = 5.0) -> None:
        """Claim nothing more, let what is under way end, settle it, give back the rest."""
        self._stopping = True
        self._awake.set()
        if self._task is None:
            return
        await asyncio.wait({self._task, *self._runners}, timeout=seconds)
        for task in (*self._runners, self._task):
            task.cancel()
        self._task = None
        await self._leave()

    def wake(self) -> None:
        """Marks were raised: look at once."""
        self._due = True
        self._marked.set()
        self._awake.set()

    def heard_from(self, partner_id: str) -> None:
        """The partner has called us, so it is there: what waits for it is tried at once."""
        if partner_id in self._backed_off:
            self._callers.add(partner_id)
            self.wake()

    async def _run(self) -> None:
        while not self._stopping:
            await self._pause()
            try:
                await self._cycle()
            except StoreError as error:
                _log.warning("the outbox cannot reach the store", error=str(error))
                await asyncio.sleep(_STORE_AWAY_SECONDS)
                self._due = True
            except Exception:  # noqa: BLE001 - whatever it is, deliveries must go on
                _log.exception("a round of the outbox failed")
                await asyncio.sleep(_STORE_AWAY_SECONDS)
                self._due = True

    async def _pause(self) -> None:
        """Until marks, results or the time say so; results alone are gathered for a moment."""
        if self._due or self._callers:
            self._awake.clear()
            return
        try:
            async with asyncio.timeout(self._poll_seconds):
                await self._awake.wait()
        except TimeoutError:
            self._due = await self._anything_due()
        if self._results and not self._due:
            await self._gather()
        self._awake.clear()

    async def _gather(self) -> None:
        """Wait for more results, but not while marks wait."""
        self._marked.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_GATHER_SECONDS):
                await self._marked.wait()
        self._due = True

    async def _anything_due(self) -> bool:
        try:
            async with self._store.reading() as session:
                return await anything_due(session, self._clock.now(), self._left_out(), self.node)
        except StoreError:
            return False

    async def _cycle(self) -> None:
        """One batch: settle what has come back, claim what is due; then hand it to the lanes."""
        if not self._due and not self._results and not self._callers:
            return
        self._due = False
        results, self._results = self._results, []
        callers, self._callers = self._callers, set()
        left_out = self._left_out()
        try:
            async with self._writer.batch() as batch:
                known = await settle(batch, results, callers)
                claims = await claim(batch, limit=_BATCH, without=left_out, node=self.node)
                seen = dict(await self._deliverer.glance(batch, claims))
        except BaseException:
            self._results = results + self._results
            self._callers |= callers
            raise
        self._backed_off = {name for name, lane in known.items() if lane.failures} - callers
        self._due = self._due or len(claims) == _BATCH
        await self._hand_out(claims, seen)

    async def _hand_out(self, claims: list[Claim], things: dict[int, Any]) -> None:
        unseen = [found for found in claims if found.id not in things]
        try:
            if unseen:
                things |= await self._deliverer.load(unseen)
        except BaseException:
            self._results += [Result(found, None) for found in claims]
            raise
        for found in claims:
            self._lane(found.partner_id).queue.append(Work(found, things.get(found.id)))
        for partner_id in {found.partner_id for found in claims}:
            self._run_lane(partner_id)

    async def _leave(self) -> None:
        for partner_id in list(self._lanes):
            self._give_back(partner_id)
        try:
            async with self._writer.batch() as batch:
                await settle(batch, self._results)
        except StoreError as error:
            _log.warning("the outbox could not settle before it ended", error=str(error))
        self._results = []
        await self._writer.close()

    def _left_out(self) -> set[str]:
        full = {partner_id for partner_id, lane in self._lanes.items() if lane.full}
        return full | self._deliverer.unreachable()

    def _lane(self, partner_id: str) -> _PartnerLane:
        return self._lanes.setdefault(partner_id, _PartnerLane())

    def _run_lane(self, partner_id: str) -> None:
        lane = self._lane(partner_id)
        for _ in range(min(IN_FLIGHT - lane.runners, len(lane.queue))):
            lane.runners += 1
            runner = spawn(self._deliver_all(partner_id, lane), f"outbox:{partner_id}")
            self._runners.add(runner)
            runner.add_done_callback(self._runners.discard)

    async def _deliver_all(self, partner_id: str, lane: _PartnerLane) -> None:
        try:
            while not lane.down and not self._stopping and (work := lane.next()) is not None:
                lane.turns.add(work.claim.turn)
                try:
                    outcome = await self._deliver(work, lane)
                finally:
                    lane.turns.discard(work.claim.turn)
                self._settled(work.claim, outcome)
                if isinstance(outcome, Down):
                    lane.down = True
                    self._give_back(partner_id)
        finally:
            lane.runners -= 1
            if lane.runners == 0:
                self._give_back(partner_id)
                lane.down = False

    async def _deliver(self, work: Work, lane: _PartnerLane) -> Outcome | None:
        found = work.claim
        if found.leased_until <= self._clock.now():
            return None
        began = self._clock.monotonic()
        try:
            return await self._deliverer.deliver(found, work.thing)
        except StoreError:
            return None
        except Exception as error:  # noqa: BLE001 - one object that cannot be told must not stop the others
            _log.exception("a delivery failed on our side", partner=found.partner_id, object=found.object_id)
            return Failed(error=f"{type(error).__name__}: {error}")
        finally:
            lane.took(self._clock.monotonic() - began)

    def _settled(self, found: Claim, outcome: Outcome | None) -> None:
        if outcome is not None:
            metrics.DELIVERIES.labels(found.partner_id, type(outcome).__name__.lower()).inc()
        self._results.append(Result(found, outcome))
        self._awake.set()

    def _give_back(self, partner_id: str) -> None:
        lane = self._lane(partner_id)
        if not lane.queue:
            return
        while lane.queue:
            self._results.append(Result(lane.queue.popleft().claim, None))
        self._awake.set()
