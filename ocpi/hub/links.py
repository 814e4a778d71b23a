"""Links in answers that are passed on: they lead back through the hub, which alone has a token for where they lead.

A link below the endpoint that was asked keeps its form, with our endpoint in place of the receiver's. Any other is
sealed: the receiver, the path and the query, readable for us only, on every node and after every restart.
"""

from urllib.parse import urljoin, urlsplit

import msgspec

from app.domain.errors import Conflict
from ocpi.errors import NotFoundError
from ocpi.headers import RoutedParty
from ocpi.paging import next_page
from ocpi.partners.tokens import Vault

SEALED = "_"
"""How a sealed segment of a URL of ours begins; sealed links are one segment behind the interface."""

_LONGEST = 3000


class Place(msgspec.Struct, frozen=True):
    """Where a sealed link leads: a party behind the hub, and path and query at its endpoint's host."""

    country_code: str
    party_id: str
    path: str

    @property
    def party(self) -> RoutedParty:
        """The receiver."""
        return RoutedParty(self.country_code, self.party_id)


_decode = msgspec.json.Decoder(Place).decode


class Links:
    """Rewrites links of one receiver's answers: `ours` and `theirs` are URLs of the same interface, without a slash."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def next_page(self, link: str | None, asked: str, ours: str, theirs: str, to: RoutedParty) -> str | None:
        """The Link header for our caller; None where there is no next page. A malformed one counts as none."""
        try:
            following = next_page(link, asked)
        except ValueError:
            return None
        if following is None:
            return None
        return f'<{self._through(following.url, ours, theirs, to, sealed=False)}>; rel="next"'

    def location(
        self, location: str | None, asked: str, ours: str, theirs: str, to: RoutedParty
    ) -> str | None:
        """The Location header for our caller. Always sealed: whoever follows it need not say whose it is."""
        if not location:
            return None
        try:
            url = urljoin(asked, location)
            urlsplit(url)
        except ValueError:
            return None
        return self._through(url, ours, theirs, to, sealed=True)

    def unseal(self, segment: str) -> Place:
        """Where a sealed segment leads. Raises NotFoundError (404) for one that we did not make."""
        if len(segment) > _LONGEST:
            raise NotFoundError("there is nothing at this URL")
        try:
            return _decode(self._vault.unseal(segment.removeprefix(SEALED)))
        except (Conflict, msgspec.DecodeError):
            raise NotFoundError("there is nothing at this URL") from None

    def _through(self, url: str, ours: str, theirs: str, to: RoutedParty, *, sealed: bool) -> str:
        rest = url.removeprefix(theirs)
        if not sealed and rest != url and (not rest or rest[0] in "/?"):
            return ours + rest.removeprefix("/") if rest.startswith("/?") else ours + rest
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        place = Place(to.country_code, to.party_id, path)
        return f"{ours}/{SEALED}{self._vault.seal(msgspec.json.encode(place))}"


def at_host_of(endpoint: str, path: str) -> str:
    """A path with its query at the host of a receiver's endpoint: our token goes nowhere else."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}/{path.lstrip('/')}"
