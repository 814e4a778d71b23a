"""What becomes of a call to a station."""

from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class OutcomeKind(StrEnum):
    """What became of a call to a station."""

    RESULT = "result"
    ERROR = "error"
    TIMEOUT = "timeout"
    NOT_CONNECTED = "not_connected"


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The end of a call: the payload of the answer, `{"code", "description", "details"}` of an error, or None.

    NOT_CONNECTED means that nothing was written to the station, TIMEOUT that we cannot know what it did.
    """

    kind: OutcomeKind
    response: Any = None
    answered_at: datetime | None = None
