"""Calls to an OCPP 1.6 station: any of them by its name, checked before it is sent."""

import json
from typing import Any

from ocpp_bridge.v16.schemas import TO_STATION, check_outgoing
from ocpp_bridge.v16.vocabulary import ORDINARY, PRIORITY

__all__ = ["TO_STATION", "check_outgoing", "encode", "priority"]


def priority(action: str) -> int:
    """Which of several waiting calls goes first; the lowest number does."""
    return PRIORITY.get(action, ORDINARY)


def encode(payload: Any) -> bytes:
    """A payload as it goes onto the wire; numbers keep the digits they were given with."""
    return json.dumps(payload, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()
