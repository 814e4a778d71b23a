"""From events to marks: which partner has to be told of which object. Pure and quick: asked for every batch."""

from collections.abc import Callable, Iterator, Sequence

from app.domain.events import (
    CdrIssued,
    CommandEnded,
    Event,
    EvseStatusChanged,
    HubAgreementChanged,
    HubClientChanged,
    HubObjectChanged,
    HubResultCame,
    LocationChanged,
    Mark,
    SessionChanged,
    TariffChanged,
)
from app.domain.parties import Party, Role
from ocpi.hub.clients import client_id
from ocpi.hub.reach import Reach
from ocpi.modules import ModuleId
from ocpi.partners.desk import HUB
from ocpi.partners.partner import Partner
from ocpi.partners.registry import PartnerRegistry
from ocpi.push import audience
from ocpi.push.loading import evse_name

RANKS = {
    "command": -1,
    "hub_result": -1,
    "hub_client": -1,
    "tariff": 0,
    "hub_tariff": 0,
    "location": 1,
    "hub_location": 1,
    "evse": 2,
    "hub_token": 2,
    "session": 3,
    "cdr": 4,
}
"""The order in which a partner is told: what is named before what names it; results of commands, and who is behind the hub, wait
for nothing."""


HUB_KINDS = {
    ModuleId.TARIFFS: "hub_tariff",
    ModuleId.LOCATIONS: "hub_location",
    ModuleId.TOKENS: "hub_token",
}


def on_events(
    registry: PartnerRegistry, reach: Reach | None = None
) -> Callable[[Sequence[Event]], list[Mark]]:
    """The subscriber of the store, asked inside the transaction that announces the events.

    `reach` tells who is behind the hub; without one nobody is.
    """

    def subscriber(events: Sequence[Event]) -> list[Mark]:
        return [mark for event in events for mark in marks_of(registry, event, reach)]

    return subscriber


def marks_of(registry: PartnerRegistry, event: Event, reach: Reach | None = None) -> list[Mark]:
    """The marks that one event calls for."""
    match event:
        case EvseStatusChanged():
            name = evse_name(event.location_id, event.evse_uid)
            receivers = audience.everyone(registry, ModuleId.LOCATIONS, reach)
            return [_mark(p.id, "evse", name, event, whole=False) for p in receivers]
        case LocationChanged() if event.roaming:
            receivers = audience.everyone(registry, ModuleId.LOCATIONS, reach)
            return [_mark(p.id, "location", event.location_id, event, whole=True) for p in receivers]
        case TariffChanged():
            key = event.tariff_id.upper()
            return [
                _mark(p.id, "tariff", event.tariff_id, event, whole=True)
                for p in audience.everyone(registry, ModuleId.TARIFFS, reach)
                if key not in registry.hidden_from(p)
            ]
        case SessionChanged():
            partner = audience.owner(registry, ModuleId.SESSIONS, event.owner, reach)
            return (
                []
                if partner is None
                else [_mark(partner.id, "session", event.session_id, event, whole=event.whole)]
            )
        case CdrIssued():
            partner = audience.owner(registry, ModuleId.CDRS, event.owner, reach)
            return [] if partner is None else [_mark(partner.id, "cdr", event.cdr_id, event, whole=True)]
        case CommandEnded():
            return [_mark(event.partner_id, "command", event.told_id, event, whole=True)]
        case HubResultCame():
            return [_mark(event.partner_id, "hub_result", event.result_id, event, whole=True)]
        case HubObjectChanged() if reach is not None:
            module = ModuleId(event.module)
            takers = reach.takers(event.owner, module, but=event.sender_id)
            return [_mark(p.id, HUB_KINDS[module], event.id, event, whole=True) for p in takers]
        case HubClientChanged():
            viewers = registry.receivers(HUB, ModuleId.HUB_CLIENT_INFO)
            return [
                _mark(p.id, "hub_client", event.id, event, whole=True)
                for p in viewers
                if p.id != event.partner_id
            ]
        case HubAgreementChanged() if reach is not None:
            pairs = ((event.one, event.other), (event.other, event.one))
            return [
                _mark(viewer.id, "hub_client", name, event, whole=True)
                for one, other in pairs
                for viewer, name in _meetings(registry, reach, one, other)
            ]
        case _:
            return []


def _meetings(
    registry: PartnerRegistry, reach: Reach, viewer: Party, seen: Party
) -> Iterator[tuple[Partner, str]]:
    """The platform of a party, if it wants to know of others, with the names of another party in its roles."""
    partner, other = registry.by_party(HUB, viewer), registry.by_party(HUB, seen)
    if partner is None or partner not in registry.receivers(HUB, ModuleId.HUB_CLIENT_INFO):
        return
    if seen.folded() == reach.ours:
        yield partner, client_id(seen, Role.CPO)
    elif other is not None and other.id != partner.id:
        for each in other.parties:
            if each.party == seen.folded():
                yield partner, client_id(seen, each.role)


def _mark(
    partner_id: str,
    kind: str,
    object_id: str,
    event: EvseStatusChanged
    | LocationChanged
    | TariffChanged
    | SessionChanged
    | CdrIssued
    | CommandEnded
    | HubResultCame
    | HubObjectChanged
    | HubClientChanged
    | HubAgreementChanged,
    *,
    whole: bool,
) -> Mark:
    return Mark(
        partner_id=partner_id,
        kind=kind,
        object_id=object_id,
        rank=RANKS[kind],
        whole=whole,
        wanted=event.at,
    )
