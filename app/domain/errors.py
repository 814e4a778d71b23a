"""Every way a request can be wrong, in the house's own words.

DomainError
  NotFound        the thing named does not exist (or is not the caller's to see)
  Invalid         the request itself makes no sense; `field` names the culprit
  Conflict        it would be right at another moment: busy, already done, not connected
  Forbidden       the caller may not do this
"""


class DomainError(Exception):
    """Base of every refusal that the house gives on purpose."""


class NotFound(DomainError):
    """The thing named does not exist, or is not the caller's to see."""


class Invalid(DomainError):
    """The request makes no sense; `field` is the path of the culprit, where one can be named."""

    def __init__(self, message: str, *, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Conflict(DomainError):
    """The request would be right at another moment."""


class Forbidden(DomainError):
    """The caller may not do this."""
