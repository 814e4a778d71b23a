"""The stations connected to this node, and the calls we make to them: one at a time per station, by priority."""

import asyncio
import contextlib
import heapq
import itertools
from collections import OrderedDict, deque
from collections.abc import Callable
from datetime import datetime
from typing import Any, Protocol

import msgspec

from app.domain.commands import Outcome, OutcomeKind
from app.domain.errors import Conflict
from app.domain.ports import Late
from app.kit.clock import Clock
from app.kit.metrics import OCPP_MESSAGES, STATIONS_ONLINE
from app.store.frames import Frame
from ocpp_bridge import rpc
from ocpp_bridge.rpc import ErrorFrame, ResultFrame

MOST_WAITING = 32
"""Calls that may wait for one station."""
MOST_LATE = 4096
"""Calls given up whose answers are still recognised, over all stations."""
MOST_REPLACEMENTS = 10
"""Sockets of one station that may replace each other within FLAPPING_SECONDS."""
FLAPPING_SECONDS = 60.0


Record = Callable[[Frame], None]
"""Keeps a call of ours in the wire log: `Intake.record`."""


class _Asked:
    """One call under way; `sent_at` None: it still waits for its turn."""

    __slots__ = ("action", "done", "frame", "late", "message_id", "sent_at", "station_id")

    def __init__(
        self, station_id: str, message_id: str, action: str, frame: bytes, late: Late | None
    ) -> None:
        self.station_id = station_id
        self.message_id = message_id
        self.action = action
        self.frame = frame
        self.late = late
        self.sent_at: datetime | None = None
        self.done: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

    def end(self, outcome: Outcome) -> None:
        """Tell whoever waits; only the first end counts."""
        if not self.done.done():
            self.done.set_result(outcome)


class Calls:
    """The calls to one station over one socket: one on the way, the others waiting by priority, then age."""

    __slots__ = (
        "_clock",
        "_gone",
        "_late",
        "_numbers",
        "_on_the_way",
        "_record",
        "_send",
        "_station_id",
        "_waiting",
    )

    def __init__(
        self,
        station_id: str,
        send: Callable[[bytes], None],
        record: Record,
        late: "LateAnswers",
        clock: Clock,
    ) -> None:
        self._station_id = station_id
        self._send = send
        self._record = record
        self._late = late
        self._clock = clock
        self._numbers = itertools.count()
        self._waiting: list[tuple[int, int, _Asked]] = []
        self._on_the_way: _Asked | None = None
        self._gone = False

    async def call(
        self,
        message_id: str,
        action: str,
        payload: bytes,
        *,
        priority: int,
        timeout: float,  # noqa: ASYNC109
        late: Late | None,
    ) -> Outcome:
        """Sends when its turn comes, but never after `timeout` seconds. Raises Conflict: too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            raise Conflict("too many calls wait for this station")
        if self._gone:
            return Outcome(kind=OutcomeKind.NOT_CONNECTED)
        asked = _Asked(self._station_id, message_id, action, rpc.call(message_id, action, payload), late)
        heapq.heappush(self._waiting, (priority, next(self._numbers), asked))
        self._next()
        try:
            await asyncio.wait([asked.done], timeout=timeout)
        finally:
            if not asked.done.done():
                self._give_up(asked)
        return asked.done.result()

    def answered(self, frame: ResultFrame | ErrorFrame, data: bytes) -> bool:
        """Takes an answer; False if it belongs to the call under way no more than to any earlier one."""
        asked = self._on_the_way
        if asked is None or asked.message_id != frame.id:
            return False
        self._on_the_way = None
        outcome = read_outcome(frame, self._clock.now())
        self._keep(exchange(asked, outcome.kind, data, outcome.answered_at))
        asked.end(outcome)
        self._next()
        return True

    def lost(self) -> None:
        """The socket is gone: what was sent may have been done, what was not sent never will be."""
        self._gone = True
        for _, _, asked in self._waiting:
            asked.end(Outcome(kind=OutcomeKind.NOT_CONNECTED))
        self._waiting.clear()
        if self._on_the_way is not None:
            self._give_up(self._on_the_way)

    def _keep(self, frame: Frame) -> None:
        OCPP_MESSAGES.labels(frame.action, frame.direction, frame.outcome).inc()
        self._record(frame)

    def _next(self) -> None:
        while self._on_the_way is None and self._waiting:
            asked = heapq.heappop(self._waiting)[2]
            if asked.done.done():
                continue
            asked.sent_at = self._clock.now()
            self._on_the_way = asked
            self._send(asked.frame)

    def _give_up(self, asked: _Asked) -> None:
        if asked.sent_at is not None:
            self._keep(exchange(asked, OutcomeKind.TIMEOUT))
            self._late.expect(asked)
        if self._on_the_way is asked:
            self._on_the_way = None
        else:
            self._waiting = [entry for entry in self._waiting if entry[2] is not asked]
            heapq.heapify(self._waiting)
        asked.end(Outcome(kind=OutcomeKind.TIMEOUT))
        if not self._gone:
            self._next()


class LateAnswers:
    """Calls that were given up: an answer that still comes, over whatever socket, is recognised and logged."""

    def __init__(self) -> None:
        self._asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()

    def expect(self, asked: _Asked) -> None:
        """Remember a call that was sent and given up; the oldest is forgotten when there are too many."""
        self._asked[(asked.station_id, asked.message_id)] = asked
        if len(self._asked) > MOST_LATE:
            self._asked.popitem(last=False)

    def answered(
        self, station_id: str, frame: ResultFrame | ErrorFrame, data: bytes, at: datetime, record: Record
    ) -> bool:
        """Takes a late answer; False if nobody ever asked for it."""
        asked = self._asked.pop((station_id, frame.id), None)
        if asked is None:
            return False
        record(exchange(asked, "late", data, at))
        if asked.late is not None:
            asked.late(read_outcome(frame, at))
        return True


class Socket(Protocol):
    """What the node knows of one connected station."""

    @property
    def station_id(self) -> str:
        """Whose socket it is."""
        ...

    @property
    def version(self) -> str:
        """OCPP version spoken on it."""
        ...

    @property
    def calls(self) -> Calls:
        """The calls to the station over this socket."""
        ...

    def close(self, code: int, reason: str) -> None:
        """End the connection with a WebSocket close code, after the answers that are ready."""
        ...


class LiveStations:
    """Which station is connected here by which socket; the newest socket of a station counts."""

    def __init__(self, clock: Clock) -> None:
        self.late = LateAnswers()
        self.clock = clock
        self._sockets: dict[str, Socket] = {}
        self._empty = asyncio.Event()
        self._empty.set()
        self._replaced: dict[str, deque[float]] = {}

    def __len__(self) -> int:
        return len(self._sockets)

    def ids(self) -> list[str]:
        """The stations connected here."""
        return list(self._sockets)

    def get(self, station_id: str) -> Socket | None:
        """The station's socket, if it is connected here."""
        return self._sockets.get(station_id)

    def flapping(self, station_id: str) -> bool:
        """Whether sockets of this station replace each other so often that two devices must share its name."""
        times = self._replaced.get(station_id)
        if times is None:
            return False
        while times and times[0] < self.clock.monotonic() - FLAPPING_SECONDS:
            times.popleft()
        if not times:
            del self._replaced[station_id]
        return len(times) >= MOST_REPLACEMENTS

    def join(self, socket: Socket) -> None:
        """A station's socket is open; an older one of the same station is closed (1000)."""
        old = self._sockets.get(socket.station_id)
        self._sockets[socket.station_id] = socket
        self._empty.clear()
        STATIONS_ONLINE.set(len(self._sockets))
        if old is not None:
            self._replaced.setdefault(socket.station_id, deque()).append(self.clock.monotonic())
            old.close(1000, "replaced by a newer connection")

    def leave(self, socket: Socket) -> None:
        """A socket is gone; nothing happens to a newer one of the same station."""
        if self._sockets.get(socket.station_id) is socket:
            del self._sockets[socket.station_id]
            STATIONS_ONLINE.set(len(self._sockets))
            if not self._sockets:
                self._empty.set()

    async def call(
        self,
        station_id: str,
        action: str,
        payload: bytes,
        *,
        message_id: str,
        priority: int,
        timeout: float,  # noqa: ASYNC109
        late: Late | None = None,
    ) -> Outcome:
        """Makes a call to a station. Raises Conflict if too many wait for it already."""
        socket = self._sockets.get(station_id)
        if socket is None:
            return Outcome(kind=OutcomeKind.NOT_CONNECTED)
        return await socket.calls.call(
            message_id, action, payload, priority=priority, timeout=timeout, late=late
        )

    async def close_all(self, seconds: float = 2.0, slices: int = 20) -> None:
        """Close every socket (1012, service restart), in slices, so that not all come back at one instant.

        Ends when all have left, at the latest `seconds` after the last slice.
        """
        sockets = list(self._sockets.values())
        size = max(1, -(-len(sockets) // slices))
        for start in range(0, len(sockets), size):
            for socket in sockets[start : start + size]:
                socket.close(1012, "service restart")
            if start + size < len(sockets):
                await asyncio.sleep(seconds / slices)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._empty.wait()


def exchange(asked: _Asked, outcome: str, answer: bytes | None = None, at: datetime | None = None) -> Frame:
    """The wire log's line of a call that was sent."""
    assert asked.sent_at is not None
    return Frame(
        station_id=asked.station_id,
        at=asked.sent_at,
        direction="out",
        message_id=asked.message_id,
        action=asked.action,
        request=asked.frame,
        answer=answer,
        answered_at=at,
        outcome=str(outcome),
    )


def read_outcome(frame: ResultFrame | ErrorFrame, at: datetime) -> Outcome:
    """The answer's meaning; what is not JSON after all becomes None."""
    if isinstance(frame, ResultFrame):
        return Outcome(kind=OutcomeKind.RESULT, response=_json(frame.payload), answered_at=at)
    error = {"code": frame.code, "description": frame.description, "details": _json(frame.details)}
    return Outcome(kind=OutcomeKind.ERROR, response=error, answered_at=at)


def _json(raw: bytes | msgspec.Raw) -> Any:
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
