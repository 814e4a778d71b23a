"""Readers that tell the bytes of a card's uid backwards, and what is made of it: a hint, never a guess."""

from datetime import datetime
from enum import StrEnum

import msgspec

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


def turned(uid_key: str) -> str | None:
    """A uid, in the form in which uids are compared, with its bytes in reverse; None: it is not made of bytes."""
    if len(uid_key) < 4 or len(uid_key) % 2 or not _HEX.issuperset(uid_key):
        return None
    pairs = [uid_key[at : at + 2] for at in range(0, len(uid_key), 2)]
    other = "".join(reversed(pairs))
    return None if other == uid_key else other
