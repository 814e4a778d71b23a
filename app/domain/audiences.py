"""Prices per partner: which of our tariffs somebody gets in place of which, and what a location then names."""

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from app.domain.locations import Connector, Evse, Location
from app.domain.parties import Party

PriceMap = Mapping[str, str]
"""The id of a special tariff (as stored) by the id, in upper case, of the one that it replaces."""

PriceMaps = Mapping[Party, PriceMap]
"""The map of each party (folded) that has prices of its own."""


def instead(prices: PriceMap, tariff_ids: Iterable[str]) -> tuple[str, ...]:
    """The tariffs that are named in place of these, each once, in their order."""
    return tuple(dict.fromkeys(prices.get(id_.upper(), id_) for id_ in tariff_ids))


def location_for(prices: PriceMap, location: Location) -> Location:
    """The location as somebody with these prices sees it."""
    if not prices:
        return location
    return replace(location, evses=tuple(evse_for(prices, evse) for evse in location.evses))


def evse_for(prices: PriceMap, evse: Evse) -> Evse:
    """The EVSE as somebody with these prices sees it."""
    if not prices:
        return evse
    return replace(evse, connectors=tuple(connector_for(prices, each) for each in evse.connectors))


def connector_for(prices: PriceMap, connector: Connector) -> Connector:
    """The connector as somebody with these prices sees it."""
    return replace(connector, tariff_ids=instead(prices, connector.tariff_ids)) if prices else connector


def hidden_from(prices: PriceMap, all_prices: Iterable[PriceMap]) -> frozenset[str]:
    """The tariffs, by id in upper case, that somebody is not told of.

    Those that its own prices replace, and the special ones of everybody else.
    """
    own = {id_.upper() for id_ in prices.values()}
    special = {id_.upper() for each in all_prices for id_ in each.values()}
    return frozenset((special | prices.keys()) - own)
