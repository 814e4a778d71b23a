"""A charging station that costs next to nothing: one call under way, prepared payloads, on picows."""

import time
from collections.abc import Callable

import orjson
from picows import WSFrame, WSListener, WSMsgType, WSTransport

from bench import mix

CALL_RESULT = 3
_clock = time.perf_counter

Answered = Callable[["Station", str, float, bool], None]
"""Called with the station, the action, its seconds, and whether it was a CALLRESULT."""


class Station(WSListener):
    """Says what it is told to and reports each answer. Counts only what the server acknowledged."""

    def __init__(self, number: int, stamp: mix.Stamp, answered: Answered) -> None:
        self.number = number
        self.id = mix.STATION_ID.format(number)
        self.stopped: list[int] = []
        """Numbers of the transactions whose stop was acknowledged."""
        self.acknowledged = 0
        self.waiting = False
        self.alive = False
        self._tag = mix.ID_TAG.format(number).encode()
        self._stamp = stamp
        self._answered = answered
        self._transport: WSTransport | None = None
        self._transaction: int | None = None
        self._wh = 1000 * number
        self._sent = 0
        self._status = 0
        self._action = ""
        self._id = ""
        self._since = 0.0

    def say(self, kind: str) -> None:
        """Send a call of this kind; nothing else may be under way."""
        self._call(*self._message(kind))

    def tell(self, status: bytes) -> None:
        """Send this status, in OCPP's words, whatever else is under way."""
        self._call("StatusNotification", mix.STATUS % (status, self._stamp.now()))

    def _call(self, action: str, payload: bytes) -> None:
        self._sent += 1
        self._id = f"{self.number}-{self._sent}"
        self._action = action
        self.waiting = True
        frame = b'[2,"%s","%s",%s]' % (self._id.encode(), action.encode(), payload)
        self._since = _clock()
        if self._transport is not None:
            self._transport.send(WSMsgType.TEXT, frame)

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.send_close(1000)
            self._transport.disconnect(graceful=True)

    def on_ws_connected(self, transport: WSTransport) -> None:
        self._transport = transport
        self.alive = True

    def on_ws_disconnected(self, transport: WSTransport) -> None:
        self.alive = False

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type != WSMsgType.TEXT:
            if frame.msg_type == WSMsgType.CLOSE:
                transport.send_close(frame.get_close_code())
                transport.disconnect()
            return
        took = _clock() - self._since
        answer = orjson.loads(frame.get_payload_as_memoryview())
        if answer[0] == 2:
            transport.send(WSMsgType.TEXT, orjson.dumps([4, answer[1], "NotImplemented", "", {}]))
            return
        if answer[1] != self._id:
            return
        self.waiting = False
        good = answer[0] == CALL_RESULT
        if good:
            self.acknowledged += 1
            if self._action == "StartTransaction":
                self._transaction = answer[2]["transactionId"]
            elif self._action == "StopTransaction" and self._transaction is not None:
                self.stopped.append(self._transaction)
                self._transaction = None
        self._answered(self, self._action, took, good)

    def _message(self, kind: str) -> tuple[str, bytes]:
        now = self._stamp.now()
        if kind == "MeterValues":
            self._wh += 20
            transaction = b"" if self._transaction is None else b',"transactionId":%d' % self._transaction
            return kind, mix.METER % (transaction, now, self._wh)
        if kind == "StatusNotification":
            self._status = (self._status + 1) % len(mix.STATUSES)
            return kind, mix.STATUS % (mix.STATUSES[self._status], now)
        if kind == "Transaction":
            self._wh += 20
            if self._transaction is None:
                return "StartTransaction", mix.START % (self._tag, self._wh, now)
            return "StopTransaction", mix.STOP % (self._transaction, self._tag, self._wh, now)
        if kind == "BootNotification":
            return kind, mix.BOOT % (self.number, self.number)
        return kind, b"{}"
