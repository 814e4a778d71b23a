"""One open socket of a station: frames are read without waiting for answers, which go out as they are ready."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

import msgspec

from app.domain.charging.decisions import Answer
from app.domain.stations import BootAnswer, BootReport, Refused
from app.kit import logs
from app.kit.tasks import spawn
from app.services.intake.calls import Call, Line, Unanswered
from ocpp_bridge import rpc
from ocpp_bridge.context import BridgeContext
from ocpp_bridge.live import Calls
from ocpp_bridge.rpc import CallFrame, ErrorCode, ErrorFrame, Fault, Frame, Garbage, ResultFrame
from ocpp_bridge.server.adoption import boot_again, offer_password
from ocpp_bridge.v16.inbound import Translated, reply_to, traces, translate, unreadable
from ocpp_bridge.v16.vocabulary import MONEY

MOST_UNANSWERED = 16
"""Calls of one station under way; then its socket is not read until one is answered."""
REMEMBERED = 8
"""Answers kept per socket for calls that come again with the same message id."""
LARGE_FRAME = 256 * 1024
"""From this size on a frame is read beside the event loop, few at once, one at a time per station."""
MOST_STRAYS = 60
"""Frames a minute that are neither a call nor an answer to one of ours; then the socket is closed."""
STRAY_SECONDS = 60.0
_MOST_CHARACTERS = 255

AWAY, MISBEHAVED = 1013, 1008

_REUSED = Fault(ErrorCode.GENERIC, "this message id was used before for another message")
_OWN_FAULT = Fault(ErrorCode.INTERNAL, "the message could not be handled")

Event = MutableMapping[str, Any]

_log = logs.get("ocpp.connection")


class Wire(Protocol):
    """The socket itself (app.kit.protocols): whole messages, in and out at once."""

    def listen(self, heed: Callable[[bytes, bool], None]) -> None:
        """Give every message to `heed`: its bytes, and whether it was sent as binary."""
        ...

    def transmit(self, message: bytes) -> None:
        """Send a text message."""
        ...

    def hold(self) -> None:
        """Read nothing more for now."""
        ...

    def go_on(self) -> None:
        """Read again."""
        ...


class _Exchange:
    """A call with its answer, kept for repetitions; `again`: repetitions that came before the answer."""

    __slots__ = ("again", "answer", "call", "content")

    def __init__(self, content: int, call: Call) -> None:
        self.content = content
        self.call: Call | None = call
        self.answer: bytes | None = None
        self.again = 0


class Connection:
    """Reads a station's frames and gives each call to the intake; sends answers in the order they are ready."""

    __slots__ = (
        "_adopting", "_calls", "_closing", "_context", "_large", "_line", "_offering", "_receive", "_recent",
        "_send", "_settling", "_strays", "_strays_since", "_unanswered", "_waiting", "_wire",
    )  # fmt: skip

    def __init__(
        self,
        context: BridgeContext,
        line: Line,
        wire: Wire,
        receive: Callable[[], Awaitable[Event]],
        send: Callable[[Event], Awaitable[None]],
        *,
        adopting: bool,
    ) -> None:
        self._context = context
        self._line = line
        self._wire = wire
        self._receive = receive
        self._send = send
        self._adopting = adopting
        self._offering = False
        self._calls: Calls | None = None
        self._recent: dict[str, _Exchange] = {}
        self._waiting: deque[tuple[bytes, bool]] | None = None
        self._unanswered = 0
        self._large = False
        self._settling: tuple[Call, asyncio.Event] | None = None
        self._strays = 0
        self._strays_since = 0.0
        self._closing = False

    @property
    def station_id(self) -> str:
        """Whose socket this is."""
        return self._line.station_id

    @property
    def version(self) -> str:
        """The OCPP version spoken on it: `1.6`."""
        return self._line.version

    @property
    def calls(self) -> Calls:
        """Our calls to the station over this socket; made when first needed."""
        if self._calls is None:
            context = self._context
            self._calls = Calls(
                self.station_id, self._put, context.intake.record, context.live.late, context.clock
            )
        return self._calls

    async def run(self) -> None:
        """Serve the socket until either side ends it."""
        self._wire.listen(self._hear)
        try:
            while (await self._receive())["type"] != "websocket.disconnect":
                pass
        finally:
            if self._calls is not None:
                self._calls.lost()

    def close(self, code: int, reason: str) -> None:
        """End the connection after the answers that are ready. Only the first reason counts."""
        if not self._closing:
            self._closing = True
            spawn(self._close(code, reason), "ocpp close")

    async def _close(self, code: int, reason: str) -> None:
        with contextlib.suppress(OSError):  # the station may be gone already
            await self._send({"type": "websocket.close", "code": code, "reason": reason})

    @property
    def _busy(self) -> bool:
        """Whether no more frames should be heeded: enough are unanswered, or a large one is being read."""
        return self._large or (self._unanswered >= MOST_UNANSWERED and not self._closing)

    def _hear(self, data: bytes, binary: bool) -> None:
        """A frame has come. What arrived together with one that made us busy waits here."""
        if self._busy:
            if self._waiting is None:
                self._waiting = deque()
            self._waiting.append((data, binary))
            return
        try:
            self._heed(data, binary)
        except Exception:  # noqa: BLE001 - a fault of ours with one frame must not end the server
            _log.exception("a frame could not be handled", station=self.station_id, size=len(data))
            self.close(AWAY, "try again later")
        if self._busy:
            self._wire.hold()

    def _go_on(self) -> None:
        """There may be room again: first for what waits, then for what comes."""
        while self._waiting and not self._busy:
            self._hear(*self._waiting.popleft())
        if not self._busy:
            self._wire.go_on()

    def _heed(self, data: bytes, binary: bool) -> None:
        if len(data) >= LARGE_FRAME:
            self._large = True
            spawn(self._heed_large(data, binary), "ocpp large frame")
            return
        frame, translated = _read_frame(data, binary)
        if isinstance(frame, CallFrame) and translated is not None:
            self._take(frame, data, translated)
        else:
            self._answered_or_stray(frame, data)

    async def _heed_large(self, data: bytes, binary: bool) -> None:
        """Few large frames at once are read, each in a thread and one at a time for a station."""
        try:
            async with self._context.large_frames:
                frame, translated = await asyncio.to_thread(_read_frame, data, binary)
                if not isinstance(frame, CallFrame) or translated is None:
                    self._answered_or_stray(frame, data)
                    return
                if (call := self._take(frame, data, translated)) is not None:
                    self._settling = call, asyncio.Event()
                    await self._settling[1].wait()
        except Exception:  # noqa: BLE001 - as for any frame
            _log.exception("a frame could not be handled", station=self.station_id, size=len(data))
            self.close(AWAY, "try again later")
        finally:
            self._settling = None
            self._large = False
            self._go_on()

    def _take(self, frame: CallFrame, data: bytes, translated: Translated) -> Call | None:
        """Give a call to the intake; a repetition gets the first answer again and is none."""
        message_id, content = frame.id[:_MOST_CHARACTERS], hash(data)
        earlier = self._recent.get(message_id) if message_id else None
        if earlier is not None:
            if earlier.content == content:
                self._answer_again(earlier)
                return None
            translated = _used_again(frame, translated)
        call = Call(
            self._line,
            translated.report,
            data,
            message_id,
            frame.action[:_MOST_CHARACTERS],
            self._reply(reply_to(frame, translated)),
            self._answered,
            translated.deviations,
            "result" if translated.fault is None else "error",
        )
        self._unanswered += 1
        if earlier is None and message_id:
            self._recent[message_id] = _Exchange(content, call)
            if len(self._recent) > REMEMBERED:
                del self._recent[next(iter(self._recent))]
        self._context.intake.take(call)
        return call

    def _answer_again(self, earlier: "_Exchange") -> None:
        if earlier.answer is None:
            self._unanswered += 1
            earlier.again += 1
        else:
            self._put(earlier.answer)

    def _reply(self, reply: Callable[[Answer], bytes]) -> Callable[[Answer], bytes]:
        """While a station is being adopted its boot is answered Pending, whatever the house says."""
        if not self._adopting:
            return reply

        def pending(given: Answer) -> bytes:
            if isinstance(given, BootAnswer):
                given = msgspec.structs.replace(given, status="Pending")
            return reply(given)

        return pending

    async def _adopt(self) -> None:
        self._adopting = not await offer_password(self._context, self.station_id)
        self._offering = False
        if not self._adopting:
            await boot_again(self._context, self.station_id)

    def _answered(self, call: Call, error: Exception | None) -> None:
        """The house is done with a call: its effect is committed, or nothing of it was kept."""
        self._unanswered -= 1
        if error is not None:
            if not isinstance(error, Unanswered):
                _log.error("a message was not answered", station=self.station_id, exc_info=error)
            self.close(AWAY, "try again later")
        elif call.answer is not None:
            self._put(call.answer)
            exchange = self._recent.get(call.message_id)
            if exchange is not None and exchange.call is call:
                self._remember(exchange, call.answer)
            if self._adopting and not self._offering and isinstance(call.report, BootReport):
                # A station under adoption gets a password, then it is let boot again.
                self._offering = True
                spawn(self._adopt(), "ocpp adoption")
        if self._settling is not None and self._settling[0] is call:
            self._settling[1].set()
        if self._unanswered == MOST_UNANSWERED - 1:
            self._go_on()

    def _remember(self, exchange: "_Exchange", answer: bytes) -> None:
        """Keep the answer for repetitions, and answer those that came meanwhile."""
        exchange.answer, exchange.call = answer, None
        for _ in range(exchange.again):
            self._unanswered -= 1
            self._put(answer)

    def _put(self, frame: bytes) -> None:
        if frame and not self._closing:
            self._wire.transmit(frame)

    def _answered_or_stray(self, frame: Frame, data: bytes) -> None:
        if isinstance(frame, ResultFrame | ErrorFrame):
            context = self._context
            if self._calls is not None and self._calls.answered(frame, data):
                return
            if context.live.late.answered(
                self.station_id, frame, data, context.clock.now(), context.intake.record
            ):
                return
        reason = frame.reason if isinstance(frame, Garbage) else "an answer that nobody asked for"
        now = self._context.clock.monotonic()
        if now - self._strays_since >= STRAY_SECONDS:
            self._strays, self._strays_since = 0, now
            _log.info("a frame was dropped", station=self.station_id, reason=reason, size=len(data))
        self._strays += 1
        if self._strays > MOST_STRAYS:
            self.close(MISBEHAVED, "too many frames that are no messages")


def _read_frame(data: bytes, binary: bool) -> tuple[Frame, Translated | None]:
    """A frame, and its meaning if it is a call."""
    frame = rpc.parse_binary(data) if binary else rpc.parse(data)
    if isinstance(frame, CallFrame):
        return frame, _understood(frame, len(data))
    if isinstance(frame, Garbage) and (trace := traces(data)) is not None:
        return trace, unreadable(trace, frame.reason)
    return frame, None


def _understood(frame: CallFrame, size: int) -> Translated:
    """The meaning of a call; a fault of our own costs neither the frame nor the answer."""
    try:
        return translate(frame, size)
    except Exception:  # noqa: BLE001 - the edge between what a station sends and us
        _log.exception("a call could not be read", action=frame.action)
    if frame.action in MONEY:
        return unreadable(frame, "a fault of ours")
    return Translated(Refused(reason=_OWN_FAULT.text), lambda _answer: b"{}", (), _OWN_FAULT)


def _used_again(frame: CallFrame, translated: Translated) -> Translated:
    """A message id used twice for different messages: a transaction message counts all the same, flagged."""
    if frame.action in MONEY:
        translated.deviations += ("message id used before",)
        return translated
    return Translated(Refused(reason=_REUSED.text), lambda _answer: b"{}", (), _REUSED)
