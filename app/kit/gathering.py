"""Gathering: one question for all who ask at about the same time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Generic, TypeVar

from app.kit.tasks import spawn

V = TypeVar("V")


class Gathering(Generic[V]):
    """Looks values up by key. Whoever asks while a question is under way shares the next one with the others.

    A house at rest asks at once; when thousands come at the same moment, they cost as many questions as there is
    time for.
    """

    def __init__(self, name: str, look_up: Callable[[Sequence[str]], Awaitable[Mapping[str, V]]]) -> None:
        self._name = name
        self._look_up = look_up
        self._waiting: dict[str, list[asyncio.Future[V | None]]] = {}
        self._asking = False

    async def get(self, key: str) -> V | None:
        """The value, None where there is none. Raises what the look-up raised."""
        found: asyncio.Future[V | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(found)
        if not self._asking:
            self._asking = True
            spawn(self._ask(), self._name)
        return await found

    async def _ask(self) -> None:
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, {}
                await self._answer(waiting)
        finally:
            self._asking = False

    async def _answer(self, waiting: dict[str, list["asyncio.Future[V | None]"]]) -> None:
        try:
            values: Mapping[str, V] = await self._look_up(sorted(waiting))
        except Exception as error:  # noqa: BLE001 - handed to everybody who asked
            for future in (future for futures in waiting.values() for future in futures):
                if not future.done():
                    future.set_exception(error)
            return
        for key, futures in waiting.items():
            for future in futures:
                if not future.done():
                    future.set_result(values.get(key))
