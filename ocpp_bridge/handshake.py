"""Before a station's socket opens: its id, its password, the version to speak, and limits on guessing."""

import base64
import binascii
import re
from collections import OrderedDict
from collections.abc import Iterable
from enum import StrEnum
from urllib.parse import unquote_to_bytes

import msgspec

from app.kit.clock import Clock
from app.services.stations import valid_id

VERSIONS = ("ocpp1.6",)
"""The subprotocols we speak, newest first."""

_PATH = re.compile(rb"/+ocpp/+([^/]+)/*", re.IGNORECASE)
_WINDOW = 60.0
_REMEMBERED = 20_000


class Refusal(msgspec.Struct, frozen=True):
    """An HTTP answer instead of an open socket; `text` is for the person who reads it."""

    status: int
    text: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


UNKNOWN_PATH = Refusal(404, "Stations connect to /ocpp/{station id}")
UNKNOWN_STATION = Refusal(404, "This station is not known here")
UNAUTHORIZED = Refusal(401, "Wrong station id or password", ((b"www-authenticate", b'Basic realm="OCPP"'),))
TOO_MANY = Refusal(429, "Too many attempts, try again later", ((b"retry-after", b"60"),))
BUSY = Refusal(503, "Too many stations are connecting, try again later", ((b"retry-after", b"10"),))
NO_STORE = Refusal(503, "The store is not available, try again later", ((b"retry-after", b"30"),))
NO_UPGRADE = Refusal(400, "Stations connect by WebSocket (OCPP-J)")


def station_id(path: bytes) -> str | None:
    """The id at the end of a raw request path, percent-decoded; None where there is none that can be."""
    match = _PATH.fullmatch(path)
    if match is None:
        return None
    try:
        name = unquote_to_bytes(match.group(1)).decode("ascii")
    except UnicodeDecodeError:
        return None
    return name if valid_id(name) else None


class Credentials(StrEnum):
    """What kind of credentials a station showed; never what was in them."""

    NONE = "none"
    PASSWORD = "password"  # noqa: S105  # the name of a kind
    OTHER_USER = "password under another user name"
    UNREADABLE = "unreadable"


def credentials(headers: Iterable[tuple[bytes, bytes]], name: str) -> Credentials:
    """Of what kind a station's credentials are, for the operator who wonders why it is refused."""
    given = next((value for key, value in headers if key == b"authorization"), None)
    if given is None:
        return Credentials.NONE
    pair = _pair(given)
    if pair is None:
        return Credentials.UNREADABLE
    return Credentials.PASSWORD if pair.startswith(name.encode() + b":") else Credentials.OTHER_USER


def basic_password(headers: Iterable[tuple[bytes, bytes]], name: str) -> tuple[bytes | None, bool]:
    """The password of an Authorization header, and whether the header is in order (RFC 7617).

    The user must be the station's id; as that is known, a colon inside it does no harm. Without a header:
    (None, True).
    """
    given = next((value for key, value in headers if key == b"authorization"), None)
    if given is None:
        return None, True
    pair, user = _pair(given), name.encode() + b":"
    return (pair[len(user) :], True) if pair is not None and pair.startswith(user) else (None, False)


def _pair(header: bytes) -> bytes | None:
    """`user:password` of a Basic header; None: it is none."""
    scheme, _, encoded = header.strip().partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return base64.b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError):
        return None


def common_version(offered: Iterable[str]) -> str | None:
    """The newest subprotocol that both speak (OCPP-J 1.6, 3.2); None: there is none."""
    wanted = {offer.strip().lower() for offer in offered}
    return next((version for version in VERSIONS if version in wanted), None)


class Pace(StrEnum):
    """How an attempt to get in is treated."""

    NORMAL = "normal"
    SLOW = "slow"
    REFUSE = "refuse"


class Limits:
    """Failed attempts, counted per address and per (address, station) within a minute.

    Over the limit a password is still looked at, slowly, so that the true station always gets in; only when
    too many wait slowly is a stranger refused unseen. A pair that got in before is never refused unseen.
    """

    MOST_PER_PAIR = 10
    MOST_PER_ADDRESS = 120
    MOST_SLOW = 32
    SLOW_SECONDS = 2.0

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._began = clock.monotonic()
        self._failures: dict[object, int] = {}
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()
        self.slow = 0

    def pace(self, address: str, name: str) -> Pace:
        """How the next attempt of this station from this address is treated."""
        self._turn()
        pair = (address, name)
        over = (
            self._failures.get(pair, 0) >= self.MOST_PER_PAIR
            or self._failures.get(address, 0) >= self.MOST_PER_ADDRESS
        )
        if not over:
            return Pace.NORMAL
        return Pace.REFUSE if self.slow >= self.MOST_SLOW and pair not in self._known else Pace.SLOW

    def failed(self, address: str, name: str) -> None:
        """An attempt was wrong."""
        self._turn()
        for key in (address, (address, name)):
            if key in self._failures or len(self._failures) < _REMEMBERED:
                self._failures[key] = self._failures.get(key, 0) + 1

    def succeeded(self, address: str, name: str) -> None:
        """An attempt was right."""
        pair = (address, name)
        self._failures.pop(pair, None)
        self._known[pair] = None
        self._known.move_to_end(pair)
        if len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)

    def _turn(self) -> None:
        if self._clock.monotonic() - self._began >= _WINDOW:
            self._began = self._clock.monotonic()
            self._failures.clear()
