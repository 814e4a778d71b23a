"""HTTP and WebSocket as uvicorn speaks them, with bounds on what a stranger may send and refusals that arrive."""

from asyncio import TimerHandle, Transport
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request
from websockets.protocol import State

from app.kit.frames import Cutter, Piece, short_text

MAX_FRAME = 8 * 1024 * 1024  # bytes of one WebSocket message
MAX_HEADERS = 16 * 1024  # bytes of all request headers together
MAX_HEADER_LINES = 100
MAX_LINE = 8000  # bytes of the request line, and of one header
HEAD_SECONDS = 5.0  # from the first byte of a request to the end of its headers
LINGER_SECONDS = 5.0  # for a peer to notice that its message was too large


class GuardedHttp(HttpToolsProtocol):
    """HTTP/1.1 that bounds the head of a request in size (431, 414) and time, and refuses a URL outside ASCII."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._refusal: int | None = None
        self._head_bytes = 0
        self._header_bytes = 0
        self._heads_read = 0
        self._in_head = True
        self._deadline: TimerHandle | None = None
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        began_in_head, heads = self._in_head, self._heads_read
        if began_in_head:
            self._expect_head()
        super().data_received(data)
        if began_in_head and heads == self._heads_read and not self.transport.is_closing():
            # The parser tells of a header only when it is whole, so an endless one is counted here.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEADERS + MAX_LINE:
                self._refusal = 431
                self.send_400_response("")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._header_bytes = 0

    def on_url(self, url: bytes) -> None:
        super().on_url(url)
        if len(self.url) > MAX_LINE:
            self._refuse(414)
        if not url.isascii():
            self._refuse(400)

    def on_header(self, name: bytes, value: bytes) -> None:
        super().on_header(name, value)
        size = len(name) + len(value) + 4
        self._header_bytes += size
        if self._header_bytes > MAX_HEADERS or size > MAX_LINE or len(self.headers) > MAX_HEADER_LINES:
            self._refuse(431)

    def on_headers_complete(self) -> None:
        self._head_is_here()
        self._heads_read += 1
        self._head_bytes = 0
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Uvicorn's answer to a head it cannot read, with our status where we were the ones to refuse it."""
        if self._refusal in (None, 400):
            super().send_400_response(msg)
            return
        self.transport.write(_short_answer(self._refusal or 400))
        self.transport.close()

    def _refuse(self, status: int) -> None:
        self._refusal = status
        # The parser stops at an exception and hands it back as one of its own, which becomes the answer above.
        raise httptools.HttpParserInvalidURLError(f"refused with {status}")

    def _expect_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _head_is_here(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        self._deadline = None
        self.transport.close()


_END_OF_HEAD = b"\r\n\r\n"

FRAMES = "voltbridge.frames"
"""The extension of a WebSocket scope by which an app reads and writes whole messages without the ASGI queue."""

Heed = Callable[[bytes, bool], None]
"""Takes a message at once: its bytes, and whether it was sent as binary."""


class PatientWebSocket(WebSocketsSansIOProtocol):
    """WebSockets whose refusals arrive: a readable HTTP answer is no error of ours, and a close frame that answers
    a message too large is not lost to a reset, because what the peer is still sending is read away for a while.

    For an app that asks for it (`FRAMES`) messages come and go directly: two turns of the event loop less for each,
    and short texts, which are nearly all there is, without a detour through the library.
    """

    _reading_away = False
    _heed: Heed | None = None
    _cutter: Cutter | None = None

    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if not self.handshake_complete:
            self.scope["extensions"][FRAMES] = self  # type: ignore[assignment]

    def listen(self, heed: Heed) -> None:
        """Give every message to `heed`, those that came before first; `receive` only tells of the end from now on."""
        self._heed = heed
        for _ in range(self.queue.qsize()):
            event = self.queue.get_nowait()
            if event["type"] == "websocket.receive":
                text = event.get("text")
                heed(event.get("bytes") or b"" if text is None else text.encode(), text is None)
            else:
                self.queue.put_nowait(event)
        self.go_on()

    def transmit(self, message: bytes) -> None:
        """Send a text message; one to a peer that is gone is lost."""
        if self.close_sent or self.disconnected or self.transport.is_closing():
            return
        frame = None if self.conn.extensions else short_text(message)
        if frame is not None:
            self.transport.write(frame)
            return
        self.conn.send_text(message)
        self.transport.write(b"".join(self.conn.data_to_send()))

    def hold(self) -> None:
        """Read nothing more for now."""
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def go_on(self) -> None:
        """Read again, unless the peer does not read what it is sent."""
        if self.read_paused and self.writable.is_set() and not self.transport.is_closing():
            self.read_paused = False
            self.transport.resume_reading()

    def pause_writing(self) -> None:
        super().pause_writing()
        if self._heed is not None:
            self.hold()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._heed is not None:
            self.go_on()

    def send_receive_event_to_app(self) -> None:
        if self._heed is None:
            super().send_receive_event_to_app()
            return
        message = bytes(self.frames[0]) if len(self.frames) == 1 else b"".join(self.frames)
        self.frames = []
        if not self.close_sent:
            self._hear(message, binary=self.curr_msg_data_type != "text")

    def _hear(self, message: bytes, *, binary: bool) -> None:
        assert self._heed is not None
        try:
            if not binary:
                message.decode()
        except UnicodeDecodeError:
            self.conn.send_close(1007)
            self.handle_parser_exception()
            return
        self._heed(message, binary)

    def data_received(self, data: bytes) -> None:
        if self._cutter is not None:
            text = self._cutter.alone(data) if self._plain else None
            if text is not None:
                self._hear(text, binary=False)
                return
            for piece in self._cutter.cut(data):
                self._take(piece)
            return
        if self._reading_away:
            return
        super().data_received(data)
        if self.handshake_initiated and data.endswith(_END_OF_HEAD):
            self._cutter = Cutter()  # from here on all that comes is frames
        if not self.handshake_initiated and not self.transport.is_closing():
            # The request's head came whole; what the library cannot read (a POST, a body) it leaves unanswered.
            self.close_sent = self.handshake_complete = True
            self.transport.write(_short_answer(400))
            self.transport.close()

    @property
    def _plain(self) -> bool:
        """Whether a whole text is just that: somebody listens, and no message or end is under way."""
        return (
            self._heed is not None
            and self.conn.state is State.OPEN
            and not self.frames
            and not self.close_sent
            and not self._reading_away
        )

    def _take(self, piece: Piece) -> None:
        if self._reading_away:
            return
        if piece.begin and self._plain:
            self._hear(piece.text(), binary=False)
        else:
            super().data_received(piece.data)

    def handle_parser_exception(self) -> None:
        close = self.conn.close_sent
        if close is None:
            self.transport.close()
            return
        self.queue.put_nowait({"type": "websocket.disconnect", "code": close.code, "reason": close.reason})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self._reading_away = True
        self.read_paused = False
        self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER_SECONDS, self.transport.close)

    async def send(self, message: Any) -> None:
        await super().send(message)
        if message["type"] == "websocket.http.response.body" and not message.get("more_body", False):
            # Uvicorn counts only accept and close as ends of a handshake and would log an ERROR for this one.
            self.handshake_complete = True


def _short_answer(status: int) -> bytes:
    return STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n"
