"""Faults of a station's connectors, from what it said of them one after the other."""

from collections.abc import Iterable
from datetime import datetime

import msgspec

NO_ERROR = "NoError"
FAULTED = "Faulted"


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """One word of a station about a connector (0: the station as a whole)."""

    at: datetime
    connector: int
    status: str
    error_code: str = NO_ERROR
    vendor_error_code: str | None = None
    info: str | None = None

    @property
    def faulty(self) -> bool:
        """Whether something is wrong: a fault, or an error with which it still charges."""
        return self.status == FAULTED or self.error_code not in (NO_ERROR, "")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time in which something was wrong; `until` None: it still is."""

    connector: int
    status: str
    error_code: str
    vendor_error_code: str | None
    info: str | None
    since: datetime
    until: datetime | None


def faults(said: Iterable[Said]) -> list[Fault]:
    """Faults, newest first, from all that was said, oldest first. Another error code is another fault."""
    open_ones: dict[int, Said] = {}
    found: list[Fault] = []
    for each in said:
        before = open_ones.get(each.connector)
        if before is not None and not (each.faulty and _same(before, each)):
            found.append(_fault(open_ones.pop(each.connector), each.at))
        if each.faulty:
            open_ones.setdefault(each.connector, each)
    found += [_fault(each, None) for each in open_ones.values()]
    return sorted(found, key=lambda fault: (fault.since, fault.connector), reverse=True)


def _same(one: Said, other: Said) -> bool:
    return (one.status, one.error_code, one.vendor_error_code) == (
        other.status, other.error_code, other.vendor_error_code,
    )  # fmt: skip


def _fault(said: Said, until: datetime | None) -> Fault:
    return Fault(
        connector=said.connector,
        status=said.status,
        error_code=said.error_code,
        vendor_error_code=said.vendor_error_code,
        info=said.info,
        since=said.at,
        until=until,
    )
