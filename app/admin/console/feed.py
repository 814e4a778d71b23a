"""The one feed behind all live pages: each list is asked for once, however many look at it, and sent when it changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.admin.console.asking import Answered, Api, Query, Refusal, read
from app.kit import logs
from app.kit.tasks import spawn

Take = Callable[[Any, int | None], None]
"""Takes a new document and, of a list's page, the length of the whole list."""
Fail = Callable[[Refusal | None], None]
"""Takes why there is nothing new, and None when there is again."""
Looking = Callable[[], bool]
"""Whether the page can be seen: nothing is asked for one in a tab behind others."""

QUIET = 8
"""After so many answers that were the same a document is asked for less often, until it changes."""
SLOWER = 3
LONGEST_PAUSE = 6.0
"""Seconds up to which pauses are made longer."""

_log = logs.get("console.feed")


@dataclass(eq=False, slots=True)
class _Viewer:
    take: Take
    fail: Fail
    looking: Looking


@dataclass(slots=True)
class _Topic:
    every: float
    viewers: list[_Viewer] = field(default_factory=list)
    last: Answered | None = None
    refused: bool = False
    same: int = 0

    @property
    def pause(self) -> float:
        """How long to wait before the next question."""
        if self.same < QUIET:
            return self.every
        return max(self.every, min(self.every * SLOWER, LONGEST_PAUSE))


class Feed:
    """Follows documents of the API. A topic is a path with its query; it lives as long as somebody looks."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._topics: dict[tuple[str, tuple[tuple[str, Query], ...]], _Topic] = {}

    @property
    def topics(self) -> int:
        """How many documents are being followed."""
        return len(self._topics)

    async def follow(
        self,
        path: str,
        query: dict[str, Query],
        take: Take,
        fail: Fail,
        *,
        every: float,
        looking: Looking = lambda: True,
    ) -> Callable[[], None]:
        """Give `take` the document now, and again whenever it has changed; ends when the result is called.

        The first to look decides how often (seconds). Raises Refusal where it cannot be read at all.
        """
        key = (path, tuple(sorted(query.items(), key=lambda item: item[0])))
        # Asked even where others look already: who opens a page sees what is so now, not what was so at the last round.
        answered = await self._api.send("GET", path, query)
        topic = self._topics.get(key)
        if topic is None:
            topic = self._topics[key] = _Topic(every)
            spawn(self._keep(key, topic), f"console:{path}")
        _tell(topic, answered)
        viewer = _Viewer(take, fail, looking)
        topic.viewers.append(viewer)
        take(read(answered.body), answered.total)

        def leave() -> None:
            if viewer in topic.viewers:
                topic.viewers.remove(viewer)

        return leave

    async def _keep(self, key: tuple[str, tuple[tuple[str, Query], ...]], topic: _Topic) -> None:
        path, query = key
        try:
            while True:
                await asyncio.sleep(topic.pause)
                if not topic.viewers:
                    return
                if any(viewer.looking() for viewer in topic.viewers):
                    await self._once(path, dict(query), topic)
        finally:
            self._topics.pop(key, None)

    async def _once(self, path: str, query: dict[str, Query], topic: _Topic) -> None:
        try:
            answered = await self._api.send("GET", path, query)
        except Refusal as refusal:
            topic.refused = True
            for viewer in tuple(topic.viewers):
                _safely(viewer.fail, refusal)
            return
        if topic.refused:
            topic.refused = False
            for viewer in tuple(topic.viewers):
                _safely(viewer.fail, None)
        if answered == topic.last:
            topic.same += 1
            return
        _tell(topic, answered)


def _tell(topic: _Topic, answered: Answered) -> None:
    """Everybody who looks sees what has changed."""
    if answered == topic.last:
        return
    topic.last, topic.same = answered, 0
    document = read(answered.body)
    for viewer in tuple(topic.viewers):
        _safely(viewer.take, document, answered.total)


def _safely(call: Callable[..., None], *given: Any) -> None:
    try:
        call(*given)
    except Exception:  # noqa: BLE001 - one page that fails must not end the feed of the others
        _log.exception("a page failed on what is new")
