"""What would fail if a handshake with a partner were tried now: looked at step by step, and nothing is changed."""

from collections.abc import Callable
from datetime import datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

import msgspec

from ocpi.client import Answer, PartnerClient, Peer
from ocpi.envelope import data_of
from ocpi.errors import (
    InvalidParameterError,
    MissingEndpointsError,
    PartnerFailure,
    PartnerNonsense,
    PartnerUnreachable,
    Unreachable,
)
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.discovery import require_functional
from ocpi.partners.partner import Endpoint
from ocpi.versions import Version, newest_mutual
from ocpi.wire.versions import VersionDetails, VersionEntry

STEPS = (
    "address", "name", "connection", "tls", "versions without token", "versions with token", "version",
    "endpoints", "credentials", "clock",
)  # fmt: skip
_CLOCK_SECONDS = 60

_BROKEN = {
    Unreachable.BLOCKED: (
        "address",
        "give an https URL of a public host, or allow private URLs for this partner",
    ),
    Unreachable.DNS: ("name", "check the host name with the partner; its DNS record may be missing"),
    Unreachable.REFUSED: ("connection", "nothing listens there: check the port, and firewalls on both sides"),
    Unreachable.TIMEOUT: ("connection", "a firewall may drop our requests: have our address allowed there"),
    Unreachable.RESET: ("connection", "the server hung up: it may expect TLS, or a client certificate"),
    Unreachable.TLS: (
        "tls",
        "the certificate must be valid for this host, with its whole chain, from a known issuer",
    ),
}


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One step: `ok` is None where it was not reached; `found` says what was seen, `advice` what to do about it."""

    step: str
    ok: bool | None
    found: str
    advice: str | None = None


async def probe(client: PartnerClient, url: str, peer: Peer, now: Callable[[], datetime]) -> list[Check]:
    """All steps in their order. `peer` has the partner's token, or an empty one where we have none yet."""
    looking = _Probe(client, url, peer, now)
    await looking.run()
    return [looking.checks.get(step) or Check(step=step, ok=None, found="not reached") for step in STEPS]


class _Probe:
    def __init__(self, client: PartnerClient, url: str, peer: Peer, now: Callable[[], datetime]) -> None:
        self._client = client
        self._url = url
        self._peer = peer
        self._now = now
        self._turned = False
        self.checks: dict[str, Check] = {}

    async def run(self) -> None:
        """Each step as far as the ones before it allow."""
        if not await self._reached():
            return
        if not self._peer.token:
            self._say(
                "versions with token",
                None,
                "no token was given",
                "give the partner's token A to look further",
            )
            return
        listed = await self._versions()
        details = None if listed is None else await self._details(listed)
        if details is not None:
            await self._credentials(details)

    def _say(self, step: str, ok: bool | None, found: str, advice: str | None = None) -> None:
        self.checks[step] = Check(step=step, ok=ok, found=found, advice=advice)

    async def _reached(self) -> bool:
        """The way to the partner, and what it says to somebody it does not know."""
        step = "versions without token"
        try:
            answer = await self._client.send("GET", self._url, _with(self._peer, token=""))
        except PartnerUnreachable as failure:
            self._broken(failure)
            return False
        except PartnerNonsense as failure:
            self._way_is_free()
            self._say(step, False, str(failure), "the URL must be the one of the partner's OCPI versions")
            return True
        self._way_is_free()
        self._look_at_clock(answer)
        if answer.succeeded:
            self._say(step, True, "answered", "the partner shows its versions to everybody")
        elif answer.http_status in (401, 403):
            self._say(step, True, f"refused with HTTP {answer.http_status}, as it should be")
        else:
            self._say(step, False, _said(answer), "the URL must be the one of the partner's OCPI versions")
        return True

    def _broken(self, failure: PartnerUnreachable) -> None:
        step, advice = _BROKEN[failure.kind]
        for passed in STEPS[: STEPS.index(step)]:
            self._passed(passed)
        self._say(step, False, str(failure), advice)

    def _way_is_free(self) -> None:
        for step in STEPS[:4]:
            self._passed(step)

    def _passed(self, step: str) -> None:
        if step == "tls" and urlsplit(self._url).scheme != "https":
            self._say(
                step, True, "not used: plain http", "tokens travel unprotected; use https outside of tests"
            )
        else:
            self._say(step, True, {"address": self._url, "name": "resolved"}.get(step, "made"))

    async def _versions(self) -> list[object] | None:
        step = "versions with token"
        try:
            answer = await self._client.send("GET", self._url, self._peer)
            if answer.http_status == 401:
                answer = await self._other_way(answer)
            self._look_at_clock(answer)
            listed = data_of(answer)
        except PartnerFailure as failure:
            advice = "ask the partner whether this token A is valid and not used yet"
            self._say(step, False, str(failure), advice)
            return None
        if not isinstance(listed, list):
            self._say(
                step, False, "the data is no list", "the URL must be the one of the partner's OCPI versions"
            )
            return None
        hint = f"set raw_token to {str(self._peer.raw_token).lower()}" if self._turned else None
        self._say(step, True, f"{len(listed)} listed", hint)
        return listed

    async def _other_way(self, refused: Answer) -> Answer:
        """The token with or without Base64: what the partner does not expect it calls wrong."""
        other = _with(self._peer, raw_token=not self._peer.raw_token)
        answer = await self._client.send("GET", self._url, other)
        if not answer.succeeded:
            return refused
        self._peer, self._turned = other, True
        return answer

    async def _details(self, listed: list[object]) -> VersionDetails | None:
        entries = [entry for item in listed if (entry := _entry(item)) is not None]
        offered = ", ".join(sorted(entry.version for entry in entries)) or "none that can be read"
        version = newest_mutual(entry.version for entry in entries)
        if version is None:
            ours = ", ".join(Version)
            self._say(
                "version", False, f"offered: {offered}", f"we speak {ours}; the partner has to offer that"
            )
            return None
        self._say("version", True, f"{version} (offered: {offered})")
        url = next(entry.url for entry in entries if entry.version.strip() == version)
        try:
            details = VersionDetails.read(data_of(await self._client.send("GET", url, self._peer)))
        except (PartnerFailure, InvalidParameterError) as error:
            self._say(
                "endpoints", False, f"{url}: {error}", "the partner has to mend the details of its version"
            )
            return None
        return details if self._enough(details) else None

    def _enough(self, details: VersionDetails) -> bool:
        names = ", ".join(sorted({f"{each.identifier} {each.role}" for each in details.endpoints}))
        if details.url_of(ModuleId.CREDENTIALS, InterfaceRole.SENDER) is None:
            self._say("endpoints", False, names, "the partner has to offer a credentials endpoint")
            return False
        try:
            require_functional(tuple(Endpoint(e.identifier, e.role, e.url) for e in details.endpoints))
        except MissingEndpointsError as error:
            self._say("endpoints", False, names, error.message)
            return False
        self._say("endpoints", True, names)
        return True

    async def _credentials(self, details: VersionDetails) -> None:
        url = details.url_of(ModuleId.CREDENTIALS, InterfaceRole.SENDER) or ""
        try:
            answer = await self._client.send("GET", url, self._peer)
        except PartnerFailure as failure:
            self._say(
                "credentials",
                False,
                f"{url}: {failure}",
                "the handshake ends here: the partner has to mend it",
            )
            return
        # Before the registration a partner may refuse GET; that it speaks OCPI there is what counts.
        usable = answer.status_code is not None or answer.http_status in (401, 403, 405)
        advice = None if usable else "the handshake ends here: the partner has to mend it"
        self._say("credentials", usable and answer.http_status < 500, _said(answer), advice)

    def _look_at_clock(self, answer: Answer) -> None:
        try:
            theirs = parsedate_to_datetime(answer.headers.get("Date", ""))
            apart = (theirs - self._now()).total_seconds()
        except (ValueError, TypeError):
            self._say("clock", None, "the partner's server tells no time")
            return
        near = abs(apart) <= _CLOCK_SECONDS
        side = "ahead of" if apart > 0 else "behind"
        found = "less than two seconds apart" if abs(apart) < 2 else f"{abs(apart):.0f} s {side} ours"
        self._say(
            "clock", near, found, None if near else "one of the two clocks is wrong: use NTP on both sides"
        )


def _with(peer: Peer, *, token: str | None = None, raw_token: bool | None = None) -> Peer:
    return Peer(
        token=peer.token if token is None else token,
        name=peer.name,
        raw_token=peer.raw_token if raw_token is None else raw_token,
        allow_private=peer.allow_private,
    )


def _entry(item: object) -> VersionEntry | None:
    try:
        return VersionEntry.read(item)
    except InvalidParameterError:
        return None


def _said(answer: Answer) -> str:
    code = "no OCPI status" if answer.status_code is None else f"OCPI {answer.status_code}"
    words = f": {answer.status_message}" if answer.status_message else ""
    return f"HTTP {answer.http_status}, {code}{words}"
