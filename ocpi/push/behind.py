"""Deliveries of the hub: results that came back, objects that their owners tell everybody, and who is behind it."""

from datetime import timedelta

from app.domain.parties import Party
from app.outbox.outcomes import Claim, Delivered, Down, Failed, Outcome, Refused
from app.store.database.columns import micros, moment
from app.store.hub.objects import HubClientRow, HubObjectRow, HubResultRow
from ocpi.headers import RoutedParty
from ocpi.hub.clients import as_seen
from ocpi.hub.reach import Reach
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import Desk
from ocpi.partners.partner import Partner
from ocpi.push.requests import Declined, Requests, Said, Took

RESULT_LIVES = timedelta(hours=1)
"""How long the result of a command is of use to whoever waits for it."""

Behind = HubObjectRow | HubResultRow | HubClientRow


async def deliver(desk: Desk, reach: Reach, partner: Partner, claim: Claim, thing: Behind) -> Outcome:
    """Tell a party behind the hub; see app.outbox.outcomes."""
    if isinstance(thing, HubResultRow):
        return await _result(desk, partner, thing)
    if isinstance(thing, HubClientRow):
        return await _client(desk, reach, partner, claim=claim, client=thing)
    url = partner.endpoint(ModuleId(thing.module), InterfaceRole.RECEIVER)
    if url is None:
        return Refused(error=f"the partner offers no receiver of {thing.module}")
    said = await _tell_all(desk, reach, partner, claim=claim, thing=thing, url=url)
    if isinstance(said, Took):
        return Delivered(version=moment(thing.version), note=said.note)
    return said if isinstance(said, Down) else said.outcome


async def _client(
    desk: Desk, reach: Reach, partner: Partner, *, claim: Claim, client: HubClientRow
) -> Outcome:
    """PUT of a party as this platform sees it, never of its own (OCPI 2.2.1 mod_hub_client_info, not routed)."""
    url = partner.endpoint(ModuleId.HUB_CLIENT_INFO, InterfaceRole.RECEIVER)
    if url is None:
        return Refused(error="the partner offers no receiver of hubclientinfo")
    await reach.agreements.as_of(moment(claim.wanted))
    seen = as_seen(client, partner, reach.agreements)
    version = seen.last_updated
    if client.partner_id == partner.id or claim.confirmed == micros(version):
        return Delivered(version=version)
    there = f"{url}/{client.country_code}/{client.party_id}"
    said = await Requests(desk=desk, partner=partner, to=None).send("PUT", there, seen.to_wire())
    if isinstance(said, Took):
        return Delivered(version=version, note=said.note)
    return said if isinstance(said, Down) else said.outcome


async def _tell_all(
    desk: Desk, reach: Reach, partner: Partner, *, claim: Claim, thing: HubObjectRow, url: str
) -> Said:
    owner, module = Party(thing.country_code, thing.party_id), ModuleId(thing.module)
    said: Said = Took(note="nobody of the partner is to be told")
    for party in reach.addressees(partner, owner, module):
        requests = Requests(desk=desk, partner=partner, to=party, sender=_routed(desk.hub))
        said = await _tell(requests, claim, thing, url)
        if not isinstance(said, Took):
            return said
    return said


async def _tell(requests: Requests, claim: Claim, thing: HubObjectRow, url: str) -> Said:
    """The last message as it came, to whoever had all before it; else the whole object as it is now."""
    if thing.withdrawn:
        if thing.module != ModuleId.TARIFFS:
            return Took(note="its owner's list has it no more")
        return await _withdraw(requests, claim, thing, url)
    if claim.confirmed == thing.version:
        return Took()
    if claim.confirmed is not None and claim.confirmed == thing.previous:
        said = await requests.send(thing.method, f"{url}/{thing.message_path}", thing.message)
        if not isinstance(said, Declined):
            return said
    return await requests.send("PUT", f"{url}/{thing.path}", thing.body)


async def _withdraw(requests: Requests, claim: Claim, thing: HubObjectRow, url: str) -> Said:
    if claim.confirmed is None:
        return Took(note="the partner never heard of it")
    said = await requests.send("DELETE", f"{url}/{thing.path}")
    if isinstance(said, Declined) and said.http_status == 404:
        return Took(note="the partner did not have it")
    return said


async def _result(desk: Desk, partner: Partner, result: HubResultRow) -> Outcome:
    """POST to where the sender of the command wanted it, as long as somebody may wait for it.

    A response_url may be on any host: what is wrong there says nothing of the partner as a whole.
    """
    if desk.clock.now() - result.created_at > RESULT_LIVES:
        return Refused(error="too late: nobody waits for this result any more")
    requests = Requests(
        desk=desk,
        partner=partner,
        to=RoutedParty(result.to_country_code, result.to_party_id),
        sender=RoutedParty(result.from_country_code, result.from_party_id),
        correlation_id=result.correlation_id,
    )
    said = await requests.send("POST", result.url, result.body)
    if isinstance(said, Took):
        return Delivered(version=result.created_at, note=said.note)
    if isinstance(said, Declined):
        return Refused(error=_error(said.outcome))
    return Failed(error=_error(said if isinstance(said, Down) else said.outcome))


def _error(outcome: Outcome) -> str:
    return "" if isinstance(outcome, Delivered) else outcome.error


def _routed(party: Party) -> RoutedParty:
    return RoutedParty(party.country_code, party.party_id)
