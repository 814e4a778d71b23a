"""Rendered bytes of objects, kept by version, so that a list page is joined and not rendered."""

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Sequence
from datetime import datetime

_MOST_BYTES = 64 * 1024 * 1024

Render = Callable[[Sequence[str]], Awaitable[dict[str, tuple[datetime, bytes]]]]
"""Gives version and bytes of the objects with these ids; those that are gone are left out."""


class RenderedPages:
    """Bytes by (kind, id); an object whose version differs is rendered anew. The longest unused go first."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        self._kept: OrderedDict[tuple[Hashable, str], tuple[datetime, bytes]] = OrderedDict()
        self._size = 0
        self._most = most_bytes

    async def bodies(
        self, kind: Hashable, items: Sequence[tuple[str, datetime]], render: Render
    ) -> list[bytes]:
        """The bytes of these (id, version), in order; `render` is asked only for what is not here."""
        missing = [id_ for id_, version in items if not self._has(kind, id_, version)]
        fresh = await render(missing) if missing else {}
        for id_, (version, body) in fresh.items():
            self._keep((kind, id_), version, body)
        found: list[bytes] = []
        for id_, _ in items:
            kept = fresh[id_][1] if id_ in fresh else self._get(kind, id_)
            if kept is not None:
                found.append(kept)
        return found

    def _has(self, kind: Hashable, id_: str, version: datetime) -> bool:
        entry = self._kept.get((kind, id_))
        return entry is not None and entry[0] == version

    def _get(self, kind: Hashable, id_: str) -> bytes | None:
        entry = self._kept.get((kind, id_))
        if entry is None:
            return None
        self._kept.move_to_end((kind, id_))
        return entry[1]

    def _keep(self, key: tuple[Hashable, str], version: datetime, body: bytes) -> None:
        before = self._kept.pop(key, None)
        self._size += len(body) - (len(before[1]) if before else 0)
        self._kept[key] = (version, body)
        while self._size > self._most and len(self._kept) > 1:
            _, (_, gone) = self._kept.popitem(last=False)
            self._size -= len(gone)
