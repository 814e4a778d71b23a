"""Real-time authorization: asking the issuer of a token, or whoever may know a uid (OCPI 2.2.1 mod_tokens)."""

import asyncio
from urllib.parse import quote

from app.domain.authorization import Asked, Question
from app.domain.parties import Party, Role
from app.domain.tokens import Token, TokenType, Verdict
from app.kit import logs
from app.kit.tasks import spawn
from ocpi.envelope import data_of
from ocpi.errors import InvalidParameterError, PartnerFailure, PartnerRefused
from ocpi.headers import RoutedParty, Routing
from ocpi.hub.reach import Reach
from ocpi.mapping.amounts import Body
from ocpi.mapping.rendering import render
from ocpi.mapping.tokens import token_from
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners import foreign
from ocpi.partners.desk import PLATFORM, Desk
from ocpi.partners.partner import Partner
from ocpi.wire import tokens as wire

ASK_SECONDS = 5.0
"""How long a driver in front of a station waits for the issuer."""

_UNKNOWN_TOKEN = 2004
_VERDICTS = {
    wire.AllowedType.ALLOWED: Verdict.ACCEPTED,
    wire.AllowedType.BLOCKED: Verdict.BLOCKED,
    wire.AllowedType.EXPIRED: Verdict.EXPIRED,
    wire.AllowedType.NO_CREDIT: Verdict.INVALID,
    wire.AllowedType.NOT_ALLOWED: Verdict.INVALID,
}
_SILENT = Asked(verdict=None)

_log = logs.get("ocpi.authorization")


class PartnerIssuers:
    """Implements app.domain.ports.Issuers: known tokens at their eMSP, unknown uids at all who want to be asked.

    Partners of our own are asked directly; `reach` finds those behind our hub that have agreed with our CPO.
    """

    def __init__(self, desk: Desk, *, reach: Reach | None = None, seconds: float = ASK_SECONDS) -> None:
        self._desk = desk
        self._reach = reach
        self._seconds = seconds

    def admits(self, token: Token) -> bool:
        """Whether the tokens of this one's issuer count at our stations."""
        return self._reach is None or self._reach.is_admitted(Party(token.country_code, token.party_id))

    def can_answer(self, question: Question) -> bool:
        """Whether there is anybody to ask."""
        return bool(self.to_ask(question))

    def to_ask(self, question: Question) -> list[Partner]:
        """The partners that a question goes to; one that we cannot reach has nothing to say."""
        return list({partner.id: partner for partner, _ in self._asked(question)}.values())

    def _asked(self, question: Question) -> list[tuple[Partner, RoutedParty]]:
        found = self._issuer(question.token) if question.token is not None else self._everybody()
        return [each for each in found if each[0].reachable and _url(each[0]) is not None]

    def _issuer(self, token: Token) -> list[tuple[Partner, RoutedParty]]:
        party = Party(token.country_code, token.party_id)
        owner = self._desk.registry.by_party(PLATFORM, party)
        if owner is None and self._reach is not None:
            owner = self._reach.of_driver(party, ModuleId.TOKENS)
        return [] if owner is None else [(owner, RoutedParty(token.country_code, token.party_id))]

    def _everybody(self) -> list[tuple[Partner, RoutedParty]]:
        direct = [
            (each, _first(each))
            for each in self._desk.registry.all()
            if each.platform == PLATFORM and _wants_unknown(each)
        ]
        behind = [] if self._reach is None else self._reach.issuers(self._desk.ours)
        return direct + [each for each in behind if not self._is_direct(each[1])]

    def _is_direct(self, party: RoutedParty) -> bool:
        return self._desk.registry.by_party(PLATFORM, Party(*party.key)) is not None

    async def ask(self, question: Question) -> Asked:
        """The answer of the first that allows; else of one that refuses; else, after the deadline, none."""
        asking = {
            spawn(self._at(each, to, question), f"asking {each.id}") for each, to in self._asked(question)
        }
        refused = _SILENT
        try:
            async with asyncio.timeout(self._seconds):
                while asking:
                    done, asking = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
                    for answer in [each.result() for each in done]:
                        if answer.verdict is Verdict.ACCEPTED:
                            return answer
                        refused = answer if answer.verdict is not None else refused
        except TimeoutError:
            _log.info("an issuer did not answer in time", partners=len(asking))
        finally:
            for each in asking:
                each.cancel()
        return refused

    async def _at(self, partner: Partner, to: RoutedParty, question: Question) -> Asked:
        try:
            info = await self._info(partner, to, question)
        except PartnerRefused as refusal:
            known = question.token is not None and refusal.status_code == _UNKNOWN_TOKEN
            return Asked(verdict=Verdict.INVALID) if known else _SILENT
        except (PartnerFailure, InvalidParameterError) as failure:
            _log.info("an issuer could not be asked", partner=partner.id, reason=str(failure))
            return _SILENT
        token = token_from(info.token)
        issuer = Party(token.country_code, token.party_id)
        if not (await foreign.learn(self._desk, partner, issuer)).owns(issuer, Role.EMSP):
            return _SILENT
        return Asked(verdict=_verdict(info, question), token=token, reference=info.authorization_reference)

    async def _info(self, partner: Partner, to: RoutedParty, question: Question) -> wire.AuthorizationInfo:
        kind = question.token.type if question.token else TokenType.RFID
        ours = RoutedParty(self._desk.ours.country_code, self._desk.ours.party_id)
        answer = await self._desk.client.send(
            "POST",
            f"{_url(partner)}/{quote(question.uid, safe='')}/authorize?type={kind}",
            self._desk.peer(partner),
            subject=f"authorize/{question.uid}",
            body=_place(question),
            routing=Routing(to=to, sender=ours),
            seconds=self._seconds,
        )
        return wire.AuthorizationInfo.read(data_of(answer))


def _url(partner: Partner) -> str | None:
    return partner.endpoint(ModuleId.TOKENS, InterfaceRole.SENDER)


def _wants_unknown(partner: Partner) -> bool:
    return partner.asked_of_unknown and bool(partner.roles & {Role.EMSP, Role.HUB})


def _first(partner: Partner) -> RoutedParty:
    first = next(each for each in partner.parties if each.role in (Role.EMSP, Role.HUB) and not each.learned)
    return RoutedParty(first.country_code, first.party_id)


def _place(question: Question) -> bytes | None:
    if question.location_id is None:
        return None
    body: Body = {"location_id": question.location_id}
    return render(body | ({"evse_uids": [question.evse_uid]} if question.evse_uid else {}))


def _verdict(info: wire.AuthorizationInfo, question: Question) -> Verdict:
    """What the issuer said; a permission for other EVSEs is none for this one."""
    verdict = _VERDICTS[info.allowed]
    only = [] if info.location is None else [uid.upper() for uid in info.location.evse_uids]
    elsewhere = question.evse_uid is not None and only and question.evse_uid.upper() not in only
    return Verdict.INVALID if verdict is Verdict.ACCEPTED and elsewhere else verdict
