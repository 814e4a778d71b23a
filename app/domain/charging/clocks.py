"""Which time to believe: the station's, as long as it can be right, else the moment we received the message."""

from datetime import datetime, timedelta

FUTURE_SLACK = timedelta(minutes=5)
REPLAY_AFTER = timedelta(minutes=5)


def believable(at: datetime | None, now: datetime) -> bool:
    """Whether a station's time can be right: given at all, and not in the future."""
    return at is not None and at <= now + FUTURE_SLACK


def billed(at: datetime | None, now: datetime) -> datetime:
    """The time that counts for money."""
    return at if at is not None and at <= now + FUTURE_SLACK else now


def replayed(at: datetime, now: datetime) -> bool:
    """Whether a message was kept by the station and sent later."""
    return now - at > REPLAY_AFTER
