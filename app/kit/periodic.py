"""Periodic: a coroutine function that is run every so many seconds until it is told to stop."""

import asyncio
import random
from collections.abc import Awaitable, Callable

from app.kit import logs
from app.kit.tasks import spawn

_log = logs.get("kit.periodic")


class Periodic:
    """Runs `work` every `seconds`, never two at a time. A run that raises is logged and the next one comes anyway.

    `jitter` spreads the pauses by that share (0.1 = plus or minus a tenth), so that several nodes do not beat
    together. With `at_once` the first run does not wait for the first pause.
    """

    def __init__(
        self,
        name: str,
        seconds: float,
        work: Callable[[], Awaitable[object]],
        *,
        jitter: float = 0.1,
        at_once: bool = False,
    ) -> None:
        if seconds <= 0:
            raise ValueError(f"{name}: a period must be longer than zero seconds")
        self.name = name
        self._seconds = seconds
        self._work = work
        self._jitter = jitter
        self._at_once = at_once
        self._condition: Callable[[], bool] = lambda: True
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def only_if(self, condition: Callable[[], bool]) -> "Periodic":
        """Leave out the runs before which this is false; gives the same loop back."""
        self._condition = condition
        return self

    def start(self) -> None:
        """Begin. Calling it again while it runs changes nothing."""
        if self._task is None or self._task.done():
            self._stopping.clear()
            self._task = spawn(self._run(), f"periodic:{self.name}")

    async def stop(self, seconds: float = 5.0) -> None:
        """Let a run that is under way finish, at most so many seconds, then cancel it. Nothing runs afterwards."""
        self._stopping.set()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=seconds)
        for task in late:
            task.cancel()
            await asyncio.wait({task})
        self._task = None

    async def _run(self) -> None:
        if not self._at_once:
            await self._pause()
        while not self._stopping.is_set():
            await self._once()
            await self._pause()

    async def _once(self) -> None:
        if not self._condition():
            return
        try:
            await self._work()
        except Exception:  # noqa: BLE001 - one bad run must not end the loop; it is logged
            _log.exception("a periodic run failed", periodic=self.name)

    async def _pause(self) -> None:
        spread = 1 + random.uniform(-self._jitter, self._jitter)  # noqa: S311 - nothing secret hangs on it
        try:
            await asyncio.wait_for(self._stopping.wait(), self._seconds * spread)
        except TimeoutError:
            return
