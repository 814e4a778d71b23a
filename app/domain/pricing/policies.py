"""The choices made where the specification leaves room, by the names that an explanation gives them."""

from typing import NamedTuple


class Policy(NamedTuple):
    """One choice: its name in docs/pricing.md, what it decides, and what was decided."""

    name: str
    decides: str
    value: str


POLICIES = (
    Policy("A1", "what is rounded up to steps where time and parking are both priced", "parking"),
    Policy("A2", "fees of several elements that become active", "one per session, the first"),
    Policy("A3", "a window over midnight together with weekdays", "both must hold by themselves"),
    Policy("A4", "a period whose current or power lies on both sides of a bound", "its peak counts"),
    Policy("A5", "a window that ends when it starts", "the whole day"),
    Policy("A6", "a step of 0", "nothing is rounded up"),
    Policy("A7", "a quantity of exactly whole steps", "stays as it is"),
    Policy("A8", "unpriced energy and time in what is rounded up", "left out"),
    Policy("A9", "an amount with VAT where no component names VAT", "left out"),
    Policy("A10", "a limit without its amount with VAT", "in the proportion of the other side"),
    Policy("A11", "what a limit changes", "the total only; reservations that expired have no limits"),
    Policy("A12", "total time and durations", "from the start of the session, without reserved time"),
    Policy("A13", "time in which the EVSE gives nothing", "neither charging nor parking"),
    Policy("A14", "the fee of an element that otherwise prices parking only", "part of the parking cost"),
    Policy("A15", "steps on reserved time", "rounded up by themselves"),
    Policy("A16", "rounding", "once per sum, four decimals, half up"),
    Policy("A17", "steps over two tariffs", "one on the whole session, by the last component"),
    Policy("A18", "energy given back", "no part of what is billed"),
    Policy("A19", "which of several tariffs", "the session's own type, else one without a type"),
    Policy("A20", "a bound where only one figure of current or power is known", "it stands for both"),
    Policy("A21", "an hour that the clock repeats", "the same price twice"),
)
