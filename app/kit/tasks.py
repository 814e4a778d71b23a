"""Background tasks that somebody holds: none is garbage-collected, none dies unheard."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

from app.kit import logs

T = TypeVar("T")

_log = logs.get("kit.tasks")
_held: set[asyncio.Task[Any]] = set()


def spawn(coroutine: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Start a coroutine in the background under a name. An exception that ends it is logged with that name."""
    task = asyncio.create_task(coroutine, name=name)
    _held.add(task)
    task.add_done_callback(_ended)
    return task


def running() -> frozenset[asyncio.Task[Any]]:
    """The spawned tasks of the running loop that have not ended yet, without the caller's own."""
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    return frozenset(task for task in _held if task.get_loop() is loop and task is not current)


async def drain(seconds: float) -> bool:
    """Wait until every spawned task has ended, at most so many seconds. False if some are still under way."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    while waiting := running():
        left = deadline - loop.time()
        if left <= 0:
            return False
        await asyncio.wait(waiting, timeout=left)
    return True


async def cancel_all(seconds: float = 5.0) -> bool:
    """Cancel every spawned task and wait for their ends, at most so many seconds. False if one would not end."""
    for task in running():
        task.cancel()
    return await drain(seconds)


def _ended(task: asyncio.Task[Any]) -> None:
    _held.discard(task)
    if task.cancelled():
        return
    if (error := task.exception()) is not None:
        _log.error("a background task failed", task=task.get_name(), exc_info=error)
