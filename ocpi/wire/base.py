"""WireModel, the base of every wire object, and the plain types that fields are made of."""

import re
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Annotated, Any, Self

import msgspec
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationError,
    WithJsonSchema,
    model_validator,
)

from ocpi.errors import InvalidParameterError
from ocpi.times import read_time, write_time

_ABSENT: tuple[object, ...] = (None, [], "")
_LARGEST = Decimal(10) ** 12
_FOUR_DECIMALS = Decimal("0.0001")
_MAX_COMPLAINTS = 5


class WireModel(BaseModel):
    """A wire object: unknown fields are kept; null, an empty list, an empty text and absent are the same.

    Only for fields that may be absent, of course: a required one has to be there. Whatever is absent is left out
    when the object is rendered.
    """

    model_config = ConfigDict(extra="allow", validate_assignment=True, hide_input_in_errors=True)

    @model_validator(mode="before")
    @classmethod
    def _drop_absent(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        fields = cls.model_fields
        return {
            name: given
            for name, given in value.items()
            if given not in _ABSENT or (name in fields and fields[name].is_required())
        }

    @classmethod
    def read(cls, value: object) -> Self:
        """Check a parsed JSON value; raises InvalidParameterError (2001) that names the fields at fault."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise InvalidParameterError(f"{cls.__name__}: {complaints(error)}") from None

    def to_wire(self) -> dict[str, Any]:
        """Give the object as plain JSON values (numbers as int and Decimal), absent fields left out."""
        plain: dict[str, Any] = _without_absent(self.model_dump())
        return plain


_encode = msgspec.json.Encoder(decimal_format="number").encode


def render(model: WireModel) -> bytes:
    """Write the object as JSON: absent fields left out, times in UTC with `Z`, numbers with at most 4 decimals."""
    return _encode(model.to_wire())


def complaints(error: ValidationError) -> str:
    """Say which fields are wrong and why, without repeating what was sent."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    said = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}" for each in found[:_MAX_COMPLAINTS]]
    if len(found) > _MAX_COMPLAINTS:
        said.append(f"and {len(found) - _MAX_COMPLAINTS} more")
    return "; ".join(said)


def _without_absent(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_absent(item) for name, item in value.items() if item is not None and item != []
        }
    if isinstance(value, list):
        return [_without_absent(item) for item in value]
    return value


def _read_moment(value: object) -> datetime:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError("a DateTime needs a time zone")
        return value
    if not isinstance(value, str):
        raise ValueError("a DateTime is a string")
    return read_time(value)


def _read_number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("must be a JSON number")
    number = Decimal(value)
    if not number.is_finite() or abs(number) >= _LARGEST:
        raise ValueError("the number is out of range")
    return number


def _write_number(number: Decimal) -> int | Decimal:
    rounded = number.quantize(_FOUR_DECIMALS, ROUND_HALF_UP)
    if rounded == rounded.to_integral_value():
        return int(rounded)
    return Decimal(format(rounded, "f").rstrip("0"))


def _read_integer(value: object) -> int:
    if isinstance(value, Decimal) and value.is_finite() and abs(value) < _LARGEST and value == int(value):
        return int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError("must be a whole number")
    return value


def _ci(longest: int, shortest: int = 1) -> StringConstraints:
    return StringConstraints(strict=True, min_length=shortest, max_length=longest, pattern=r"^[\x20-\x7e]*$")


def _text(longest: int) -> StringConstraints:
    return StringConstraints(strict=True, max_length=longest, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")


def _lines(longest: int) -> StringConstraints:
    return StringConstraints(strict=True, max_length=longest, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")


def same_id(one: str, other: str) -> bool:
    """Compare two CiString values: without regard to case."""
    return one.casefold() == other.casefold()


def checked_pattern(pattern: str, what: str) -> BeforeValidator:
    """Demand that the whole of a string looks like `pattern`; `what` says what was expected."""
    compiled = re.compile(pattern, re.ASCII)

    def check(value: object) -> object:
        if not isinstance(value, str) or compiled.fullmatch(value) is None:
            raise ValueError(f"must be {what}")
        return value

    return BeforeValidator(check)


# Case-insensitive strings of printable ASCII, by their longest length.
CiString4 = Annotated[str, _ci(4)]
CiString32 = Annotated[str, _ci(32)]
CiString36 = Annotated[str, _ci(36)]
CiString39 = Annotated[str, _ci(39)]
CiString48 = Annotated[str, _ci(48)]
CountryCode = Annotated[str, checked_pattern(r"[A-Za-z]{2}", "two letters (ISO 3166-1 alpha-2)")]
PartyId = Annotated[str, checked_pattern(r"[A-Za-z0-9]{1,3}", "up to three letters or digits")]

# Case-sensitive strings of printable Unicode, by their longest length.
Text4 = Annotated[str, _text(4)]
Text10 = Annotated[str, _text(10)]
Text16 = Annotated[str, _text(16)]
Text20 = Annotated[str, _text(20)]
Text45 = Annotated[str, _text(45)]
Text64 = Annotated[str, _text(64)]
Text100 = Annotated[str, _text(100)]
Text255 = Annotated[str, _text(255)]
Text512 = Annotated[str, _text(512)]
# Keys and signed values of meters keep their line breaks: a changed byte breaks the signature.
Lines512 = Annotated[str, _lines(512)]
Lines5000 = Annotated[str, _lines(5000)]

Url = Annotated[
    str, StringConstraints(strict=True, min_length=1, max_length=255, pattern=r"^[^\x00-\x20\x7f]+$")
]
Language = Annotated[str, checked_pattern(r"[A-Za-z]{2}", "a language of two letters (ISO 639-1)")]
Country = Annotated[str, checked_pattern(r"[A-Za-z]{3}", "a country of three letters (ISO 3166-1 alpha-3)")]
Currency = Annotated[str, checked_pattern(r"[A-Z]{3}", "a currency of three capitals (ISO 4217)")]
TimeOfDay = Annotated[str, checked_pattern(r"([01][0-9]|2[0-3]):[0-5][0-9]", "a time such as 08:30")]

Word = Annotated[str, _ci(64)]
"""An enum value where values unknown to us are kept: an unknown capability does not make an EVSE unusable."""

Flag = Annotated[bool, Field(strict=True)]
Integer = Annotated[int, BeforeValidator(_read_integer), Field(ge=0, le=2**31 - 1)]
OcpiNumber = Annotated[
    Decimal,
    PlainValidator(_read_number),
    PlainSerializer(_write_number, return_type=int | Decimal),
    WithJsonSchema({"type": "number"}),
]
"""A JSON number: kept exactly as read, written with at most 4 decimals, rounded half up."""
DateTime = Annotated[
    datetime,
    PlainValidator(_read_moment),
    PlainSerializer(write_time, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
"""A moment in UTC: any offset is read, `Z` is written, to the millisecond."""
