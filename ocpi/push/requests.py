"""One request of a delivery: sent, and its answer judged in the outbox's words."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from app.kit.clock import Clock
from app.outbox.outcomes import Down, Failed, Outcome, Refused
from ocpi.client import Answer
from ocpi.errors import Nonsense, PartnerFailure, PartnerNonsense, PartnerUnreachable
from ocpi.headers import RoutedParty, Routing
from ocpi.mapping.rendering import render
from ocpi.partners.desk import Desk
from ocpi.partners.partner import Partner

_LOCKED_OUT = frozenset({401, 403})
_BUSY = frozenset({408, 425, 429})
_EXISTS = ("already", "exist", "duplicate")


class Took(NamedTuple):
    """The partner has it; `note` is worth an operator's glance. `headers` of its answer, None without one."""

    note: str | None = None
    headers: Mapping[str, str] | None = None


class Declined(NamedTuple):
    """The partner spoke and did not take it: `outcome` is what this means for the delivery."""

    outcome: Outcome
    http_status: int
    status_code: int | None
    exists: bool = False


class Unclear(NamedTuple):
    """An answer that is not OCPI; `location` is where the partner may have put what we sent."""

    outcome: Down
    location: str | None


Said = Took | Declined | Unclear | Down
"""Whatever comes of a request; Down also where nothing more should be sent to this partner now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Requests:
    """Sends requests of deliveries to one party of a partner; they come from our CPO unless `sender` is given.

    To no party: of a module that is never routed. `subject` is what the message log finds them by.
    """

    desk: Desk
    partner: Partner
    to: RoutedParty | None
    sender: RoutedParty | None = None
    correlation_id: str | None = None
    subject: str | None = None

    async def send(self, method: str, url: str, body: dict[str, Any] | bytes | None = None) -> Said:
        """One request, answered or not. A token that was rotated meanwhile is read again, once."""
        raw = render(body) if isinstance(body, dict) else body
        said = await self._once(self.partner, method, url, raw)
        if isinstance(said, Down) and said.locked_out:
            fresh = self.desk.registry.find(self.partner.id)
            if fresh is not None and fresh.reachable and fresh.token_out != self.partner.token_out:
                return await self._once(fresh, method, url, raw)
        return said

    async def _once(self, partner: Partner, method: str, url: str, raw: bytes | None) -> Said:
        ours = RoutedParty(self.desk.ours.country_code, self.desk.ours.party_id)
        routing = None if self.to is None else Routing(to=self.to, sender=self.sender or ours)
        try:
            answer = await self.desk.client.send(
                method,
                url,
                self.desk.peer(partner),
                body=raw,
                routing=routing,
                correlation_id=self.correlation_id,
                subject=self.subject,
            )
        except PartnerUnreachable as failure:
            return Down(error=str(failure))
        except PartnerNonsense as failure:
            return _judge_nonsense(failure, partner)
        except PartnerFailure as failure:
            return Down(error=str(failure), answered=True)
        return _judge(answer, self.desk.clock)


def _judge_nonsense(failure: PartnerNonsense, partner: Partner) -> Said:
    accepted = failure.http_status is not None and 200 <= failure.http_status < 300
    if partner.settings.empty_ack and failure.kind is Nonsense.EMPTY and accepted:
        return Took(note="acknowledged with an empty body")
    return Unclear(Down(error=str(failure), answered=True), failure.location)


def _judge(answer: Answer, clock: Clock) -> Said:
    if answer.succeeded:
        return Took(headers=answer.headers)
    status, code = answer.http_status, answer.status_code
    error = f"HTTP {status}, OCPI {code or 'nothing'}: {answer.status_message or 'no message'}"
    if status in _LOCKED_OUT:
        return Down(error=error, locked_out=True)
    if status in _BUSY or status == 503:
        return Down(error=error, retry_after=answer.retry_after(clock.now()))
    if status >= 500 or (code is not None and 3000 <= code < 4000):
        return Down(error=error, answered=True, retry_after=answer.retry_after(clock.now()))
    refused = code is not None and 2000 <= code < 3000
    words = (answer.status_message or "").lower()
    return Declined(
        outcome=Refused(error=error) if refused else Failed(error=error),
        http_status=status,
        status_code=code,
        exists=status == 409 or (refused and any(word in words for word in _EXISTS)),
    )
