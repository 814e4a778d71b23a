"""One connection to a partner: HTTP/1.1 requests one after the other, answers read by httptools."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, cast

import httptools
from multidict import CIMultiDict

from ocpi.client.messages import Received

LARGEST_HEAD = 64 * 1024
_MOST_AROUND_A_BODY = 8
"""Bytes of framing for each byte of a body: more than any server needs, however small its chunks."""
_WITH_A_LENGTH = frozenset({"POST", "PUT", "PATCH"})


class BrokenOff(OSError):
    """The connection ended before the answer did; `stale`: it had served before, and nothing was heard this time."""

    def __init__(self, *, stale: bool) -> None:
        super().__init__("the connection broke off")
        self.stale = stale


class NotHttp(OSError):
    """What came is no answer in HTTP/1.1."""


def written(method: str, host: str, target: str, headers: Mapping[str, str], body: bytes | None) -> bytes:
    """A request as it travels. Raises ValueError for a line end in a header: nothing may pose as another one."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}", *(f"{k}: {v}" for k, v in headers.items())]
    if body or method in _WITH_A_LENGTH:
        lines.append(f"Content-Length: {len(body or b'')}")
    head = "\r\n".join((*lines, "", ""))
    if not head.count("\r") == head.count("\n") == len(lines) + 1 or "\0" in head:
        raise ValueError("a line end in a header of a request")
    return head.encode() + body if body else head.encode()


class Http1(asyncio.Protocol):
    """Carries one exchange at a time. `ended` is called once, when the connection is gone."""

    def __init__(self, ended: Callable[["Http1"], None]) -> None:
        self.usable = True
        """Whether another request may follow."""
        self.idle_since = 0.0
        self._served = 0
        self._ended = ended
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[bool] | None = None
        self._parser: Any = None
        self._begin(Received(), 0)

    def _begin(self, received: Received, largest: int) -> None:
        self._received = received
        self._largest = largest
        self._headers: CIMultiDict[str] = CIMultiDict()
        self._chunks: list[bytes] = []
        self._came = 0
        self._size = 0
        self._in_head = True

    async def exchange(self, request: bytes, received: Received, *, until: float, largest: int) -> bool:
        """Send a request and fill `received`; False for a body larger than `largest`.

        `until` is a time of the event loop. Raises TimeoutError, BrokenOff, NotHttp; the connection is of no use
        after any of them.
        """
        self._begin(received, largest)
        self._served += 1
        self._parser = httptools.HttpResponseParser(self)
        answer: asyncio.Future[bool] = self._loop.create_future()
        self._answer = answer
        late = self._loop.call_at(until, self._too_late)
        try:
            self._transport.write(request)  # type: ignore[union-attr]  # only a connected one is handed out
            return await answer
        finally:
            late.cancel()
            self._answer = None
            received.body = b"".join(self._chunks)
            if answer.cancelled():
                self.close()

    def close(self) -> None:
        """Hang up at once."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol. What nobody asked for ends the connection."""
        if self._answered:
            self.close()
            return
        self._came += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(NotHttp("the answer is not HTTP"))
        if self._came > LARGEST_HEAD + _MOST_AROUND_A_BODY * self._size:
            self._fail(NotHttp("the answer has more head than body"))

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol. A body without a length ends with its connection."""
        self.usable = False
        self._ended(self)
        answer = self._answer
        if answer is None or answer.done():
            return
        if error is None and not self._in_head and self._endless():
            answer.set_result(True)
        else:
            answer.set_exception(BrokenOff(stale=self._served > 1 and not self._came))

    def on_message_begin(self) -> None:
        """See httptools. A second answer to one request is for nobody."""
        if self._answered:
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        if self._answered:
            return
        self._headers.add(name.decode("latin-1"), value.decode("utf-8", "surrogateescape"))

    def on_headers_complete(self) -> None:
        """See httptools."""
        status = self._parser.get_status_code()
        if status < 200 or self._answered:
            return
        self._in_head = False
        self._received.http_status, self._received.headers = status, self._headers

    def on_body(self, chunk: bytes) -> None:
        """See httptools."""
        if self._answered:
            return
        self._size += len(chunk)
        self._chunks.append(chunk)
        if self._size > self._largest:
            self._finish(fits=False, again=False)

    def on_message_complete(self) -> None:
        """See httptools. An answer of the kind "go on" is followed by the true one."""
        if self._in_head:
            self._headers = CIMultiDict()
        elif not self._answered:
            self._finish(fits=True, again=self._parser.should_keep_alive())

    @property
    def _answered(self) -> bool:
        return self._answer is None or self._answer.done()

    def _endless(self) -> bool:
        return "Content-Length" not in self._headers and "Transfer-Encoding" not in self._headers

    def _finish(self, *, fits: bool, again: bool) -> None:
        if not again:
            self.close()
        if self._answer is not None:
            self._answer.set_result(fits)

    def _too_late(self) -> None:
        self._fail(TimeoutError("no answer in time"))

    def _fail(self, error: Exception) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)
