"""The waiting room: who waits, in what order messages come back, and an issuer that fails."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from app.domain.authorization import Asked, Question
from app.domain.tokens import Verdict
from app.services.intake.waiting import WaitingRoom

QUESTION = Question(uid="TAG1", token=None, location_id=None)


@dataclass
class Message:
    """A message as the room sees it; without a call it is the house's own."""

    station_id: str
    call: str | None = "call"
    asked: Asked | None = None


class Issuer:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[Asked] = asyncio.get_running_loop().create_future()

    def can_answer(self, _question: Question) -> bool:
        return True

    async def ask(self, _question: Question) -> Asked:
        return await self.answer


class Room:
    """A waiting room with what came back from it."""

    def __init__(self) -> None:
        self.issuer = Issuer()
        self.back: list[Message] = []
        self.room: WaitingRoom[Message] = WaitingRoom(self.issuer, self._take)

    def _take(self, messages: Iterable[Message]) -> None:
        self.back += messages


async def test_later_calls_of_the_station_come_back_behind_the_answered_one() -> None:
    room = Room()
    asking, second, third = Message("A"), Message("A"), Message("A")
    other, own = Message("B"), Message("A", call=None)
    room.room.ask(QUESTION, [asking, second])
    assert room.room.keep_back([third, other, own]) == [other, own]
    room.issuer.answer.set_result(Asked(verdict=Verdict.ACCEPTED))
    await asyncio.sleep(0.01)
    assert [id(each) for each in room.back] == [id(asking), id(second), id(third)]
    assert (asking.asked, second.asked) == (Asked(verdict=Verdict.ACCEPTED), None)
    assert not room.room
    assert room.room.keep_back([third]) == [third]


async def test_an_issuer_that_fails_has_said_nothing() -> None:
    room = Room()
    asking = Message("A")
    room.room.ask(QUESTION, [asking])
    room.issuer.answer.set_exception(RuntimeError("a fault of ours"))
    await asyncio.sleep(0.01)
    assert room.back == [asking]
    assert asking.asked == Asked(verdict=None)


async def test_at_the_end_nobody_is_waited_for() -> None:
    room = Room()
    asking, second = Message("A"), Message("A")
    room.room.ask(QUESTION, [asking, second])
    await asyncio.sleep(0.01)
    assert room.room.empty() == [asking, second]
    await asyncio.sleep(0.01)
    assert room.issuer.answer.cancelled()
    assert room.back == []


async def test_without_issuers_there_is_nobody_to_ask() -> None:
    room: WaitingRoom[Message] = WaitingRoom(None, lambda _messages: None)
    assert not room.can_answer(QUESTION)
