"""How sessions and records are named on pages."""

from typing import Any
from urllib.parse import quote

from app.admin.console import writing

REASONS = {
    "no_tariff": "no tariff", "absurd_energy": "energy that cannot be", "meter_reset": "the meter was reset",
    "no_stop": "its end is not known", "token_invalid": "the driver was not let in", "overlap": "overlaps another",
    "mixed_clocks": "its length is not known",
    "no_evse_id": "its EVSE has no evse_id", "pricing_failed": "it could not be priced",
}  # fmt: skip
"""Why a record is held, in words."""


def short(name: str) -> str:
    """A long id by its ends."""
    return name if len(name) <= 16 else f"{name[:6]}…{name[-6:]}"


def session_page(session_id: str) -> str:
    """The address of a session's page."""
    return f"/sessions/{quote(session_id, safe='')}"


def record_page(cdr_id: str) -> str:
    """The address of a record's page."""
    return f"/cdrs/{quote(cdr_id, safe='')}"


def party_of(token: dict[str, Any]) -> str:
    """The driver's eMSP, such as DE-EMS."""
    return f"{token['country_code']}-{token['party_id']}"


def cost_of(document: dict[str, Any]) -> str:
    """What a session or record costs: with VAT where that is known."""
    cost = document.get("total_cost")
    if not cost:
        return writing.NOTHING
    return writing.money(cost.get("incl_vat", cost["excl_vat"]), document["currency"])


def reason_of(record: dict[str, Any]) -> str:
    """Why a record was held."""
    return REASONS.get(record["reason"] or "", record["reason"] or "")
