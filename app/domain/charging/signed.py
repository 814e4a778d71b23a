"""Signed meter values as stations send them: the signed text itself, or wrapped with its method and its key."""

import base64
import binascii
from typing import Any

import msgspec

from app.domain.cdrs import SignedValue
from app.domain.metering import SampledValue

_NATURE = {"Transaction.Begin": "Start", "Transaction.End": "End"}
_OCMF = "OCMF|"
_LONGEST = 5000
_LONGEST_METHOD, _LONGEST_KEY = 36, 512
"""What OCPI 2.2.1 has room for (mod_cdrs, SignedData and SignedValue)."""


class _Wrapped(msgspec.Struct, rename="camel"):
    """A SignedMeterValue of OCPP 2.0.1, which stations with OCPP 1.6 write as JSON into the value."""

    signed_meter_data: str
    encoding_method: str = ""
    public_key: str = ""


def signed_value(value: SampledValue) -> SignedValue | None:
    """A signed value as a CDR has it, its signed part as it came; None where that is too long for one."""
    wrapped = _unwrap(value.value)
    signed = value.value if wrapped is None else wrapped.signed_meter_data
    if len(signed) > _LONGEST:
        return None
    text = signed if wrapped is None else _decoded(signed)
    known: dict[str, Any] = {}
    if text.startswith(_OCMF):
        known["encoding_method"] = "OCMF"
    elif wrapped is not None and 0 < len(wrapped.encoding_method) <= _LONGEST_METHOD:
        known["encoding_method"] = wrapped.encoding_method
    if wrapped is not None and 0 < len(wrapped.public_key) <= _LONGEST_KEY:
        known["public_key"] = wrapped.public_key
    plain = text.split("|")[1] if text.startswith(_OCMF) else text
    nature = _NATURE.get(value.context, "Intermediate")
    return SignedValue(nature=nature, plain_data=plain, signed_data=signed, **known)


def _unwrap(text: str) -> _Wrapped | None:
    if not text.startswith("{"):
        return None
    try:
        return msgspec.json.decode(text, type=_Wrapped)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None


def _decoded(signed: str) -> str:
    """What Base64 hides, where it is text without a NUL; else as it is."""
    try:
        text = base64.b64decode(signed, validate=True).decode()
    except (binascii.Error, ValueError):
        return signed
    return signed if "\0" in text else text
