"""Types of what stations send, made from the official schemas: strict ones for the fast path, loose for the rest."""

import json
from collections.abc import Callable
from decimal import Decimal
from functools import cache
from types import SimpleNamespace
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Raw

from ocpp_bridge.errors import Violation
from ocpp_bridge.rpc import ErrorCode, cleaned, too_deep
from ocpp_bridge.v16.schemas import schema

_WIDEST = 2**63 - 1
_MAX_DIGITS = 20
_FIELDS = msgspec.json.Decoder(dict[str, Raw])


@cache
def strict(name: str) -> Any:
    """A msgspec decoder that takes exactly what the schema of `name` allows.

    Lists of meter values stay raw JSON: they are read on their own (meter_values.py), their bytes are kept.
    """
    return msgspec.json.Decoder(struct_of(name, schema(name)))


def struct_of(name: str, rules: dict[str, Any]) -> type[msgspec.Struct]:
    """A struct for one JSON schema object; absent optional fields are None, null is refused."""
    return msgspec.defstruct(name, fields_of(rules), kw_only=True, forbid_unknown_fields=True, gc=False)


def fields_of(rules: dict[str, Any], defaults: type[msgspec.Struct] | None = None) -> list[Any]:
    """The fields of a JSON schema object; absent optional ones are as in `defaults`, or None."""
    required = set(rules.get("required", ()))
    given = (
        {} if defaults is None else {field.name: field.default for field in msgspec.structs.fields(defaults)}
    )
    fields: list[Any] = []
    for field, rule in rules.get("properties", {}).items():
        annotation = _annotation(_resolved(rule, rules))
        default = given.get(field)
        fields.append((field, annotation) if field in required else (field, annotation, default))
    return fields


def loosely(
    name: str, payload: bytes | Raw, notes: list[str], *, money: bool, forgiven: frozenset[str]
) -> SimpleNamespace:
    """The same message with everything tolerated that leaves its meaning clear; what was tolerated is noted.

    `money`: also values of a neighbouring type (numeric text, a number where text is due). `forgiven`:
    required fields whose absence is tolerated (they are None). Raises Violation.
    """
    rules = schema(name)
    given = _fields(payload, notes)
    read: dict[str, Any] = {}
    needed = frozenset(rules.get("required", ())) - forgiven
    for field, rule in rules.get("properties", {}).items():
        raw = given.pop(field, None)
        try:
            value = None if raw is None else _value(field, raw, _resolved(rule, rules), notes, money=money)
        except Violation:
            if not money or field in needed:
                raise
            notes.append(f"{field} unreadable")
            value = None
        if value is None and field in needed:
            raise Violation(ErrorCode.PROTOCOL, field, "is missing")
        if value is None and field in forgiven:
            notes.append(f"{field} missing")
        read[field] = value
    if given:
        notes.append("unknown property")
    return SimpleNamespace(**read)


def mend(field: str, value: Any, rule: dict[str, Any], notes: list[str], *, money: bool) -> Any:
    """One value made to fit its schema, or Violation. Over-long texts and unknown words stay as they are."""
    if rule["type"] == "string":
        return _mend_text(field, value, rule, notes, money=money)
    if rule["type"] == "integer":
        return _mend_number(field, value, notes, money=money)
    raise Violation(ErrorCode.TYPE, field, "has the wrong type")


def loads(raw: bytes | Raw) -> Any:
    """JSON with exact numbers; integers of absurd length become None. Raises ValueError, RecursionError."""
    return json.loads(bytes(raw), parse_float=Decimal, parse_int=_integer)


def _integer(digits: str) -> int | None:
    return int(digits) if len(digits) <= _MAX_DIGITS else None


def _annotation(rule: dict[str, Any]) -> Any:
    make: dict[str, Callable[[], Any]] = {
        "string": lambda: _text_annotation(rule),
        "integer": lambda: Annotated[int, Meta(ge=-_WIDEST, le=_WIDEST)],
        "array": lambda: Raw,
    }
    return make[rule["type"]]()


def _text_annotation(rule: dict[str, Any]) -> Any:
    if "enum" in rule:
        return Literal[tuple(rule["enum"])]
    if "maxLength" in rule:
        return Annotated[str, Meta(max_length=rule["maxLength"])]
    return str


def _resolved(rule: dict[str, Any], rules: dict[str, Any]) -> dict[str, Any]:
    reference: str | None = rule.get("$ref")
    if reference is None:
        return rule
    found: dict[str, Any] = rules["definitions"][reference.removeprefix("#/definitions/")]
    return found


def _fields(payload: bytes | Raw, notes: list[str]) -> dict[str, Raw]:
    data, odd = cleaned(bytes(payload))
    notes.extend(odd)
    if too_deep(data):
        raise Violation(ErrorCode.FORMATION, "", "nested too deep")
    try:
        return _FIELDS.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise Violation(ErrorCode.FORMATION, "", "the payload is not an object") from None


def _value(field: str, raw: Raw, rule: dict[str, Any], notes: list[str], *, money: bool) -> Any:
    if bytes(raw).strip() == b"null":
        notes.append(f"{field} is null")
        return None
    if rule["type"] == "array":
        return raw
    try:
        value = loads(raw)
    except (ValueError, RecursionError):
        raise Violation(ErrorCode.FORMATION, field, "cannot be read") from None
    return mend(field, value, rule, notes, money=money)


def _mend_text(field: str, value: Any, rule: dict[str, Any], notes: list[str], *, money: bool) -> str:
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool) and money:
        notes.append(f"{field} is a number")
        value = str(value)
    if not isinstance(value, str):
        raise Violation(ErrorCode.TYPE, field, "must be a text")
    longest = rule.get("maxLength")
    if longest is not None and len(value) > longest:
        notes.append(f"{field} longer than {longest}")
    if "enum" in rule and value not in rule["enum"]:
        notes.append(f"{field} has an unknown value")
    return value


def _mend_number(field: str, value: Any, notes: list[str], *, money: bool) -> int | Decimal:
    number = value
    if isinstance(value, str) and money:
        notes.append(f"{field} is a text")
        try:
            number = Decimal(value.strip()) if len(value) <= _MAX_DIGITS * 2 else None
        except ArithmeticError:
            number = None
    if isinstance(number, bool) or not isinstance(number, (int, Decimal)):
        raise Violation(ErrorCode.TYPE, field, "must be an integer")
    if isinstance(number, int):
        return number
    if not number.is_finite() or abs(number.adjusted()) > _MAX_DIGITS:
        raise Violation(ErrorCode.PROPERTY, field, "is out of range")
    if not isinstance(value, str):
        notes.append(f"{field} is not an integer")
    whole = number == number.to_integral_value()
    if not whole and not money:
        raise Violation(ErrorCode.TYPE, field, "must be an integer")
    return int(number) if whole else number
