"""Who is signed in: a pass that only this house can have made, and how often a stranger may try."""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from datetime import timedelta

from app.kit.clock import Clock

LIFETIME = timedelta(hours=24)
"""How long a pass is good for; it is renewed while it is used."""
TRIES = 5
"""Wrong tokens from one address before it has to wait."""
TRIES_OF_ALL = 100
"""Wrong tokens from everywhere in one window, so that many addresses gain nothing."""
WINDOW_SECONDS = 60.0

_MOST_ADDRESSES = 10_000


class Passes:
    """Makes and judges passes. A new admin token makes all of them worthless, and so does signing out, for one."""

    def __init__(self, clock: Clock, secret: bytes) -> None:
        self._clock = clock
        self._key = hashlib.sha256(b"voltbridge console pass\0" + secret).digest()
        self._ended: dict[str, int] = {}

    def issue(self) -> str:
        """A new pass."""
        until = int((self._clock.now() + LIFETIME).timestamp())
        name = f"{until}.{secrets.token_urlsafe(16)}"
        return f"{name}.{self._sign(name)}"

    def good(self, given: str) -> bool:
        """Whether this pass was made here, is still good, and was not ended."""
        name, _, signature = given.rpartition(".")
        if not hmac.compare_digest(self._sign(name).encode(), signature.encode("utf-8", "surrogatepass")):
            return False
        return name not in self._ended and self._left(name) > 0

    def stale(self, given: str) -> bool:
        """Whether half of a good pass's time is over, so that a new one should take its place."""
        return self._left(given.rpartition(".")[0]) < LIFETIME.total_seconds() / 2

    def end(self, given: str) -> None:
        """Make a pass worthless."""
        name = given.rpartition(".")[0]
        now = self._clock.now().timestamp()
        self._ended = {each: until for each, until in self._ended.items() if until > now}
        if self.good(given):
            self._ended[name] = int(name.partition(".")[0])

    def _left(self, name: str) -> float:
        return int(name.partition(".")[0]) - self._clock.now().timestamp()

    def _sign(self, name: str) -> str:
        return hmac.new(self._key, name.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


class Attempts:
    """Counts wrong tokens by address and together."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, list[float]] = OrderedDict()
        self._all: list[float] = []

    def wait(self, address: str) -> float:
        """Seconds until this address may try again; 0: now."""
        now = self._clock.monotonic()
        self._all = [at for at in self._all if at > now - WINDOW_SECONDS]
        mine = [at for at in self._wrong.get(address, ()) if at > now - WINDOW_SECONDS]
        for tried, most in ((mine, TRIES), (self._all, TRIES_OF_ALL)):
            if len(tried) >= most:
                return max(tried[-most] + WINDOW_SECONDS - now, 1.0)
        return 0.0

    def wrong(self, address: str) -> None:
        """A wrong token came from this address."""
        now = self._clock.monotonic()
        self._all.append(now)
        self._wrong[address] = [*self._wrong.get(address, ()), now][-TRIES:]
        self._wrong.move_to_end(address)
        while len(self._wrong) > _MOST_ADDRESSES:
            self._wrong.popitem(last=False)

    def right(self, address: str) -> None:
        """Someone at this address knows the token."""
        self._wrong.pop(address, None)
