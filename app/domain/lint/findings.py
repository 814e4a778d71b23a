"""What a check of a tariff finds, and the session that shows it in money."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import msgspec

from app.domain.tariffs import Price


class Level(StrEnum):
    """How sure it is that nobody means this."""

    ERROR = "error"
    """Something in the tariff has no effect, or the opposite of what it says."""
    WARNING = "warning"
    """Legal, and often a mistake."""
    INFO = "info"
    """Worth knowing."""


class Example(msgspec.Struct, frozen=True, kw_only=True):
    """A session: what it costs by the tariff, and what it would cost if the tariff did what one may think."""

    start: datetime
    end: datetime
    kwh: Decimal
    what: str
    cost: Price
    otherwise: Price
    meaning: str
    """What the other cost is that of."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One thing found. `kind` is a word for programs, `where` a path in the tariff."""

    level: Level
    kind: str
    where: str
    words: str
    example: Example | None = None
