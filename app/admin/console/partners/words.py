"""What is said of a partner in few words, from what the API tells."""

from typing import Any
from urllib.parse import quote

from app.admin.console import writing

PLATFORMS = {"cpo": "Our stations", "hub": "The hub"}
"""What a partner is connected to, by the name of the platform."""

_FAILING_SHARE = 0.1


def page_of(partner_id: str) -> str:
    """The address of its page."""
    return f"/partners/{quote(partner_id, safe='')}"


def roles_of(partner: dict[str, Any]) -> str:
    """Its parties with their roles: EMSP DE-EMS, CPO DE-EMS."""
    return ", ".join(f"{each['role']} {each['country_code']}-{each['party_id']}" for each in partner["roles"])


def state_of(partner: dict[str, Any]) -> tuple[str, str]:
    """Its state for a chip; one that does not answer is failing, whatever was agreed."""
    delivery = partner["delivery"]
    if partner["state"] == "registered" and delivery["stopped"]:
        return "dead", "locked out"
    if partner["state"] == "registered" and delivery["failures"]:
        return "failing", "not answering"
    return partner["state"], partner["state"]


def failures_of(partner: dict[str, Any]) -> tuple[str, str]:
    """Which share of its newest requests failed, for a chip."""
    requests, failed = partner["traffic"]["requests"], partner["traffic"]["failed"]
    if not requests:
        return "offline", "no requests yet"
    share = failed / requests
    state = "delivered" if not failed else "dead" if share >= _FAILING_SHARE else "waiting"
    return state, f"{share * 100:.0f} %"


def waiting_of(partner: dict[str, Any]) -> str:
    """How much it has yet to be told, and since when."""
    depth = partner["delivery"]["depth"]
    return "nothing" if not depth else f"{writing.whole(depth)} waiting"
