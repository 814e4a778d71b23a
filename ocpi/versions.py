"""The OCPI versions we speak, and what differs between them outside the bodies, as a table of flags."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum


class Version(StrEnum):
    """A version we speak, by its number on the wire."""

    V2_2_1 = "2.2.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What code asks instead of comparing version numbers."""

    base64_token: bool
    """The credentials token travels Base64-encoded in the Authorization header."""
    message_ids: bool
    """Requests and answers carry X-Request-ID and X-Correlation-ID."""
    routing_headers: bool
    """Functional modules carry the OCPI-to and OCPI-from headers."""
    one_versions_url: bool
    """One platform has one versions URL for all its roles, and its endpoints name their interface role."""


RULES: dict[Version, Rules] = {
    Version.V2_2_1: Rules(base64_token=True, message_ids=True, routing_headers=True, one_versions_url=True),
}


def newest_mutual(theirs: Iterable[str]) -> Version | None:
    """Pick the newest of our versions that the other side offers too; None when there is none."""
    offered = {number.strip() for number in theirs}
    return next((version for version in reversed(Version) if version in offered), None)
