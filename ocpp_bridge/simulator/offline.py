"""Transaction messages on their way: kept in order until acknowledged, sent again by the rules of OCPP 1.6, 3.7.1."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
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
    """One message; the transaction's number is filled in when it is sent."""

    action: str
    payload: dict[str, Any]
    transaction: Transaction
    attempts: int = 0


class Queue:
    """First in, first out. A lost connection costs no attempt; an error or silence does."""

    def __init__(self, attempts: Callable[[], int], interval: Callable[[], float]) -> None:
        self._attempts = attempts
        self._interval = interval
        self._messages: deque[Message] = deque()
        self._filled = asyncio.Event()
        self.empty = asyncio.Event()
        self.empty.set()
        self.discarded: list[Message] = []

    def __len__(self) -> int:
        return len(self._messages)

    def put(self, action: str, payload: dict[str, Any], transaction: Transaction) -> None:
        """Keep a message until it is acknowledged or given up."""
        self._messages.append(Message(action, payload, transaction))
        self._filled.set()
        self.empty.clear()

    async def work(self, send: Send) -> None:
        """Send what is there and what comes, until the connection is lost (Gone)."""
        while True:
            if not self._messages:
                self._filled.clear()
                await self._filled.wait()
            message = self._messages[0]
            try:
                answer = await send(message.action, _numbered(message))
            except CallFailed:
                await self._failed(message)
                continue
            self._messages.popleft()
            self._settle()
            if message.action == "StartTransaction":
                self._started(message.transaction, answer)

    async def _failed(self, message: Message) -> None:
        message.attempts += 1
        if message.attempts >= self._attempts():
            self.discarded.append(self._messages.popleft())
            self._settle()
            message.transaction.answered.set()
            return
        await asyncio.sleep(self._interval() * message.attempts)

    def _settle(self) -> None:
        if not self._messages:
            self.empty.set()

    @staticmethod
    def _started(transaction: Transaction, answer: dict[str, Any]) -> None:
        transaction.number = answer["transactionId"]
        transaction.refused = answer["idTagInfo"]["status"] != "Accepted"
        transaction.answered.set()


def _numbered(message: Message) -> dict[str, Any]:
    if message.action == "StartTransaction":
        return message.payload
    number = message.transaction.number
    # A start that was given up leaves its transaction without a number; -1 is what stations send then.
    return message.payload | {"transactionId": -1 if number is None else number}
