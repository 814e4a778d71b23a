"""The official JSON schemas of OCPP 1.6 (with the security extension), and the strict check of what we send."""

import json
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

from jsonschema import Draft6Validator
from jsonschema.exceptions import ValidationError, best_match

from app.domain.errors import Invalid, NotFound

_FOLDER = resources.files("ocpp.v16.schemas")

FROM_STATION = frozenset(
    {
        "Authorize",
        "BootNotification",
        "DiagnosticsStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "LogStatusNotification",
        "MeterValues",
        "SecurityEventNotification",
        "SignCertificate",
        "SignedFirmwareStatusNotification",
        "StartTransaction",
        "StatusNotification",
        "StopTransaction",
    }
)
"""Calls that only a station makes (DataTransfer goes both ways)."""

ACTIONS = frozenset(
    name.removesuffix(".json")
    for name in (entry.name for entry in _FOLDER.iterdir())
    if name.endswith(".json") and not name.endswith("Response.json")
)
TO_STATION = ACTIONS - FROM_STATION
"""Every call of OCPP 1.6 that we can make."""


@cache
def schema(name: str) -> dict[str, Any]:
    """The schema of a message by its file name: `Reset` for the call, `ResetResponse` for its answer."""
    text = (_FOLDER / f"{name}.json").read_text(encoding="utf-8-sig")
    loaded: dict[str, Any] = json.loads(text, parse_float=Decimal)
    return loaded


@cache
def _validator(name: str) -> Draft6Validator:
    return Draft6Validator(schema(name))


def check_outgoing(action: str, payload: Any) -> None:
    """Checks a call of ours against its schema.

    Raises NotFound for an action that OCPP 1.6 does not have from us to a station, Invalid naming the path
    (`$.connectorId`) for a payload that breaks the schema.
    """
    if action not in TO_STATION:
        raise NotFound(f"OCPP 1.6 has no call {action!r} from us to a station")
    try:
        # Decimal on both sides: `multipleOf 0.1` cannot be judged in binary floats.
        exact = json.loads(json.dumps(payload, allow_nan=False), parse_float=Decimal)
    except (ValueError, TypeError, RecursionError) as error:
        raise Invalid("not a JSON value", field="$") from error
    problem = best_match(_validator(action).iter_errors(exact))
    if problem is not None:
        raise Invalid(f"{problem.json_path}: {_said(problem)}", field=problem.json_path)


def _said(problem: ValidationError) -> str:
    rule = problem.validator_value
    return {
        "additionalProperties": "a property that this message does not have",
        "enum": f"must be one of {', '.join(map(str, rule))}" if isinstance(rule, list) else "",
        "maxLength": f"longer than {rule}",
        "required": problem.message,
        "type": f"must be of type {rule}",
    }.get(str(problem.validator)) or f"breaks the rule {problem.validator}"
