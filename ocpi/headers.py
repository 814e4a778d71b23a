"""What OCPI says in HTTP headers: the credentials token, message ids and message routing."""

import base64
import binascii
import re
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random, SystemRandom
from typing import Self

from ocpi.errors import InvalidParameterError

AUTHORIZATION = "Authorization"
REQUEST_ID = "X-Request-ID"
CORRELATION_ID = "X-Correlation-ID"
TO_COUNTRY_CODE = "OCPI-to-country-code"
TO_PARTY_ID = "OCPI-to-party-id"
FROM_COUNTRY_CODE = "OCPI-from-country-code"
FROM_PARTY_ID = "OCPI-from-party-id"

_TOKEN = re.compile(r"[\x21-\x7e]{1,64}")
_MESSAGE_ID = re.compile(r"[\x21-\x7e]{1,128}")
_SCHEME = "Token "
_RANDOM = ~(0xF << 76 | 0x3 << 62)
_VERSION_4 = 0x4 << 76 | 0x2 << 62
_bits = Random(SystemRandom().getrandbits(256)).getrandbits  # noqa: S311 - ids are no secrets
_LONGEST_VALUE = 128


def is_token(text: str) -> bool:
    """Whether `text` can be a credentials token: 1 to 64 printable ASCII characters, no space (2.2.1 credentials)."""
    return _TOKEN.fullmatch(text) is not None


def authorization(token: str, *, raw: bool = False) -> str:
    """Write the Authorization value; `raw` is for partners that want the token without Base64.

    Raises ValueError for what is no credentials token.
    """
    if not is_token(token):
        raise ValueError("a credentials token has 1 to 64 printable ASCII characters and no space")
    return _SCHEME + (token if raw else base64.b64encode(token.encode("ascii")).decode("ascii"))


def token_candidates(value: str | None) -> tuple[str, ...]:
    """Read an Authorization value: what the token may be, likeliest first; empty when it cannot be one.

    The Base64-decoded form comes first, then the value as it stands, because many platforms send it bare. White
    space behind a decoded token is dropped: encoders that add a line feed are common.
    """
    if value is None or not value.startswith(_SCHEME):
        return ()
    presented = value.removeprefix(_SCHEME)
    if len(presented) > _LONGEST_VALUE:
        return ()
    decoded = _decoded(presented)
    found = [text for text in (decoded, presented) if text is not None and is_token(text)]
    return tuple(dict.fromkeys(found))


def _decoded(presented: str) -> str | None:
    padded = presented + "=" * (-len(presented) % 4)
    try:
        return base64.b64decode(padded, validate=True).decode("ascii").rstrip()
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class MessageIds:
    """The id of one request, and the id that stays the same along a chain of requests."""

    request_id: str
    correlation_id: str

    @classmethod
    def new(cls, correlation_id: str | None = None) -> Self:
        """Make ids for a request of our own, within a chain that goes on or begins here."""
        return cls(new_message_id(), correlation_id or new_message_id())

    @classmethod
    def read(cls, headers: Mapping[str, str]) -> Self:
        """Take the ids of an incoming request; a missing or unfit one is replaced by a new one.

        `headers` must look names up without regard to case.
        """
        return cls(_message_id(headers.get(REQUEST_ID)), _message_id(headers.get(CORRELATION_ID)))

    def headers(self) -> dict[str, str]:
        """Write both headers, for a request or for the answer that echoes them."""
        return {REQUEST_ID: self.request_id, CORRELATION_ID: self.correlation_id}


def _message_id(value: str | None) -> str:
    return value if value is not None and _MESSAGE_ID.fullmatch(value) else new_message_id()


def new_message_id() -> str:
    """A random UUID (RFC 9562, version 4), made without the object around it."""
    text = f"{_bits(128) & _RANDOM | _VERSION_4:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True)
class RoutedParty:
    """A party as routing headers name it, spelled as received."""

    country_code: str
    party_id: str

    @property
    def key(self) -> tuple[str, str]:
        """The form to compare and to look up by: both are case-insensitive."""
        return self.country_code.upper(), self.party_id.upper()


@dataclass(frozen=True, slots=True)
class Routing:
    """The four OCPI-to and OCPI-from headers: which parties a message goes to and comes from (2.2.1 part 4)."""

    to: RoutedParty | None = None
    sender: RoutedParty | None = None

    @classmethod
    def parse(cls, headers: Mapping[str, str]) -> Self:
        """Read what is there; `headers` must look names up without regard to case.

        Raises InvalidParameterError (2001) when a party is named by halves or by something that is no id.
        """
        return cls(
            _party(headers, TO_COUNTRY_CODE, TO_PARTY_ID),
            _party(headers, FROM_COUNTRY_CODE, FROM_PARTY_ID),
        )

    def swapped(self) -> "Routing":
        """The routing of the answer to a message with this routing."""
        return Routing(to=self.sender, sender=self.to)

    def headers(self) -> dict[str, str]:
        """Write the headers of the parties that are known."""
        written: dict[str, str] = {}
        if self.to is not None:
            written |= {TO_COUNTRY_CODE: self.to.country_code, TO_PARTY_ID: self.to.party_id}
        if self.sender is not None:
            written |= {FROM_COUNTRY_CODE: self.sender.country_code, FROM_PARTY_ID: self.sender.party_id}
        return written


def read_party(text: str) -> RoutedParty | None:
    """A party as people write it, `NL-ABC`; None for what is none."""
    match = re.fullmatch(r"([A-Za-z]{2})-([A-Za-z0-9]{1,3})", text)
    return None if match is None else RoutedParty(match[1], match[2])


def _party(headers: Mapping[str, str], country_name: str, party_name: str) -> RoutedParty | None:
    country, party = headers.get(country_name), headers.get(party_name)
    if not country and not party:
        return None
    if not country or not re.fullmatch(r"[A-Za-z]{2}", country):
        raise InvalidParameterError(f"{country_name} must have two letters")
    if not party or not re.fullmatch(r"[A-Za-z0-9]{1,3}", party):
        raise InvalidParameterError(f"{party_name} must have up to three letters or digits")
    return RoutedParty(country, party)
