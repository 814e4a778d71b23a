"""PartnerClient: one outgoing request, and the pages of a partner's list."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode

from ocpi.client.guard import check_url
from ocpi.client.messages import Answer, Exchange, Page, Peer, Received, Sent
from ocpi.client.wire import Connections, Wire
from ocpi.envelope import MEDIA_TYPE, Envelope, data_of, read_envelope
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense
from ocpi.headers import AUTHORIZATION, MessageIds, Routing, authorization
from ocpi.paging import LINK, TOTAL_COUNT, next_page, total_count
from ocpi.times import write_time

TOTAL_SECONDS = 10.0
LIST_SECONDS = 30.0
MOST_PAGES = 10_000
ALWAYS = {"User-Agent": "Voltbridge", "Accept": MEDIA_TYPE, "Accept-Encoding": "identity"}

OnExchange = Callable[[Exchange], None]


class PartnerClient:
    """Speaks HTTP to partners; one for the whole process. Made by `open_client`, closed with `aclose`.

    `on_exchange` is called after every exchange, failed ones included; it must be quick and must not raise.
    """

    def __init__(self, wire: Wire, *, on_exchange: OnExchange | None = None) -> None:
        self._wire = wire
        self.on_exchange = on_exchange

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close all connections."""
        await self._wire.aclose()

    async def send(
        self,
        method: str,
        url: str,
        peer: Peer,
        *,
        body: bytes | None = None,
        routing: Routing | None = None,
        correlation_id: str | None = None,
        subject: str | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> Answer:
        """Send one request and read its answer within `seconds`, waiting for a free connection included.

        `subject` is what the message log finds it by. Any well-formed answer is returned, OCPI errors and HTTP errors too; ask it with `succeeded`, `data_of` or
        `require_success`. Raises PartnerUnreachable when no answer came, PartnerNonsense when what came is not OCPI.
        """
        ids = MessageIds.new(correlation_id)
        headers = _headers(ids, peer, routing, body)
        received = Received()
        began = time.perf_counter()
        try:
            check_url(url, allow_private=peer.allow_private)
            fits = await self._wire.exchange(
                method, url, headers, body, received, allow_private=peer.allow_private, seconds=seconds
            )
            envelope = _judge(received, fits=fits)
            received.status_code = envelope.status_code
        except PartnerFailure as failure:
            received.error = str(failure)
            if isinstance(failure, PartnerNonsense):
                failure.location = received.headers.get("Location")
            raise
        except asyncio.CancelledError:
            received.error = "given up by us"
            raise
        finally:
            duration = time.perf_counter() - began
            if self.on_exchange is not None:
                sent = Sent(
                    method=method,
                    url=url,
                    peer=peer.name,
                    ids=ids,
                    headers=headers,
                    body=body or b"",
                    subject=subject,
                )
                self.on_exchange(Exchange(sent, received, duration))
        return Answer(
            http_status=envelope.http_status,
            status_code=envelope.status_code,
            status_message=envelope.status_message,
            data=envelope.data,
            headers=received.headers,
            duration=duration,
        )

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, allow_private: bool, seconds: float
    ) -> int:
        """POST to somebody who speaks no OCPI (a webhook): the HTTP status, and nothing of what else was answered.

        The rules for addresses are those for partners. Raises PartnerUnreachable. Nothing is logged.
        """
        check_url(url, allow_private=allow_private)
        received = Received()
        await self._wire.exchange(
            "POST",
            url,
            {**ALWAYS, **headers},
            body,
            received,
            allow_private=allow_private,
            seconds=seconds,
            largest=0,
        )
        return received.http_status or 0

    async def pages(
        self,
        url: str,
        peer: Peer,
        *,
        date_from: datetime | None = None,
        date_to: datetime | None = None,
        limit: int | None = None,
        routing: Routing | None = None,
        correlation_id: str | None = None,
        most: int = MOST_PAGES,
    ) -> AsyncIterator[Page]:
        """Give the pages of the list at `url`, following Link on the list's own host, at most `most` of them.

        Raises what `send` raises, PartnerRefused for an answer that is not a success, and PartnerNonsense for a page
        that is no list, a Link that leads back to a page already seen, or a list without end.
        """
        correlation_id = correlation_id or MessageIds.new().correlation_id
        here: str | None = _list_url(url, date_from, date_to, limit)
        foreign = False
        seen: set[str] = set()
        while here is not None:
            if here in seen or len(seen) >= most:
                raise PartnerNonsense(Nonsense.BAD_PAGE, "the pages of the list do not come to an end")
            seen.add(here)
            answer = await self.send(
                "GET", here, peer, routing=routing, correlation_id=correlation_id, seconds=LIST_SECONDS
            )
            items = data_of(answer)
            if not isinstance(items, list):
                raise PartnerNonsense(
                    Nonsense.BAD_PAGE, "the data of a list page is no list", http_status=200
                )
            yield Page(items=items, total=total_count(answer.headers.get(TOTAL_COUNT)), foreign_link=foreign)
            following = _following(answer.headers.get(LINK), here)
            here, foreign = following or (None, False)


def open_client(*, per_partner: int = 8, on_exchange: OnExchange | None = None) -> PartnerClient:
    """Make the client over real connections, at most `per_partner` of them to one host and port.

    Server certificates are checked; SSL_CERT_FILE and SSL_CERT_DIR are honoured, proxy variables are not.
    """
    return PartnerClient(Connections(per_partner), on_exchange=on_exchange)


def _headers(ids: MessageIds, peer: Peer, routing: Routing | None, body: bytes | None) -> dict[str, str]:
    headers = {**ALWAYS, **ids.headers()}
    if peer.token:
        headers[AUTHORIZATION] = authorization(peer.token, raw=peer.raw_token)
    if routing is not None:
        headers |= routing.headers()
    if body is not None:
        headers["Content-Type"] = MEDIA_TYPE
    return headers


def _judge(received: Received, *, fits: bool) -> Envelope:
    status = received.http_status or 0
    if status >= 400 and not fits:
        return Envelope(http_status=status, status_code=None)
    if 300 <= status < 400:
        raise PartnerNonsense(
            Nonsense.REDIRECT, "the answer is a redirect, which we never follow", http_status=status
        )
    if received.headers.get("Content-Encoding", "identity").lower() != "identity":
        received.body = b""  # nobody can read it in the log either
        if status >= 400:
            return Envelope(http_status=status, status_code=None)
        raise PartnerNonsense(Nonsense.ENCODED, "the answer is compressed, unasked", http_status=status)
    if not fits:
        raise PartnerNonsense(Nonsense.TOO_LARGE, "the answer has no reasonable size", http_status=status)
    return read_envelope(status, received.body)


def _list_url(url: str, date_from: datetime | None, date_to: datetime | None, limit: int | None) -> str:
    asked: dict[str, str] = {}
    if date_from is not None:
        asked["date_from"] = write_time(date_from)
    if date_to is not None:
        asked["date_to"] = write_time(date_to)
    if limit is not None:
        asked["limit"] = str(limit)
    address, _, query = url.partition("?")
    merged = urlencode(dict(parse_qsl(query)) | asked)
    return f"{address}?{merged}" if merged else address


def _following(link: str | None, here: str) -> tuple[str, bool] | None:
    try:
        found = next_page(link, here)
    except ValueError:
        raise PartnerNonsense(
            Nonsense.BAD_PAGE, "the Link to the next page is malformed", http_status=200
        ) from None
    return None if found is None else (found.url, found.foreign)
