"""Liveness: which platforms behind the hub are there: by what they say and answer, else by a GET of their versions."""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from ocpi.envelope import require_success
from ocpi.errors import PartnerFailure
from ocpi.partners.answers import Answers
from ocpi.partners.desk import HUB, Desk
from ocpi.partners.partner import Partner

QUIET = timedelta(minutes=2)
"""Who was not heard of for so long is asked."""
AGAIN = timedelta(seconds=30)
"""Who is away, or silent to what it was sent, is asked that often."""
ASK_SECONDS = 5.0
_AT_ONCE = 16


class Liveness:
    """Who is away, as far as is known."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._away: set[str] = set()
        self._asked: dict[str, datetime] = {}

    def begin(self, away: Iterable[str]) -> None:
        """These were away when it was last looked."""
        self._away.update(away)

    def is_away(self, partner_id: str) -> bool:
        """Whether a platform did not answer when it was last asked, and has not been heard of since."""
        return partner_id in self._away

    async def look(self, answers: Answers) -> None:
        """Ask those of whom nothing is known; to be called every few seconds. `answers` are those to our requests."""
        now = self._desk.clock.now()
        doubtful = [
            partner
            for partner in self._desk.registry.all()
            if partner.platform == HUB and partner.reachable and self._is_doubtful(partner, answers, now)
        ]
        if doubtful:
            turns = asyncio.Semaphore(_AT_ONCE)
            await asyncio.gather(*(self._ask(partner, turns) for partner in doubtful))

    def _is_doubtful(self, partner: Partner, answers: Answers, now: datetime) -> bool:
        heard = self._desk.registry.last_contact(partner), answers.answered(partner.id)
        last = max((at for at in heard if at is not None), default=None)
        silent, asked = answers.silent(partner.id), self._asked.get(partner.id)
        if last is not None and now - last < QUIET and (silent is None or silent <= last):
            if asked is None or last > asked:
                self._away.discard(partner.id)
            if partner.id not in self._away:
                return False
        return asked is None or now - asked >= AGAIN

    async def _ask(self, partner: Partner, turns: asyncio.Semaphore) -> None:
        """GET of versions, which every platform answers and which costs it next to nothing."""
        async with turns:
            try:
                answer = await self._desk.client.send(
                    "GET", partner.versions_url or "", self._desk.peer(partner), seconds=ASK_SECONDS
                )
                require_success(answer)
            except PartnerFailure:
                self._away.add(partner.id)
            else:
                self._away.discard(partner.id)
            finally:
                self._asked[partner.id] = self._desk.clock.now()
