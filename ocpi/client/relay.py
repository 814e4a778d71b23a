"""Relay: passes requests of partners on, bytes in and bytes out, with as little between as possible.

What PartnerClient does for requests of our own (building, judging, reading envelopes) is not wanted here and takes
several times as long as the relay itself.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import NamedTuple

from ocpi.client.exchange import ALWAYS, OnExchange
from ocpi.client.guard import check_url
from ocpi.client.messages import Exchange, Peer, Received, Sent
from ocpi.client.wire import Connections
from ocpi.envelope import MEDIA_TYPE
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense
from ocpi.headers import AUTHORIZATION, MessageIds, authorization


class Relayed(NamedTuple):
    """An answer as it came; names of headers are looked up without regard to case."""

    http_status: int
    headers: Mapping[str, str]
    body: bytes


class Relay:
    """One for the whole process; at most `per_partner` connections to one host. Closed with `aclose`."""

    def __init__(self, *, per_partner: int = 256, on_exchange: OnExchange | None = None) -> None:
        self._wire = Connections(per_partner)
        self._on_exchange = on_exchange

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def send(
        self,
        method: str,
        url: str,
        peer: Peer,
        headers: Mapping[str, str],
        body: bytes,
        *,
        ids: MessageIds,
        seconds: float,
    ) -> Relayed:
        """Send a request and give its answer, whatever it is, that comes within `seconds`.

        `headers` are those that the message has beside its ids. Raises PartnerUnreachable when no answer came,
        PartnerNonsense for a redirect or an answer without end.
        """
        received = Received()
        began = time.perf_counter()
        try:
            check_url(url, allow_private=peer.allow_private)
            sent = {
                **ALWAYS,
                AUTHORIZATION: authorization(peer.token, raw=peer.raw_token),
                **ids.headers(),
                **headers,
            }
            if body:
                sent["Content-Type"] = MEDIA_TYPE
            fits = await self._wire.exchange(
                method, url, sent, body, received, allow_private=peer.allow_private, seconds=seconds
            )
            _judge(received, fits=fits)
        except PartnerFailure as failure:
            received.error = str(failure)
            raise
        except asyncio.CancelledError:
            received.error = "given up by us"
            raise
        finally:
            duration = time.perf_counter() - began
            if self._on_exchange is not None:
                told = Sent(method=method, url=url, peer=peer.name, ids=ids, headers=headers, body=body)
                kept = Received(received.http_status, None, received.headers, received.body, received.error)
                self._on_exchange(Exchange(told, kept, duration))
        return Relayed(received.http_status or 0, received.headers, received.body)


def _judge(received: Received, *, fits: bool) -> None:
    status = received.http_status or 0
    if 300 <= status < 400:
        raise PartnerNonsense(Nonsense.REDIRECT, "the answer is a redirect", http_status=status)
    if not fits:
        raise PartnerNonsense(Nonsense.TOO_LARGE, "the answer has no reasonable size", http_status=status)
