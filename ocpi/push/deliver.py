"""PartnerDeliverer: a claimed delivery becomes a request, or the few that it takes."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from urllib.parse import quote, urlsplit

from msgspec.structs import replace

from app.domain.audiences import evse_for, location_for
from app.domain.cdrs import ChargeDetailRecord
from app.domain.locations import Location
from app.domain.parties import Party
from app.domain.remote import Told
from app.domain.sessions import ChargingSession
from app.domain.status import EvseStatus
from app.domain.tariffs import Tariff
from app.outbox.outcomes import Claim, Delivered, Down, Failed, Missing, Outcome, Refused
from app.store import locations
from app.store.bulk.writer import Batch
from app.store.database.columns import micros
from app.store.hub.objects import HubClientRow, HubObjectRow, HubResultRow
from ocpi.headers import RoutedParty
from ocpi.hub.accounting import Accounts
from ocpi.hub.agreements import Agreements
from ocpi.hub.reach import Reach
from ocpi.mapping.cdrs import cdr_body
from ocpi.mapping.commands import result_body
from ocpi.mapping.locations import evse_body, evse_patch, location_body
from ocpi.mapping.rendering import render
from ocpi.mapping.sessions import session_body, session_patch
from ocpi.mapping.tariffs import tariff_body
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import PLATFORM, Desk
from ocpi.partners.partner import Partner
from ocpi.push import behind
from ocpi.push.audience import addressees
from ocpi.push.loading import LiveEvse, Object, Thing, Withdrawn, live, load
from ocpi.push.references import untold
from ocpi.push.requests import Declined, Requests, Said, Took, Unclear
from ocpi.push.routes import turned

_MODULES = {
    "tariff": ModuleId.TARIFFS,
    "location": ModuleId.LOCATIONS,
    "evse": ModuleId.LOCATIONS,
    "session": ModuleId.SESSIONS,
    "cdr": ModuleId.CDRS,
}

_TRIES = 3
"""How often the result of a command is POSTed at most."""


class PartnerDeliverer:
    """Delivers for the outbox: what is told is the object as it is now, not as it was when it was marked."""

    def __init__(self, desk: Desk, reach: Reach | None = None, accounts: Accounts | None = None) -> None:
        self._desk = desk
        self._accounts = accounts
        self._reach = reach or Reach(desk.registry, Agreements(desk.store, desk.clock), desk.ours)

    def unreachable(self) -> frozenset[str]:
        """Partners to whom nothing may be sent now."""
        return self._desk.registry.unreachable()

    async def glance(self, batch: Batch, claims: Sequence[Claim]) -> Mapping[int, Thing]:
        """The status of the EVSEs among these claims."""
        return await live(batch, claims)

    async def load(self, claims: Sequence[Claim]) -> Mapping[int, Thing]:
        """The objects of the other claims, read in one transaction."""
        async with self._desk.store.reading() as session:
            return await load(session, claims)

    async def deliver(self, claim: Claim, thing: Thing | None) -> Outcome | None:
        """Tell the partner; see app.outbox.outcomes."""
        partner = self._desk.registry.find(claim.partner_id)
        if partner is None or not partner.hears:
            return Refused(error="the partner is no longer registered")
        if not partner.reachable:
            return None
        if thing is None:
            return Refused(error="the object does not exist (any more)")
        outcome = await self._deliver(partner, claim, thing)
        if isinstance(outcome, Delivered) and partner.platform != PLATFORM and self._accounts is not None:
            self._count(self._accounts, partner, thing)
        return outcome

    async def _deliver(self, partner: Partner, claim: Claim, thing: Thing) -> Outcome:
        if isinstance(thing, HubObjectRow | HubResultRow | HubClientRow):
            return await behind.deliver(self._desk, self._reach, partner, claim, thing)
        if isinstance(thing, Told):
            return await self._result(partner, claim, thing)
        thing = self._seen_by(partner, thing)
        url = partner.endpoint(_MODULES[claim.kind], InterfaceRole.RECEIVER)
        if url is None:
            return Refused(error=f"the partner offers no receiver of {_MODULES[claim.kind]}")
        if isinstance(thing, ChargingSession | ChargeDetailRecord) and await turned(
            self._desk, partner, claim, thing
        ):
            return Delivered(
                version=_version(thing), note="told on our other platform, where the session began"
            )
        said = await self._tell_all(partner, claim, thing, url)
        return await self._outcome(partner, claim, thing, said)

    def _count(self, accounts: Accounts, partner: Partner, thing: Thing) -> None:
        """What a party behind the hub was told by another, or by our CPO; results were counted when they came."""
        if isinstance(thing, HubResultRow | HubClientRow):
            return
        owner = self._reach.ours
        if isinstance(thing, HubObjectRow):
            owner = Party(thing.country_code, thing.party_id)
            receivers = self._reach.addressees(partner, owner, ModuleId(thing.module))
        elif isinstance(thing, Told):
            receivers = [RoutedParty(thing.party.country_code, thing.party.party_id)]
        else:
            receivers = [party for party, _ in self._addressees(partner, thing)]
        for each in receivers:
            accounts.count(owner, Party(*each.key))

    def _seen_by(self, partner: Partner, thing: Object) -> Object:
        """With the partner's own prices; a tariff that is not for it is one that it has to forget."""
        match thing:
            case Location():
                return location_for(partner.prices, thing)
            case Tariff() if self._hides(partner, thing):
                return Withdrawn(tariff=thing)
            case _:
                return thing

    def _hides(self, partner: Partner, tariff: Tariff) -> bool:
        return tariff.id.upper() in self._desk.registry.hidden_from(partner)

    async def _tell_all(self, partner: Partner, claim: Claim, thing: Object, url: str) -> Said:
        said: Said = Took(note="nobody of the partner is to be told")
        for party, sender in self._addressees(partner, thing):
            requests = Requests(
                desk=self._desk, partner=partner, to=party, sender=sender, subject=_subject(claim)
            )
            said = await self._tell(requests, claim, thing, url)
            if not isinstance(said, Took):
                return said
        return said

    def _addressees(self, partner: Partner, thing: Object) -> list[tuple[RoutedParty, RoutedParty | None]]:
        """Who gets a request each, and from whom: what is for everybody comes from the hub where it comes by it."""
        if isinstance(thing, ChargingSession | ChargeDetailRecord):
            return [(RoutedParty(thing.token.country_code, thing.token.party_id), None)]
        if partner.platform == PLATFORM:
            return [(party, None) for party in addressees(partner)]
        module = ModuleId.TARIFFS if isinstance(thing, Tariff | Withdrawn) else ModuleId.LOCATIONS
        hub = RoutedParty(self._desk.hub.country_code, self._desk.hub.party_id)
        return [(party, hub) for party in self._reach.addressees(partner, self._reach.ours, module)]

    async def _tell(self, requests: Requests, claim: Claim, thing: Object, url: str) -> Said:
        match thing:
            case LiveEvse():
                return await self._evse(requests, claim, thing, url)
            case Location():
                return await self._location(requests, claim, thing, url)
            case Tariff():
                return await requests.send("PUT", self._owned(url, thing.id), tariff_body(thing))
            case Withdrawn():
                return await self._withdrawn(requests, claim, thing, url)
            case ChargingSession():
                return await self._session(requests, claim, thing, url)
            case ChargeDetailRecord():
                return await self._cdr(requests, thing, url)

    async def _evse(self, requests: Requests, claim: Claim, evse: LiveEvse, url: str) -> Said:
        """PATCH of the status; a partner that does not take it gets the EVSE, then the location.

        A version that was told already, because it was read after one more mark, is not told again.
        """
        if not evse.roaming:
            return Took(note="kept out of roaming")
        if claim.confirmed == micros(evse.last_updated):
            return Took()
        there = self._owned(url, evse.location_id, evse.uid)
        said = await requests.send("PATCH", there, evse_patch(evse.status, evse.last_updated))
        if not isinstance(said, Declined):
            return said
        async with self._desk.store.reading() as session:
            location = await locations.get(session, evse.location_id)
        whole = None if location is None else location.evse(evse.uid)
        if location is None or whole is None:
            return said
        prices = requests.partner.prices
        said = await requests.send("PUT", there, evse_body(evse_for(prices, whole)))
        if not isinstance(said, Declined):
            return said
        return await requests.send(
            "PUT", self._owned(url, location.id), location_body(location_for(prices, location))
        )

    async def _location(self, requests: Requests, claim: Claim, location: Location, url: str) -> Said:
        """PUT; a location that may no longer roam is told with all its EVSEs removed, if it is known there."""
        if not location.roaming:
            if claim.confirmed is None:
                return Took(note="kept out of roaming")
            gone = tuple(replace(evse, status=EvseStatus.REMOVED) for evse in location.evses)
            location = replace(location, evses=gone)
        return await requests.send("PUT", self._owned(url, location.id), location_body(location))

    async def _withdrawn(self, requests: Requests, claim: Claim, thing: Withdrawn, url: str) -> Said:
        if claim.confirmed is None and self._hides(requests.partner, thing.tariff):
            return Took(note="not meant for this partner")
        said = await requests.send("DELETE", self._owned(url, thing.tariff.id))
        if isinstance(said, Declined) and said.http_status == 404:
            return Took(note="the partner did not have it")
        return said

    async def _session(self, requests: Requests, claim: Claim, session: ChargingSession, url: str) -> Said:
        """PUT where charging periods changed or the partner has nothing yet, else PATCH without them."""
        there = self._owned(url, session.id)
        if claim.confirmed is not None and not claim.whole:
            if claim.confirmed == micros(session.last_updated):
                return Took(note=None)
            said = await requests.send("PATCH", there, session_patch(session))
            if not isinstance(said, Declined):
                return said
        return await requests.send("PUT", there, session_body(session, self._desk.ours))

    async def _cdr(self, requests: Requests, cdr: ChargeDetailRecord, url: str) -> Said:
        """POST of always the same bytes. A partner that says it has the CDR, or shows it, has it."""
        said = await requests.send("POST", url, render(cdr_body(cdr)))
        if isinstance(said, Unclear) and said.location is not None and _same_host(said.location, url):
            there = await requests.send("GET", said.location)
            return (
                Took(note="found at the partner after an unclear answer") if isinstance(there, Took) else said
            )
        if isinstance(said, Declined) and said.exists:
            return Took(note="the partner says that it has this CDR already")
        if isinstance(said, Took) and said.headers is not None and not said.headers.get("Location"):
            return said._replace(note="acknowledged without a Location")
        return said

    async def _result(self, partner: Partner, claim: Claim, told: Told) -> Outcome:
        """POST to where the eMSP wanted it, a few times and never late.

        A response_url may be on any host: what is wrong there says nothing of the partner as a whole.
        """
        if self._desk.clock.now() > told.until:
            return Refused(error="too late: the partner does not wait for this result any more")
        to = RoutedParty(told.party.country_code, told.party.party_id)
        requests = Requests(desk=self._desk, partner=partner, to=to)
        said = await requests.send("POST", told.url, result_body(told.result))
        if isinstance(said, Took):
            return Delivered(version=told.created_at, note=said.note)
        outcome = said if isinstance(said, Down) else said.outcome
        error = "" if isinstance(outcome, Delivered) else outcome.error
        if claim.attempts + 1 >= _TRIES or isinstance(said, Declined):
            return Refused(error=error)
        return Failed(error=error)

    async def _outcome(self, partner: Partner, claim: Claim, thing: Object, said: Said) -> Outcome:
        if isinstance(said, Took):
            return Delivered(version=_version(thing), note=said.note)
        if isinstance(said, Down):
            return said
        if isinstance(said, Declined) and isinstance(said.outcome, Refused):
            needs = await untold(self._desk.store, partner, claim, thing)
            if needs:
                return Missing(error=said.outcome.error, needs=needs)
        return said.outcome

    def _owned(self, url: str, *ids: str) -> str:
        """The URL of an object of ours at a partner (OCPI 2.2.1 transport, client owned objects)."""
        ours = self._desk.ours
        return "/".join([url, ours.country_code, ours.party_id, *(quote(id_, safe="") for id_ in ids)])


def _same_host(one: str, other: str) -> bool:
    """Whether both URLs lead to the same place: our token goes nowhere else."""
    here, there = urlsplit(one), urlsplit(other)
    return (here.scheme, here.netloc.lower()) == (there.scheme, there.netloc.lower())


def _subject(claim: Claim) -> str | None:
    """What its requests are found by in the message log; of what all partners hear nobody asks one by one."""
    return f"{claim.kind}/{claim.object_id}" if claim.kind in ("session", "cdr") else None


def _version(thing: Object) -> datetime:
    return thing.tariff.last_updated if isinstance(thing, Withdrawn) else thing.last_updated
