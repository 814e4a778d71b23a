"""The commonest WebSocket frame, a short whole text message, cut out of what arrives (RFC 6455, 5.2)."""

from collections.abc import Iterator
from typing import NamedTuple

try:
    from websockets.speedups import apply_mask
except ImportError:  # where there is no wheel for this machine
    from websockets.utils import apply_mask

LONGEST = 4096
"""Bytes of a frame that is worth it; longer ones are few."""

_WHOLE_TEXT = 0x81
_MASKED = 0x80
_KEY = 4


class Piece(NamedTuple):
    """Bytes that end with a frame, or are part of a long one; `begin`: where the payload of a short text begins, or 0."""

    data: bytes
    begin: int

    def text(self) -> bytes:
        """The payload of a short text."""
        return apply_mask(self.data[self.begin :], self.data[self.begin - _KEY : self.begin])


class Cutter:
    """Cuts a stream at the borders of its frames, so that a library that is given some of them loses none."""

    __slots__ = ("_head", "_rest")

    def __init__(self) -> None:
        self._head = b""
        self._rest = 0

    def alone(self, data: bytes) -> bytes | None:
        """The payload, if what has arrived is one short text and nothing else, as nearly always; then it is taken."""
        if self._rest or self._head or data[0] != _WHOLE_TEXT or not 6 <= len(data) <= LONGEST:
            return None
        size, begin = data[1] - _MASKED, 6
        if size == 126:
            size, begin = data[2] << 8 | data[3], 8
        if size + begin != len(data) or size > LONGEST:
            return None
        return apply_mask(data[begin:], data[begin - _KEY : begin])

    def cut(self, data: bytes) -> Iterator[Piece]:
        """The pieces of what has arrived, in order. The beginning of a header waits for its end."""
        if self._head:
            data, self._head = self._head + data, b""
        at, end = 0, len(data)
        while at < end:
            if self._rest:
                step = min(self._rest, end - at)
                self._rest -= step
                yield Piece(data[at : at + step], 0)
                at += step
                continue
            header, size = _header(data, at)
            if not header:
                self._head = data[at:]
                return
            step = min(size, end - at)
            self._rest = size - step
            short = data[at] == _WHOLE_TEXT and data[at + 1] & _MASKED and step == size <= LONGEST
            yield Piece(data[at : at + step], header if short else 0)
            at += step


def _header(data: bytes, at: int) -> tuple[int, int]:
    """Bytes of a frame's header, and of the whole frame; (0, 0) while the header is not whole."""
    if len(data) < at + 2:
        return 0, 0
    size, begin = data[at + 1] & 0x7F, 2
    if size > 125:
        begin += 2 if size == 126 else 8
        size = int.from_bytes(data[at + 2 : at + begin])
    if data[at + 1] & _MASKED:
        begin += _KEY
    return (begin, begin + size) if len(data) >= at + begin else (0, 0)


def short_text(message: bytes) -> bytes | None:
    """The frame of a text that we send, None for one that is not short."""
    size = len(message)
    return b"\x81" + size.to_bytes(1) + message if size <= 125 else None
