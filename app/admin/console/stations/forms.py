"""A form made from a JSON schema, and the payload that its fields make."""

import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from app.admin.console import parts

DEEPEST = 3
"""Objects further inside are written as JSON."""

ABSENT = object()


class Unfinished(Exception):
    """A field holds what cannot be sent; the message says which and why."""


class Fields:
    """The fields of one object. References to definitions are followed."""

    def __init__(self, schema: dict[str, Any], root: dict[str, Any] | None = None, depth: int = 0) -> None:
        self._root = root or schema
        self._read: dict[str, Callable[[], Any]] = {}
        required = schema.get("required", ())
        properties = schema.get("properties", {})
        for name in sorted(properties, key=lambda name: name not in required):
            self._read[name] = self._field(name, self._resolved(properties[name]), name in required, depth)
        if not properties and depth == 0:
            parts.text("p", "This message has no fields.", "vb-note")

    def payload(self) -> dict[str, Any]:
        """What the fields say; those left empty are left out. Raises Unfinished."""
        found = {name: read() for name, read in self._read.items()}
        return {name: value for name, value in found.items() if value is not ABSENT}

    def _resolved(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref", "")
        if not reference.startswith("#/"):
            return schema
        found: Any = self._root
        for step in reference[2:].split("/"):
            found = found[step]
        return dict(found)

    def _field(self, name: str, schema: dict[str, Any], required: bool, depth: int) -> Callable[[], Any]:
        label = f"{name} *" if required else name
        kind = schema.get("type")
        if "enum" in schema:
            return _choice(name, label, schema["enum"], required)
        if kind == "object" and depth < DEEPEST:
            return self._group(label, schema, required, depth)
        if kind == "boolean":
            return _choice(name, label, [True, False], required)
        if kind in ("integer", "number"):
            return _number(name, label, required, whole=kind == "integer")
        if kind == "string":
            return _text(name, label, schema, required)
        return _json(name, label, required)

    def _group(self, label: str, schema: dict[str, Any], required: bool, depth: int) -> Callable[[], Any]:
        with parts.box("fieldset", "vb-fieldset"):
            parts.text("legend", label)
            inner = Fields(schema, self._root, depth + 1)

        def read() -> Any:
            try:
                found = inner.payload()
            except Unfinished:
                if not required and inner.untouched():
                    return ABSENT
                raise
            return found if found or required else ABSENT

        return read

    def untouched(self) -> bool:
        """Whether nothing has been filled in."""
        for read in self._read.values():
            try:
                if read() is not ABSENT:
                    return False
            except Unfinished:
                continue
        return True


def _choice(name: str, label: str, values: list[Any], required: bool) -> Callable[[], Any]:
    words = {None: "–"} | {
        value: str(value).lower() if isinstance(value, bool) else str(value) for value in values
    }
    field = ui.select(words, label=label, value=values[0] if required else None).props("outlined dense")
    return lambda: ABSENT if field.value is None else field.value


def _number(name: str, label: str, required: bool, *, whole: bool) -> Callable[[], Any]:
    field = ui.input(label).props("outlined dense inputmode=decimal")

    def read() -> Any:
        text = (field.value or "").strip()
        if not text:
            return _left_out(name, required)
        try:
            return int(text) if whole else float(text)
        except ValueError:
            raise Unfinished(f"{name}: a {'whole number' if whole else 'number'} is expected") from None

    return read


def _text(name: str, label: str, schema: dict[str, Any], required: bool) -> Callable[[], Any]:
    hint = "a time such as 2026-01-31T12:00:00Z" if schema.get("format") == "date-time" else None
    field = ui.input(label, placeholder=hint).props("outlined dense")
    if "maxLength" in schema:
        field.props["maxlength"] = schema["maxLength"]
    return lambda: field.value or _left_out(name, required)


def _json(name: str, label: str, required: bool) -> Callable[[], Any]:
    field = ui.textarea(f"{label} (JSON)").props("outlined dense autogrow")

    def read() -> Any:
        text = (field.value or "").strip()
        if not text:
            return _left_out(name, required)
        try:
            return json.loads(text)
        except ValueError:
            raise Unfinished(f"{name}: this is not JSON") from None

    return read


def _left_out(name: str, required: bool) -> Any:
    if required:
        raise Unfinished(f"{name}: this field is needed")
    return ABSENT
