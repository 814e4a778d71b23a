"""Unknown callers: how often one address, and all of them together, may knock without a valid token."""

import ipaddress
import math
import time
from collections import OrderedDict

from app.kit import logs, metrics
from ocpi.errors import TooManyRequestsError
from ocpi.partners.limits import Bucket

_log = logs.get("ocpi.limits")

RATE = 20.0
SAVED = 200
"""Requests per second of one address, and how many it may save up."""
RATE_OF_ALL = 500.0
MOST_REMEMBERED = 10_000
"""Addresses; whoever has not knocked for the longest time is forgotten first."""
_NETWORK = 64
"""Bits of an IPv6 address that say whose it is: the rest its owner chooses freely."""
_TOLD_EVERY = 60.0


class UnknownCallers:
    """Of this process. Only who shows no valid token is ever asked about here: partners never wait for strangers,
    whatever address they share with them.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[str, Bucket] = OrderedDict()
        self._all = Bucket(RATE_OF_ALL, time.monotonic())
        self._told_at = -math.inf

    def __len__(self) -> int:
        """How many addresses are remembered."""
        return len(self._known)

    def one(self, address: str) -> None:
        """One request more from this address. Raises TooManyRequestsError (429) for one too many."""
        now = time.monotonic()
        own = self._bucket(whose(address), now)
        own.refill(RATE, SAVED, now)
        self._all.refill(RATE_OF_ALL, RATE_OF_ALL, now)
        if own.left < 1:
            raise self._refusal("stranger", address, math.ceil((1 - own.left) / RATE), now)
        if self._all.left < 1:
            raise self._refusal("strangers", address, 1, now)
        own.left -= 1
        self._all.left -= 1

    def _bucket(self, key: str, now: float) -> Bucket:
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = Bucket(SAVED, now)
            if len(self._known) > MOST_REMEMBERED:
                self._known.popitem(last=False)
        self._known.move_to_end(key)
        return found

    def _refusal(self, limit: str, address: str, seconds: int, now: float) -> TooManyRequestsError:
        metrics.LIMITED.labels("", limit).inc()
        if now - self._told_at >= _TOLD_EVERY:
            self._told_at = now
            _log.warning("somebody without a token asks too often", address=address, limit=limit)
        return TooManyRequestsError("too many requests without a valid token", retry_after=seconds)


def whose(address: str) -> str:
    """What addresses of one owner have in common: all of IPv4, the network of IPv6."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if found.version == 4:
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), _NETWORK), strict=False))
