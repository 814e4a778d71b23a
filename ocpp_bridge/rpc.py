"""The OCPP-J envelope: from the bytes of a frame to a call, a result or an error, and back; it never raises."""

import re
from enum import StrEnum

import msgspec
from msgspec import Raw

MAX_DEPTH = 64
MAX_ID = 36
"""Longest message id the specification allows (OCPP-J 1.6, 4.1.4)."""
MAX_ECHOED_ID = 255
"""Longest message id that is still answered."""
MAX_TEXT = 255

CALL, CALL_RESULT, CALL_ERROR = 2, 3, 4


class ErrorCode(StrEnum):
    """Error codes by the names of OCPP-J 1.6, 4.2.3 (table 7), their spelling included."""

    NOT_IMPLEMENTED = "NotImplemented"
    NOT_SUPPORTED = "NotSupported"
    INTERNAL = "InternalError"
    PROTOCOL = "ProtocolError"
    SECURITY = "SecurityError"
    FORMATION = "FormationViolation"
    PROPERTY = "PropertyConstraintViolation"
    OCCURENCE = "OccurenceConstraintViolation"
    TYPE = "TypeConstraintViolation"
    GENERIC = "GenericError"


class Fault(msgspec.Struct, frozen=True):
    """Why a frame cannot be taken as it stands; `text` never repeats what the station sent."""

    code: ErrorCode
    text: str


class CallFrame(msgspec.Struct, gc=False):
    """A CALL. `echo` is the message id as JSON for the answer, None where no answer is possible.

    With a `fault` the frame broke the rules of the envelope; `action` and `payload` are what could be made out.
    """

    id: str
    action: str
    payload: bytes | Raw
    echo: bytes | None
    oddities: tuple[str, ...] = ()
    fault: Fault | None = None


class ResultFrame(msgspec.Struct):
    """A CALLRESULT: the answer to a call of ours."""

    id: str
    payload: bytes | Raw


class ErrorFrame(msgspec.Struct):
    """A CALLERROR to a call of ours; whatever was not text or not an object has become empty."""

    id: str
    code: str
    description: str
    details: bytes | Raw


class Garbage(msgspec.Struct):
    """Bytes in which neither a message id nor an action can be read."""

    reason: str


Frame = CallFrame | ResultFrame | ErrorFrame | Garbage

_CALL = msgspec.json.Decoder(tuple[int, str, str, Raw])
_PARTS = msgspec.json.Decoder(list[Raw])
_TEXT = msgspec.json.Decoder(str)
_NUMBER = msgspec.json.Decoder(int | float)
_encode = msgspec.json.encode
_UNREADABLE = (msgspec.DecodeError, RecursionError, UnicodeDecodeError, ValueError)

_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*"', re.DOTALL)
_BRACKETS = re.compile(rb"[\[\]{}]")
_HEAD = re.compile(
    rb'\s*\[\s*2(?:\.0*)?\s*,\s*("(?:[^"\\]|\\.){0,1024}")\s*(?:,\s*"([A-Za-z]{1,50})")?', re.DOTALL
)
_ESCAPES = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)", re.DOTALL
)
_BAD_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F][0-9a-fA-F]{2})")


def parse(data: bytes) -> Frame:
    """What one frame says (OCPP-J 1.6, 4.2). Never raises, whatever the bytes."""
    try:
        kind, message_id, action, payload = _CALL.decode(data)
    except _UNREADABLE:
        return _parse_odd(data)
    if kind != CALL or len(message_id) > MAX_ID or b"\\u0000" in data:
        return _parse_odd(data)
    return CallFrame(message_id, action, payload, _encode(message_id))


def parse_binary(data: bytes) -> Frame:
    """What a binary frame says: OCPP-J knows text frames only, so a call in one carries a fault."""
    frame = _parse_odd(data)
    if isinstance(frame, CallFrame):
        frame.oddities += ("binary frame",)
        frame.fault = frame.fault or Fault(ErrorCode.FORMATION, "a frame must be text")
    return frame


def result(echo: bytes, payload: bytes) -> bytes:
    """The bytes of a CALLRESULT; `echo` is the message id as JSON."""
    return b"[3," + echo + b"," + payload + b"]"


def error(echo: bytes, fault: Fault) -> bytes:
    """The bytes of a CALLERROR; `echo` is the message id as JSON."""
    text = _encode(fault.text[:MAX_TEXT])
    return b"[4," + echo + b',"' + fault.code.encode() + b'",' + text + b",{}]"


def call(message_id: str, action: str, payload: bytes) -> bytes:
    """The bytes of a CALL of ours."""
    return b"[2," + _encode(message_id) + b"," + _encode(action) + b"," + payload + b"]"


def cleaned(data: bytes) -> tuple[bytes, tuple[str, ...]]:
    """The same JSON without what no database keeps as text: NUL, lone surrogates, bytes that are not UTF-8."""
    notes: list[str] = []
    try:
        data.decode()
    except UnicodeDecodeError:
        data = data.decode(errors="replace").encode()
        notes.append("text that is not UTF-8")
    if b"\\u" in data:
        tidy = _ESCAPES.sub(_harmless, data)
        if tidy != data:
            notes.append("NUL or half a character in a text")
        data = tidy
    return data, tuple(notes)


def _harmless(match: re.Match[bytes]) -> bytes:
    escape = match.group()
    return rb"\ufffd" if len(escape) == 6 and _BAD_ESCAPE.match(escape) else escape


def too_deep(data: bytes) -> bool:
    """Whether arrays and objects are nested deeper than MAX_DEPTH."""
    if data.count(b"[") + data.count(b"{") <= MAX_DEPTH:
        return False
    depth = 0
    for bracket in _BRACKETS.finditer(_STRINGS.sub(b"", data)):
        depth += 1 if bracket.group() in b"[{" else -1
        if depth > MAX_DEPTH:
            return True
    return False


def _parse_odd(data: bytes) -> Frame:
    data, notes = cleaned(data)
    if too_deep(data):
        return _salvage(data, "nested too deep")
    try:
        parts = _PARTS.decode(data)
    except _UNREADABLE:
        return _salvage(data, "not a JSON array")
    kind = _number(parts[0]) if parts else None
    message_id, echo = _message_id(parts[1]) if len(parts) > 1 else (None, None)
    if kind == CALL_RESULT and message_id is not None:
        return ResultFrame(message_id, parts[2] if len(parts) > 2 else b"{}")
    if kind == CALL_ERROR and message_id is not None:
        return _error_frame(message_id, parts)
    if kind == CALL:
        return _odd_call(message_id, echo, parts, notes)
    if kind in (CALL_RESULT, CALL_ERROR) or echo is None:
        return Garbage("no message id")
    fault = Fault(ErrorCode.FORMATION, "unknown message type")
    return CallFrame(message_id or "", "", b"", echo, notes, fault)


def _odd_call(message_id: str | None, echo: bytes | None, parts: list[Raw], notes: tuple[str, ...]) -> Frame:
    action = _text(parts[2]) if len(parts) > 2 else None
    payload: bytes | Raw = parts[3] if len(parts) > 3 else b""
    if message_id is None and action is None:
        return Garbage("no message id")
    if message_id is None:
        notes += ("message id unreadable",)
    elif echo is None or len(message_id) > MAX_ID:
        notes += ("message id longer than 36",)
    elif not echo.startswith(b'"'):
        notes += ("message id is a number",)
    frame = CallFrame(message_id or "", action or "", payload, echo, notes)
    if len(parts) < 3:
        frame.fault = Fault(ErrorCode.PROTOCOL, "the action is missing")
    elif action is None:
        frame.fault = Fault(ErrorCode.FORMATION, "the action is not a text")
    elif len(parts) < 4:
        frame.fault = Fault(ErrorCode.PROTOCOL, "the payload is missing")
    elif len(parts) > 4:
        frame.fault = Fault(ErrorCode.FORMATION, "a call has four elements")
    elif message_id is None:
        frame.fault = Fault(ErrorCode.FORMATION, "the message id is not a text")
    return frame


def _salvage(data: bytes, reason: str) -> Frame:
    """What a broken frame still shows at its head: often enough to answer it."""
    head = _HEAD.match(data)
    if head is None:
        return Garbage(reason)
    message_id, echo = _message_id(Raw(head.group(1)))
    action = (head.group(2) or b"").decode()
    if message_id is None:
        return Garbage(reason)
    return CallFrame(message_id, action, b"", echo, (), Fault(ErrorCode.FORMATION, reason))


def _error_frame(message_id: str, parts: list[Raw]) -> ErrorFrame:
    code = _text(parts[2]) if len(parts) > 2 else None
    description = _text(parts[3]) if len(parts) > 3 else None
    details: bytes | Raw = parts[4] if len(parts) > 4 else b"{}"
    return ErrorFrame(message_id, code or ErrorCode.GENERIC.value, description or "", details)


def _message_id(raw: Raw) -> tuple[str | None, bytes | None]:
    """The id as text and as JSON for the answer; a number is given back as the number it was."""
    text = _text(raw)
    if text is not None:
        return text, _encode(text) if len(text) <= MAX_ECHOED_ID else None
    if _number(raw) is not None and len(bytes(raw)) <= MAX_ID:
        return bytes(raw).decode(), bytes(raw)
    return None, None


def _text(raw: Raw) -> str | None:
    try:
        return _TEXT.decode(raw)
    except _UNREADABLE:
        return None


def _number(raw: Raw) -> int | float | None:
    try:
        number: int | float = _NUMBER.decode(raw)
        return number
    except _UNREADABLE:
        return None
