"""What may be written down: secrets masked, every value made printable, whatever it is."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

MASK = "***"

_MAX_TEXT = 16_384  # characters of one string in a log line
_MAX_DEPTH = 8
_MAX_ITEMS = 200
_INT64 = 1 << 63

_SECRET_WORDS = ("password", "passwd", "secret", "authorization", "apikey", "privatekey", "cookie")
_SECRET_NAMES = frozenset(
    {"token", "tokens", "tokena", "tokenb", "tokenc", "authorizationkey", "basicauthpassword"}
)
# An RFID card's number is called a token by OCPP 2.x; an operator needs to see it.
_OPEN_NAMES = frozenset({"idtoken", "groupidtoken", "cdrtoken"})
# Station settings whose value is a password (OCPP 1.6 security white paper; OCPP 2.x SecurityCtrlr).
_SECRET_SETTINGS = frozenset({"authorizationkey", "basicauthpassword"})
_SETTING_VALUES = frozenset({"value", "attributeValue", "attribute_value"})

_SCHEME = re.compile(r"\b(Token|Basic|Bearer|TOKEN|BASIC|BEARER)(\s+)[^\s,;'\"\\]+")
_LOWER_SCHEME = re.compile(r"\b(token|basic|bearer)(\s+)[A-Za-z0-9+/=._~-]{16,}")
# To the end of the line or the quote: a scheme nobody knows may have several words.
_HEADER = re.compile(
    r"(?i)((?:authorizationkey\\?['\"]?\s*[:=]|authorization\\?['\"]?\s*[:=,])\s*(?:b(?=\\?['\"]))?\\?['\"]?(?:(?:token|basic|bearer)\s+)?)"
    r"[^'\"\\\n}]+"
)
_MEMBER = re.compile(
    r"(?i)(\\?[\"'](?:[a-z0-9_-]{0,40}(?:password|passwd|secret|apikey|api_key|cookie)[a-z0-9_-]{0,40}|tokens?|token_[abc]"
    r"|[a-z]{0,40}_token|authorization(?:key)?)\\?[\"']\s*:\s*\\?[\"'])(?:[^\"'\\]|\\[^\"'])*"
)
_SETTING = re.compile(
    r"(?i)(\\?\"key\\?\"\s*:\s*\\?\"(?:AuthorizationKey|BasicAuthPassword)\\?\"\s*,\s*\\?\"value\\?\"\s*:\s*\\?\")[^\"\\]*"
)
_SETTING_TURNED = re.compile(
    r"(?i)(\\?\"value\\?\"\s*:\s*\\?\")[^\"\\]*(\\?\"\s*,\s*\\?\"key\\?\"\s*:\s*\\?\"(?:AuthorizationKey|BasicAuthPassword)\\?\")"
)
_VARIABLE = re.compile(r"(?i)(\\?\"attributeValue\\?\"\s*:\s*\\?\")[^\"\\]*")
# Without one of these words in lower case nothing can match: long texts are looked through for words, not by patterns.
_SCHEME_WORDS = ("token", "basic", "bearer")
_MEMBER_WORDS = ("password", "passwd", "secret", "apikey", "api_key", "cookie", "token", "authorization")
_USERINFO = re.compile(r"(://)[^/\s@'\"]+@")
# DEL and the C1 controls pass through JSON unescaped, and some terminals obey them.
_C1 = {code: f"\\x{code:02x}" for code in range(0x7F, 0xA0)}
_CONTROLS = _C1 | {code: f"\\x{code:02x}" for code in range(0x20)}


def masked(text: str) -> str:
    """The text with credentials masked: authorization values, secret members of JSON, user info of URLs."""
    lowered = text.lower()
    if "authorization" in lowered or "basicauthpassword" in lowered:
        text = _SETTING_TURNED.sub(rf"\g<1>{MASK}\g<2>", _SETTING.sub(rf"\g<1>{MASK}", text))
        if "basicauthpassword" in lowered:
            text = _VARIABLE.sub(rf"\g<1>{MASK}", text)
        text = _HEADER.sub(rf"\g<1>{MASK}", text)
    if any(word in lowered for word in _SCHEME_WORDS):
        text = _SCHEME.sub(rf"\g<1>\g<2>{MASK}", text)
        text = _LOWER_SCHEME.sub(rf"\g<1>\g<2>{MASK}", text)
    if any(word in lowered for word in _MEMBER_WORDS):
        text = _MEMBER.sub(rf"\g<1>{MASK}", text)
    if "@" in text:
        text = _USERINFO.sub(rf"\g<1>{MASK}@", text)
    return text


def mask_headers(headers: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> dict[str, str]:
    """Headers (text or bytes) as a dict in which credentials are masked; an authorization keeps its scheme."""
    pairs = headers.items() if isinstance(headers, Mapping) else headers
    return {name: _header(name, value) for name, value in ((_text(n), _text(v)) for n, v in pairs)}


def is_secret(name: str) -> bool:
    """Whether what stands under this key or header is never written down."""
    plain = "".join(filter(str.isalnum, name)).lower()
    if plain in _OPEN_NAMES:
        return False
    return plain in _SECRET_NAMES or plain.endswith("token") or any(word in plain for word in _SECRET_WORDS)


def printable(value: Any, depth: int = 0) -> Any:
    """The value as plain JSON types with every secret masked. Takes anything and never raises."""
    if value is None or isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else _number(value)
    if isinstance(value, str | bytes | bytearray):
        return _line(_text(value))
    if depth >= _MAX_DEPTH:
        return "..."
    try:
        return _container(value, depth)
    except Exception as error:  # noqa: BLE001 - whatever a foreign object does, its log line is written
        return f"<unprintable {type(value).__name__}: {type(error).__name__}>"


def without_controls(text: str) -> str:
    """The text with every control character written out, so that a terminal shows it and obeys none."""
    return text.translate(_CONTROLS)


def _container(value: Any, depth: int) -> Any:
    if isinstance(value, Mapping):
        items = list(value.items())[:_MAX_ITEMS]
        setting = _names_secret_setting(value)
        return {_line(_text(key)): _member(_text(key), item, depth, setting=setting) for key, item in items}
    if isinstance(value, list | tuple) and len(value) == 2 and isinstance(value[0], str | bytes):
        name = _text(value[0])
        if is_secret(name) and isinstance(value[1], str | bytes):
            return [_line(name), _header(name, _text(value[1]))]
    if isinstance(value, list | tuple | set | frozenset):
        return [printable(item, depth + 1) for item in list(value)[:_MAX_ITEMS]]
    return _line(str(value))


def _member(key: str, value: Any, depth: int, *, setting: bool) -> Any:
    if setting and key in _SETTING_VALUES:
        return MASK
    if not is_secret(key) or value is None or isinstance(value, bool):
        return printable(value, depth + 1)
    # OCPI calls a driver's card a token, too: that object is shown, a bare value under the name is not.
    if isinstance(value, Mapping) and key.lower() == "token":
        return printable(value, depth + 1)
    if isinstance(value, str) and key.lower() in ("authorization", "proxy-authorization"):
        return _header(key, value)
    return MASK


def _names_secret_setting(members: Mapping[Any, Any]) -> bool:
    variable = members.get("variable")
    named = members.get("key"), variable.get("name") if isinstance(variable, Mapping) else None
    return any(isinstance(name, str) and name.lower() in _SECRET_SETTINGS for name in named)


def _header(name: str, value: str) -> str:
    if not is_secret(name):
        return masked(value)
    scheme, _, secret = value.strip().partition(" ")
    return f"{scheme} {MASK}" if secret and scheme.isalpha() else MASK


def _line(text: str) -> str:
    if len(text) > _MAX_TEXT:
        text = f"{text[:_MAX_TEXT]}... ({len(text)} characters)"
    return masked(text).translate(_C1)


def _text(value: Any) -> str:
    """Text that UTF-8 can carry: bytes decoded, lone surrogates written out."""
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "backslashreplace")
    text = value if type(value) is str else str(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def _number(value: int) -> str:
    """An integer JSON writers refuse, as text; Python itself refuses to write out the longest ones in decimal."""
    return str(value) if value.bit_length() < 4000 else f"<integer of {value.bit_length()} bits>"
