"""Who asks while a question is under way shares the next one; a failure reaches everybody who asked."""

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from app.kit.gathering import Gathering


async def test_those_who_come_meanwhile_share_one_question() -> None:
    asked: list[list[str]] = []
    go_on = asyncio.Event()

    async def look_up(keys: Sequence[str]) -> Mapping[str, int]:
        asked.append(list(keys))
        await go_on.wait()
        return {key: len(key) for key in keys if key != "nobody"}

    gathering = Gathering("test", look_up)
    first = asyncio.create_task(gathering.get("a"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    others = [asyncio.create_task(gathering.get(key)) for key in ("bb", "ccc", "bb", "nobody")]
    await asyncio.sleep(0)
    others[2].cancel()
    go_on.set()
    assert await first == 1
    answers = await asyncio.gather(*others, return_exceptions=True)
    assert answers[:2] == [2, 3]
    assert isinstance(answers[2], asyncio.CancelledError)
    assert answers[3] is None
    assert asked == [["a"], ["bb", "ccc", "nobody"]]


async def test_a_failure_is_everybodys_and_the_next_question_is_asked_anew() -> None:
    failing = True

    async def look_up(keys: Sequence[str]) -> Mapping[str, str]:
        if failing:
            raise OSError("away")
        return {key: key for key in keys}

    gathering = Gathering("test", look_up)
    answers = await asyncio.gather(gathering.get("a"), gathering.get("b"), return_exceptions=True)
    assert [str(each) for each in answers] == ["away", "away"]
    failing = False
    assert await gathering.get("a") == "a"
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(Gathering("never", _never).get("x"), 0.01)


async def _never(_keys: Sequence[str]) -> Mapping[str, str]:
    await asyncio.Event().wait()
    return {}
