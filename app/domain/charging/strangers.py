"""Strangers: issuers that told us of their tokens and may not use our stations, or not any more."""

from collections.abc import Callable

from app.domain.authorization import GrantKind
from app.domain.charging.state import Known
from app.domain.tokens import Token

Admits = Callable[[Token], bool]
"""Whether a token counts at our stations, going by its issuer."""


def everybody(_token: Token) -> bool:
    """Where nobody is a stranger."""
    return True


def leave_out(known: Known, admits: Admits) -> None:
    """Forget the tokens of strangers among what was looked up, and what they answered a moment ago.

    What was commanded while its eMSP was no stranger still holds: the driver is on the way to the car.
    """
    known.tokens = {
        key: kept for key, held in known.tokens.items() if (kept := [each for each in held if admits(each)])
    }
    known.aliases = {key: alias for key, alias in known.aliases.items() if admits(alias.commanded)}
    known.grants = {
        key: [
            each
            for each in settled
            if each.kind is not GrantKind.ASKED or each.token is None or admits(each.token)
        ]
        for key, settled in known.grants.items()
    }
