"""Partial updates: the fields of a PATCH laid over an object, and the whole checked again."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from ocpi.errors import InvalidParameterError
from ocpi.wire.base import WireModel, same_id
from ocpi.wire.locations import EVSE, Connector, Location
from ocpi.wire.sessions import Session

Wire = TypeVar("Wire", bound=WireModel)

# Lists whose entries are merged by their own id instead of being replaced: nothing vanishes from a location.
_MERGED: Mapping[type[WireModel], Mapping[str, tuple[str, type[WireModel]]]] = {
    Location: {"evses": ("uid", EVSE)},
    EVSE: {"connectors": ("id", Connector)},
}
# Lists that a PATCH adds to.
_APPENDED: Mapping[type[WireModel], frozenset[str]] = {Session: frozenset({"charging_periods"})}

_IDENTITY = ("country_code", "party_id", "id", "uid")


def apply_patch(current: Wire, patch: object) -> Wire:
    """Give `current` with the fields of a PATCH body changed; `current` itself stays as it is.

    Named fields are replaced as a whole, null takes an optional field away, unknown fields are kept. A Session's
    `charging_periods` are appended; EVSEs of a Location and connectors of an EVSE are merged by their ids.
    Raises InvalidParameterError (2001) when `last_updated` is missing, a required field is null, an id would
    change, or the result is no valid object.
    """
    if not isinstance(patch, Mapping):
        raise InvalidParameterError("the body of a PATCH must be an object")
    if patch.get("last_updated") is None:
        raise InvalidParameterError("a PATCH needs last_updated")
    model = type(current)
    return model.read(_merged(model, current.to_wire(), patch))


def _merged(model: type[WireModel], current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(current)
    for name, value in patch.items():
        field = model.model_fields.get(name)
        if value is None and field is not None and field.is_required():
            raise InvalidParameterError(f"{name} is required and cannot be taken away")
        if name in _IDENTITY and name in current:
            _refuse_other_id(name, current[name], value)
        elif name in _APPENDED.get(model, ()):
            result[name] = [*current.get(name, []), *_entries(name, value)]
        elif name in _MERGED.get(model, {}):
            result[name] = _merged_list(model, name, current.get(name, []), value)
        else:
            result[name] = value
    return result


def _refuse_other_id(name: str, current: str, given: object) -> None:
    if not isinstance(given, str) or not same_id(current, given):
        raise InvalidParameterError(f"{name} in the body is not the one of the object")


def _merged_list(model: type[WireModel], name: str, current: Sequence[Any], given: object) -> list[Any]:
    key, entry_model = _MERGED[model][name]
    result = list(current)
    for entry in _entries(name, given):
        if not isinstance(entry, Mapping) or not isinstance(entry.get(key), str):
            raise InvalidParameterError(f"each entry of {name} needs its {key}")
        place = next((i for i, known in enumerate(result) if same_id(known[key], entry[key])), None)
        if place is None:
            result.append(entry)
        else:
            result[place] = _merged(entry_model, result[place], entry)
    return result


def _entries(name: str, value: object) -> Sequence[Any]:
    if value is None:
        return ()
    if not isinstance(value, list):
        raise InvalidParameterError(f"{name} must be a list")
    return value
