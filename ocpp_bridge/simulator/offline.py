"""Messages on their way: kept in order until acknowledged, sent again by the rules of OCPP 1.6, 3.7.1."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

import msgspec

from ocpp_bridge.simulator.client import CallFailed

Send = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]


class Transaction:
    """One transaction at the station; `number` is the server's, None until it has answered."""

    def __init__(self, connector: int, id_tag: str) -> None:
        self.connector = connector
        self.id_tag = id_tag
        self.number: int | None = None
        self.refused = False
        self.answered = asyncio.Event()


class Message(msgspec.Struct):
    """One message; its transaction's number is filled in when it is sent, None where it belongs to none.

    `past`: one of the station's history, which is sent at the pace of the queue.
    """

    action: str
    payload: dict[str, Any]
    transaction: Transaction | None
    attempts: int = 0
    past: bool = False


class Pace:
    """So many messages a second, for all who share it."""

    def __init__(self, per_second: float) -> None:
        self._step = 1 / per_second
        self._next = 0.0

    async def turn(self) -> None:
        """Wait until it is one's turn."""
        now = asyncio.get_running_loop().time()
        self._next = max(now, self._next) + self._step
        await asyncio.sleep(self._next - self._step - now)


class Queue:
    """First in, first out. A lost connection costs no attempt; an error or silence does."""

    def __init__(
        self, attempts: Callable[[], int], interval: Callable[[], float], pace: Pace | None = None
    ) -> None:
        self._attempts = attempts
        self._interval = interval
        self._pace = pace
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self.discarded: list[Message] = []
        self.past = 0
        """How many messages of the station's history still wait."""
        self.on_change: Callable[[], None] = lambda: None
        """Called when something new has to be kept, before it is sent, and when it is acknowledged."""

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def put(self, action: str, payload: dict[str, Any], transaction: Transaction | None) -> None:
        """Keep a message until it is acknowledged or given up."""
        self.keep([Message(action, payload, transaction)])

    def keep(self, messages: Sequence[Message]) -> None:
        """Keep messages that were made before, in this order."""
        if not messages:
            return
        self._messages.extend(messages)
        past = sum(message.past for message in messages)
        self.past += past
        self._filled.set()
        self.empty.clear()
        if past < len(messages):
            self.on_change()

    async def work(self, send: Send) -> None:
        """Send what is there and what comes, until the connection is lost (Gone)."""
        while True:
            if not self._messages:
                self._filled.clear()
                await self._filled.wait()
            message = self._messages[0]
            if message.past and self._pace is not None:
                await self._pace.turn()
            try:
                answer = await send(message.action, _numbered(message))
            except CallFailed:
                await self._failed(message)
                continue
            if message.action == "StartTransaction":
                _started(message.transaction, answer)
            self._settle()

    async def _failed(self, message: Message) -> None:
        message.attempts += 1
        if message.attempts >= self._attempts():
            self.discarded.append(message)
            self._settle()
            if message.transaction is not None:
                message.transaction.answered.set()
            return
        await asyncio.sleep(self._interval() * message.attempts)

    def _settle(self) -> None:
        settled = self._messages.popleft()
        self.past -= settled.past
        if not self._messages:
            self.empty.set()
        if not settled.past:
            self.on_change()


def _started(transaction: Transaction | None, answer: dict[str, Any]) -> None:
    if transaction is not None:
        transaction.number = answer["transactionId"]
        transaction.refused = answer["idTagInfo"]["status"] != "Accepted"
        transaction.answered.set()


def _numbered(message: Message) -> dict[str, Any]:
    if message.action == "StartTransaction" or message.transaction is None:
        return message.payload
    number = message.transaction.number
    # A start that was given up leaves its transaction without a number; -1 is what stations send then.
    return message.payload | {"transactionId": -1 if number is None else number}
