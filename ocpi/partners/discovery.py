"""Finding out what a partner offers: its versions, then the endpoints of the newest we share."""

from enum import StrEnum
from typing import NamedTuple

from ocpi.client import PartnerClient, Peer
from ocpi.envelope import data_of
from ocpi.errors import (
    CannotUseClientApiError,
    InvalidParameterError,
    MissingEndpointsError,
    OcpiError,
    PartnerFailure,
    UnsupportedVersionError,
)
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.partner import Endpoint
from ocpi.versions import Version, newest_mutual
from ocpi.wire.versions import VersionDetails, VersionEntry


class Step(StrEnum):
    """The steps of a handshake, as a failure names them."""

    VERSIONS = "versions"
    DETAILS = "version details"
    CREDENTIALS = "credentials"
    PARTIES = "parties"


class HandshakeFailed(Exception):
    """A handshake that came to nothing: at which step, and why. `error` is what an OCPI caller is told."""

    def __init__(self, step: Step, reason: str, error: OcpiError | None = None) -> None:
        super().__init__(f"{step}: {reason}")
        self.step = step
        self.reason = reason
        self.error = error or CannotUseClientApiError(f"{step}: {reason}")


class Offer(NamedTuple):
    """What a partner offers in the version that both speak."""

    version: Version
    endpoints: tuple[Endpoint, ...]
    credentials_url: str


async def discover(client: PartnerClient, peer: Peer, versions_url: str) -> Offer:
    """GET versions, then the details of the newest mutual one. Raises HandshakeFailed.

    A version entry that cannot be read is passed over; endpoints of modules we do not know are kept.
    """
    entries = [
        entry
        for item in await _list(client, peer, versions_url, Step.VERSIONS)
        if (entry := _entry(item)) is not None
    ]
    version = newest_mutual(entry.version for entry in entries)
    if version is None:
        offered = ", ".join(sorted(entry.version for entry in entries)) or "none"
        reason = f"no version that both sides speak (offered: {offered})"
        raise HandshakeFailed(Step.VERSIONS, reason, UnsupportedVersionError(reason))
    url = next(entry.url for entry in entries if entry.version.strip() == version)
    return _offer(version, await _get(client, peer, url, Step.DETAILS))


def require_functional(endpoints: tuple[Endpoint, ...]) -> None:
    """Raise MissingEndpointsError (3003) for a partner that offers nothing but configuration modules."""
    functional = {module.value for module in ModuleId if module.routed}
    if not any(endpoint.module in functional for endpoint in endpoints):
        raise MissingEndpointsError("at least one functional module is needed besides credentials")


def _offer(version: Version, data: object) -> Offer:
    try:
        details = VersionDetails.read(data)
    except InvalidParameterError as error:
        raise HandshakeFailed(Step.DETAILS, error.message) from None
    credentials_url = details.url_of(ModuleId.CREDENTIALS, InterfaceRole.SENDER)
    if credentials_url is None:
        reason = "no credentials endpoint"
        raise HandshakeFailed(Step.DETAILS, reason, MissingEndpointsError(reason))
    unique = {(e.identifier, e.role): Endpoint(e.identifier, e.role, e.url) for e in details.endpoints}
    return Offer(version, tuple(unique.values()), credentials_url)


def _entry(item: object) -> VersionEntry | None:
    try:
        return VersionEntry.read(item)
    except InvalidParameterError:
        return None


async def _list(client: PartnerClient, peer: Peer, url: str, step: Step) -> list[object]:
    data = await _get(client, peer, url, step)
    if not isinstance(data, list):
        raise HandshakeFailed(step, "the data is not a list")
    return data


async def _get(client: PartnerClient, peer: Peer, url: str, step: Step) -> object:
    try:
        return data_of(await client.send("GET", url, peer))
    except PartnerFailure as failure:
        raise HandshakeFailed(step, str(failure)) from failure
