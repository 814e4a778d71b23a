"""Changes: how often each table was written, so that what was read of it can be kept until the next write."""

import re
from collections.abc import Iterable
from functools import lru_cache

_WRITING = re.compile(r"\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+\"?(\w+)", re.IGNORECASE)


class Changes:
    """Counts the writes of the one process that writes. Both doors say what they write and when it is over.

    There is one writer at a time: what is noticed between two calls of `settle` belongs to one transaction.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self._under_way: set[str] = set()

    def notice(self, tables: Iterable[str]) -> None:
        """The running transaction writes these tables."""
        self._under_way.update(tables)

    def settle(self) -> None:
        """The running transaction has ended, well or not; called before the next one may begin.

        Not earlier: who reads while it runs sees the old rows and must not keep them under the new number.
        """
        for table in self._under_way:
            self._numbers[table] = self._numbers.get(table, 0) + 1
        self._under_way.clear()

    def of(self, tables: Iterable[str]) -> tuple[int, ...]:
        """A value that differs once one of these tables was written."""
        return tuple(self._numbers.get(table, 0) for table in tables)


@lru_cache(maxsize=1000)
def written_by(sql: str) -> tuple[str, ...]:
    """The tables that a statement writes: none for a SELECT."""
    return tuple(_WRITING.findall(sql))
