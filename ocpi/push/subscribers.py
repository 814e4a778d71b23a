"""From events to marks: which partner has to be told of which object. Pure and quick: asked for every batch."""

from collections.abc import Callable, Sequence

from app.domain.events import (
    CdrIssued,
    CommandEnded,
    Event,
    EvseStatusChanged,
    LocationChanged,
    Mark,
    SessionChanged,
    TariffChanged,
)
from ocpi.modules import ModuleId
from ocpi.partners.registry import PartnerRegistry
from ocpi.push import audience
from ocpi.push.loading import evse_name

RANKS = {"command": -1, "tariff": 0, "location": 1, "evse": 2, "session": 3, "cdr": 4}
"""The order in which a partner is told: what is named before what names it; results of commands wait for nothing."""


def on_events(registry: PartnerRegistry) -> Callable[[Sequence[Event]], list[Mark]]:
    """The subscriber of the store, asked inside the transaction that announces the events."""

    def subscriber(events: Sequence[Event]) -> list[Mark]:
        return [mark for event in events for mark in marks_of(registry, event)]

    return subscriber


def marks_of(registry: PartnerRegistry, event: Event) -> list[Mark]:
    """The marks that one event calls for."""
    match event:
        case EvseStatusChanged():
            name = evse_name(event.location_id, event.evse_uid)
            receivers = audience.everyone(registry, ModuleId.LOCATIONS)
            return [_mark(p.id, "evse", name, event, whole=False) for p in receivers]
        case LocationChanged() if event.roaming:
            receivers = audience.everyone(registry, ModuleId.LOCATIONS)
            return [_mark(p.id, "location", event.location_id, event, whole=True) for p in receivers]
        case TariffChanged():
            key = event.tariff_id.upper()
            return [
                _mark(p.id, "tariff", event.tariff_id, event, whole=True)
                for p in audience.everyone(registry, ModuleId.TARIFFS)
                if key not in registry.hidden_from(p)
            ]
        case SessionChanged():
            partner = audience.owner(registry, ModuleId.SESSIONS, event.owner)
            return (
                []
                if partner is None
                else [_mark(partner.id, "session", event.session_id, event, whole=event.whole)]
            )
        case CdrIssued():
            partner = audience.owner(registry, ModuleId.CDRS, event.owner)
            return [] if partner is None else [_mark(partner.id, "cdr", event.cdr_id, event, whole=True)]
        case CommandEnded():
            return [_mark(event.partner_id, "command", event.told_id, event, whole=True)]
        case _:
            return []


def _mark(
    partner_id: str,
    kind: str,
    object_id: str,
    event: EvseStatusChanged | LocationChanged | TariffChanged | SessionChanged | CdrIssued | CommandEnded,
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
