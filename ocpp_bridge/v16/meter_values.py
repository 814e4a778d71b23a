"""From the meter values of OCPP 1.6 to samples of the house, their JSON kept as received."""

import json
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Raw
from msgspec.structs import replace

from app.domain.metering import MeterSample, SampledValue
from ocpp_bridge.errors import Violation
from ocpp_bridge.v16 import timestamps
from ocpp_bridge.v16.schemas import schema
from ocpp_bridge.v16.types import fields_of, loads, mend

MANY_SAMPLES = 400

_RULES: dict[str, Any] = schema("MeterValues")["properties"]["meterValue"]["items"]["properties"][
    "sampledValue"
]["items"]
_FIELDS: dict[str, Any] = _RULES["properties"]


class _MeterValue(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    timestamp: str
    sampledValue: Raw  # noqa: N815  # the name on the wire


class _LooseMeterValue(msgspec.Struct, gc=False):
    timestamp: Any = None
    sampledValue: Raw = Raw(b"[]")  # noqa: N815


_METER_VALUES = msgspec.json.Decoder(list[_MeterValue])
_ITEMS = msgspec.json.Decoder(list[Raw])
_LOOSE = msgspec.json.Decoder(_LooseMeterValue)
_Sampled: Any = msgspec.defstruct(
    "_Sampled",
    [*fields_of(_RULES, SampledValue), ("signed", bool, msgspec.field(default=False, name="#signed"))],
    bases=(SampledValue,),
    kw_only=True,
    frozen=True,
    forbid_unknown_fields=True,
    gc=False,
)
"""A sampled value as the schema has it, read straight into the house's own; `signed` is not on the wire."""
_SAMPLED: Any = msgspec.json.Decoder(Annotated[list[_Sampled], Meta(min_length=1)])


def samples(raw: Raw | None, notes: list[str]) -> tuple[MeterSample, ...]:
    """Every meter value of a JSON array. What cannot be read is left out and noted; the frame itself is kept."""
    if raw is None:
        return ()
    if bytes(raw) == b"null":
        notes.append("the list of meter values is null")
        return ()
    values: list[_MeterValue] | list[_LooseMeterValue]
    try:
        values = _METER_VALUES.decode(raw)
    except msgspec.DecodeError:
        values = _loose_values(raw, notes)
    found = tuple(_sample(value, notes) for value in values)
    if sum(len(sample.values) for sample in found) > MANY_SAMPLES:
        notes.append(f"more than {MANY_SAMPLES} samples")
    return found


def _sample(value: _MeterValue | _LooseMeterValue, notes: list[str]) -> MeterSample:
    stamp = value.timestamp
    at, note = timestamps.read(stamp if stamp is None or isinstance(stamp, str) else str(stamp))
    if note is not None:
        notes.append(note)
    raw = value.sampledValue
    try:
        read = tuple(_SAMPLED.decode(raw))
    except msgspec.DecodeError:
        read = _loose_sampled(raw, notes)
    else:
        if b"SignedData" in bytes(raw):
            read = tuple(map(_marked, read))
    return MeterSample(at=at, values=read, document=bytes(raw).decode(errors="replace"))


def _marked(value: Any) -> SampledValue:
    marked: SampledValue = replace(value, signed=True) if value.format == "SignedData" else value
    return marked


def _list(raw: Raw, notes: list[str]) -> list[Raw]:
    """The elements of an array; one object in place of an array counts as its only element."""
    try:
        return _ITEMS.decode(raw)
    except msgspec.DecodeError:
        notes.append("an object in place of a list")
        return [raw]


def _loose_values(raw: Raw, notes: list[str]) -> list[_LooseMeterValue]:
    values = []
    for item in _list(raw, notes):
        try:
            values.append(_LOOSE.decode(item))
        except msgspec.DecodeError:
            notes.append("a meter value that cannot be read")
    return values


def _loose_sampled(raw: Raw, notes: list[str]) -> tuple[SampledValue, ...]:
    read = []
    for item in _list(raw, notes):
        try:
            read.append(_loose_value(loads(item), notes))
        except (Violation, ValueError, RecursionError):
            notes.append("a sampled value that cannot be read")
    return tuple(read)


def _loose_value(item: Any, notes: list[str]) -> SampledValue:
    if not isinstance(item, dict):
        raise ValueError("not an object")  # noqa: TRY004  # a value of the station's, not a type of ours
    if item.keys() - _FIELDS.keys():
        notes.append("unknown property")
    if None in item.values():
        notes.append("a field of a sampled value is null")
    fields = {
        name: mend(name, item[name], rule, notes, money=True)
        for name, rule in _FIELDS.items()
        if item.get(name) is not None
    }
    text = fields.get("value")
    if text is None:
        raise ValueError("no value")
    if fields.pop("format", "Raw") == "SignedData":
        fields["signed"] = True
    return SampledValue(**fields)


def as_json(value: Any) -> str:
    """A value as compact JSON text."""
    return json.dumps(value, separators=(",", ":"), default=str)
