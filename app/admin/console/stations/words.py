"""What is said of a station in one word, from what the API tells."""

from typing import Any
from urllib.parse import quote

_FIRST = (
    "Faulted", "Charging", "SuspendedEV", "SuspendedEVSE", "Finishing", "Preparing", "Reserved", "Unavailable",
    "Available",
)  # fmt: skip


def state_of(station: dict[str, Any]) -> tuple[str, str]:
    """Its state for a chip: pending, rejected, offline, or what matters most of its connectors."""
    if station["state"] != "accepted":
        return station["state"], {"pending": "Waiting to be let in", "rejected": "Rejected"}[station["state"]]
    if not station["online"]:
        return "offline", "Offline"
    said = [each["status"] for each in station["connectors"] if each["status"]]
    whole = (station["whole"] or {}).get("status")
    if whole in ("Faulted", "Unavailable"):
        said.append(whole)
    first = next((status for status in _FIRST if status in said), None)
    return (first, first) if first else ("online", "Online")


def model_of(station: dict[str, Any]) -> str:
    """Vendor and model, as it told at boot."""
    boot = station["boot"]
    return "" if boot is None else f"{boot['vendor']} {boot['model']}".strip()


def page_of(station_id: str) -> str:
    """The address of its page."""
    return f"/stations/{quote(station_id, safe='')}"
