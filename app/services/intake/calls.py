"""What the intake is given: one call of a station, the connection it came over, and their place in a batch."""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from app.domain.authorization import Asked
from app.domain.charging.decisions import Answer, Report
from app.kit import metrics

_REFUSED = "refused"
"""What a refused call counts as: its action is any text a station likes, and each would be a series of its own."""


@dataclass(eq=False, slots=True)
class Line:
    """One accepted connection of a station. Whoever holds an older epoch is not listened to any more."""

    station_id: str
    version: str
    epoch: int = 0


@dataclass(eq=False, slots=True)
class Call:
    """One CALL from a station, understood, with the way to render its answer.

    `done` is called once: with the call, whose `answer` is the frame to send now that its effect is committed, or
    with why there is none: Unanswered (close the socket, the station sends it again) or a fault of our own.
    """

    line: Line
    report: Report
    request: bytes
    message_id: str
    action: str
    reply: Callable[[Answer], bytes]
    done: Callable[["Call", Exception | None], None]
    deviations: tuple[str, ...] = ()
    outcome: str = "result"
    answer: bytes | None = None


@dataclass(eq=False, slots=True)
class Item:
    """One message of a batch: a station's call, or what the house itself has to say; and who waits for it."""

    station_id: str
    report: Report
    line: Line | None
    call: Call | None
    done: "asyncio.Future[Answer] | None"
    began: float
    asked: Asked | None = None

    def tell(self, answer: Answer) -> None:
        """Whoever waits hears that it is committed. A call carries its own answer."""
        if self.call is not None:
            self.call.done(self.call, None)
        elif self.done is not None and not self.done.done():
            self.done.set_result(answer)

    def refuse(self, error: Exception) -> None:
        """Whoever waits hears that nothing was kept."""
        if self.call is not None:
            self.call.done(self.call, error)
        elif self.done is not None and not self.done.done():
            self.done.set_exception(error)


class Unanswered(Exception):
    """The message was not kept and must not be answered: close the socket, the station sends it again."""


def count_answered(calls: Iterable[Call], seconds: Sequence[float]) -> None:
    """Count calls that were answered, and how long each took."""
    kinds = Counter((_REFUSED if call.outcome == "error" else call.action, call.outcome) for call in calls)
    for (action, outcome), times in kinds.items():
        metrics.OCPP_MESSAGES.labels(action, "in", outcome).inc(times)
    metrics.OCPP_HANDLING.observe_all(seconds)
