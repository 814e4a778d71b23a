"""Pages of lists as they were last read: read once for all who ask at the same time, kept until something is written."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from dataclasses import dataclass, field

from app.store.database.engine import Store
from app.store.paging import Page

_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Listed:
    """One page: what it holds, its objects as joined JSON, and how it was found."""

    page: Page
    data: bytes


Read = Callable[[Listed | None], Awaitable[Listed]]
"""Reads a page; given the last one read, which it may give back where nothing has changed."""


@dataclass(slots=True)
class _Place:
    """Where one page lies, and the queue of those who want it."""

    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    asked: int = 0
    answered: int = 0
    listed: Listed | None = None
    written: tuple[int | str, ...] | None = None


class Shelf:
    """Pages by their key. What a caller gets was read, or known to be unchanged, after it asked."""

    def __init__(self, store: Store, most_bytes: int = _MOST_BYTES) -> None:
        self._store = store
        self._most = most_bytes
        self._size = 0
        self._places: OrderedDict[Hashable, _Place] = OrderedDict()

    async def get(self, key: Hashable, tables: Sequence[str], read: Read) -> Listed:
        """The page of this key, which is made of these tables. Passes the write gate. Raises StoreUnavailable."""
        place = self._places.setdefault(key, _Place())
        self._places.move_to_end(key)
        came_after = place.asked
        async with place.turn:
            if place.listed is not None and place.answered > came_after:
                return place.listed  # somebody began to ask after we came, while we waited
            place.asked += 1
            asking = place.asked
            await self._store.pass_gate()
            written = self._store.written(tables)
            if place.listed is None or written != place.written:
                self._put(key, place, await read(place.listed))
                place.written = written
            place.answered = asking
            assert place.listed is not None
            return place.listed

    def _put(self, key: Hashable, place: _Place, listed: Listed) -> None:
        before, place.listed = place.listed, listed
        if self._places.get(key) is not place:
            return  # put away meanwhile: whoever waits for it still gets it
        self._size += len(listed.data) - (len(before.data) if before else 0)
        while self._size > self._most and len(self._places) > 1:
            _, gone = self._places.popitem(last=False)
            self._size -= len(gone.listed.data) if gone.listed else 0
