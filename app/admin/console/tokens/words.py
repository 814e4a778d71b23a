"""What is said of tokens and of decisions about them, from what the API tells."""

from typing import Any

STANDINGS = {
    "unknown": "Nobody knows this uid", "blocked": "Not valid, whatever its whitelist", "expired": "Past its end",
    "always": "Whitelist ALWAYS", "allowed": "Whitelist ALLOWED", "allowed_offline": "Whitelist ALLOWED_OFFLINE",
    "never": "Whitelist NEVER",
}  # fmt: skip
"""The rows of the table, in words."""
VERDICTS = {"Accepted": "allowed", "Blocked": "blocked", "Expired": "expired", "Invalid": "refused"}

_BECAUSE = {
    "unknown": "nobody has told us of this uid",
    "blocked": "its issuer says that it is not valid",
    "expired": "its time is over",
    "always": "its issuer allows it always, without being asked (whitelist ALWAYS)",
    "allowed": "its issuer leaves it to us (whitelist ALLOWED)",
    "allowed_offline": "its issuer allows it where it cannot be asked (whitelist ALLOWED_OFFLINE)",
    "never": "its issuer wants to be asked each time (whitelist NEVER)",
}
_EXPECTED = {
    "command": "a remote start for it is agreed at this station",
    "reservation": "a reservation for it is agreed at this station",
}


def state_of(token: dict[str, Any]) -> tuple[str, str]:
    """Whether it is valid, for a chip."""
    return ("delivered", "valid") if token["valid"] else ("dead", "blocked")


def chip_of(decision: dict[str, Any]) -> tuple[str, str]:
    """The answer for a chip; where somebody is asked nobody knows it yet."""
    verdict = decision["verdict"]
    if verdict is None:
        return "waiting", "its issuer decides"
    return ("delivered" if verdict == "Accepted" else "dead"), f"would be {VERDICTS.get(verdict, verdict)}"


def sentence(decision: dict[str, Any]) -> str:
    """Why, in one sentence."""
    expected = decision["expected"]
    if expected is not None:
        return f"It would be {_verdict(decision['if_silent'])} because {_EXPECTED.get(expected['by'], expected['by'])}."
    because, silent = _BECAUSE[decision["standing"]], _verdict(decision["if_silent"])
    asked = len(decision["asks"])
    if asked:
        whom = "Its issuer would be asked" if asked == 1 else f"{asked} partners would be asked"
        return f"{whom} because {because}. If nobody answers in time it is {silent}."
    asking = any(each["applies"] and each["asks"] for each in decision["rules"])
    nobody = " and there is nobody to ask" if asking else ""
    return f"It would be {silent} because {because}{nobody}."


def _verdict(verdict: str) -> str:
    return VERDICTS.get(verdict, verdict)
