"""A simulated partner's side of the credentials handshake, from either end."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ocpi.client import PartnerClient, Peer
from ocpi.envelope import data_of, require_success
from ocpi.errors import (
    CannotUseClientApiError,
    MethodNotAllowedError,
    OcpiError,
    PartnerFailure,
    UnauthorizedError,
    UnsupportedVersionError,
)
from ocpi.headers import token_candidates
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.versions import Version, newest_mutual
from ocpi.wire.base import render, same_id
from ocpi.wire.credentials import Credentials, CredentialsRole
from ocpi.wire.types import BusinessDetails, Role
from ocpi.wire.versions import VersionDetails, VersionEntry

HANDSHAKE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a simulated partner is."""

    country_code: str
    party_id: str
    name: str
    role: Role = Role.EMSP


@dataclass(frozen=True, slots=True)
class Connection:
    """The other side, once it is registered."""

    token: str = field(repr=False)
    roles: tuple[CredentialsRole, ...]
    endpoints: VersionDetails

    def speaks_for(self, country_code: str, party_id: str) -> bool:
        """Whether the other side has that party."""
        return any(
            same_id(each.country_code, country_code) and same_id(each.party_id, party_id)
            for each in self.roles
        )


class Registration:
    """Which tokens this partner accepts, and whom it is connected with."""

    def __init__(self, identity: Identity, client: PartnerClient) -> None:
        self.identity = identity
        self.connection: Connection | None = None
        self.versions_url = ""
        self.on_change: Callable[[], None] = lambda: None
        """Called after the connection was made, renewed or ended: the moment to `dump`."""
        self._client = client
        self._invitation: str | None = None
        self._accepted: set[str] = set()

    def invite(self, token_a: str) -> None:
        """Accept `token_a` for a first registration."""
        self._invitation = token_a

    def authenticate(self, header: str | None, *, invited_too: bool = False) -> None:
        """Judge an Authorization header; `invited_too` where token A is good enough."""
        for token in token_candidates(header):
            if token in self._accepted or (invited_too and token == self._invitation):
                return
        raise UnauthorizedError("this credentials token is not valid here")

    def peer(self) -> Peer:
        """Whom to call now; raises MethodNotAllowedError while nobody is registered."""
        return self._peer(self._connected().token)

    def url_of(self, module: ModuleId, role: InterfaceRole) -> str | None:
        """Find an interface of the other side."""
        return None if self.connection is None else self.connection.endpoints.url_of(module, role)

    def credentials(self, token: str) -> Credentials:
        """Write our credentials with `token` for the other side to use."""
        own = CredentialsRole(
            role=self.identity.role,
            country_code=self.identity.country_code,
            party_id=self.identity.party_id,
            business_details=BusinessDetails(name=self.identity.name),
        )
        return Credentials(token=token, url=self.versions_url, roles=[own])

    def shown(self, header: str | None) -> Credentials:
        """Write our credentials with the token that the caller uses now."""
        presented = token_candidates(header)
        known = {*self._accepted, self._invitation}
        return self.credentials(next(token for token in presented if token in known))

    def dump(self) -> dict[str, Any]:
        """Give what has to be kept over a restart, tokens included, as plain JSON values."""
        state: dict[str, Any] = {"accepted": sorted(self._accepted), "invitation": self._invitation}
        if self.connection is not None:
            state["connection"] = {
                "token": self.connection.token,
                "roles": [role.to_wire() for role in self.connection.roles],
                "endpoints": self.connection.endpoints.to_wire(),
            }
        return state

    def load(self, state: Mapping[str, Any]) -> None:
        """Take up what `dump` gave before a restart."""
        self._accepted = set(state["accepted"])
        self._invitation = state["invitation"]
        if (kept := state.get("connection")) is not None:
            roles = tuple(CredentialsRole.read(role) for role in kept["roles"])
            self.connection = Connection(kept["token"], roles, VersionDetails.read(kept["endpoints"]))

    async def accept(self, body: Any, *, renewing: bool) -> Credentials:
        """Answer POST credentials (or PUT, when `renewing`): fetch their endpoints, then hand out a new token."""
        if renewing != (self.connection is not None):
            raise MethodNotAllowedError("not registered yet" if renewing else "registered already")
        theirs = Credentials.read(body)
        try:
            endpoints = await self._fetch_endpoints(theirs.url, theirs.token)
        except PartnerFailure as failure:
            raise CannotUseClientApiError(f"your API could not be used: {failure}") from None
        self.connection = Connection(theirs.token, tuple(theirs.roles), endpoints)
        ours = self.credentials(self._replace_tokens())
        self.on_change()
        return ours

    async def register(self, versions_url: str, token_a: str) -> None:
        """Register with the other side by its token A; raises PartnerFailure or OcpiError and changes nothing then."""
        endpoints = await self._fetch_endpoints(versions_url, token_a)
        await self._exchange("POST", endpoints, token_a)

    async def rotate(self) -> None:
        """Renew both tokens by PUT credentials."""
        connection = self._connected()
        await self._exchange("PUT", connection.endpoints, connection.token)

    async def unregister(self) -> None:
        """End the registration by DELETE credentials."""
        url = _credentials_url(self._connected().endpoints)
        require_success(await self._client.send("DELETE", url, self.peer()))
        self.forget()

    def forget(self) -> None:
        """Drop the connection and every token."""
        self.connection = None
        self._accepted.clear()
        self.on_change()

    async def _exchange(self, method: str, endpoints: VersionDetails, token: str) -> None:
        token_b = secrets.token_urlsafe(32)
        self._accepted.add(token_b)
        try:
            answer = await self._client.send(
                method,
                _credentials_url(endpoints),
                self._peer(token),
                body=render(self.credentials(token_b)),
                seconds=HANDSHAKE_SECONDS,
            )
            theirs = Credentials.read(data_of(answer))
        except (PartnerFailure, OcpiError):
            self._accepted.discard(token_b)
            raise
        self._accepted = {token_b}
        self.connection = Connection(theirs.token, tuple(theirs.roles), endpoints)
        self.on_change()

    async def _fetch_endpoints(self, versions_url: str, token: str) -> VersionDetails:
        peer = self._peer(token)
        offered = data_of(await self._client.send("GET", versions_url, peer))
        entries = [VersionEntry.read(each) for each in offered] if isinstance(offered, list) else []
        version = newest_mutual(entry.version for entry in entries)
        if version is None:
            raise UnsupportedVersionError(f"we speak {', '.join(Version)} only")
        url = next(entry.url for entry in entries if entry.version == version)
        return VersionDetails.read(data_of(await self._client.send("GET", url, peer)))

    def _replace_tokens(self) -> str:
        token = secrets.token_urlsafe(32)
        self._accepted = {token}
        self._invitation = None
        return token

    def _connected(self) -> Connection:
        if self.connection is None:
            raise MethodNotAllowedError("nobody is registered")
        return self.connection

    def _peer(self, token: str) -> Peer:
        return Peer(token=token, name=f"the partner of {self.identity.name}", allow_private=True)


def _credentials_url(endpoints: VersionDetails) -> str:
    url = endpoints.url_of(ModuleId.CREDENTIALS, InterfaceRole.SENDER)
    if url is None:
        raise UnsupportedVersionError("the partner names no credentials endpoint")
    return url
