"""Readers that tell the bytes of a card's uid backwards, and what is made of it: a hint, never a guess."""

from datetime import datetime
from enum import StrEnum

import msgspec

from app.domain.tokens import uid_key

_HEX = frozenset("0123456789ABCDEF")


class UidOrder(StrEnum):
    """How a station's reader tells uids; set by the operator."""

    AS_READ = "as_read"
    REVERSED = "reversed"


class UidHint(msgspec.Struct, frozen=True, kw_only=True):
    """An unknown uid was shown, and read backwards it is a token we know."""

    id_tag: str
    uid: str
    at: datetime


def turned_keys(id_tag: str) -> frozenset[str]:
    """The uid that a reader which tells bytes backwards would mean by this one, if there is one."""
    other = turned(uid_key(id_tag))
    return frozenset() if other is None else frozenset((other,))


def turned(key: str) -> str | None:
    """A uid, in the form in which uids are compared, with its bytes in reverse; None: it is not made of bytes."""
    if len(key) < 4 or len(key) % 2 or not _HEX.issuperset(key):
        return None
    pairs = [key[at : at + 2] for at in range(0, len(key), 2)]
    other = "".join(reversed(pairs))
    return None if other == key else other
