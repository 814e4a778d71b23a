"""Prices per partner: kept, and told at once wherever they change what a partner sees."""

from collections.abc import AsyncIterator, Iterator, Mapping

import msgspec

from app.domain.audiences import PriceMap
from app.domain.errors import Invalid
from app.domain.events import Mark
from app.domain.locations import Location
from app.domain.tariffs import Tariff
from app.outbox import enqueue
from app.store import locations, tariffs
from app.store.bulk.statements import run
from app.store.database.columns import micros
from app.store.database.unit_of_work import UnitOfWork
from app.store.paging import Window
from ocpi.modules import InterfaceRole, ModuleId
from ocpi.partners.desk import Desk
from ocpi.partners.invitations import change_within
from ocpi.partners.partner import Partner
from ocpi.push import audience
from ocpi.push.audience import addressees
from ocpi.push.subscribers import RANKS

_PAGE = 500


async def set_prices(desk: Desk, partner_id: str, given: Mapping[str, str]) -> Partner:
    """Give a partner these special tariffs in place of ours (`{ours: theirs}`); an empty map takes them back.

    Sessions under way keep their price. Locations that name a changed tariff get a new version and are told
    again. Raises NotFound, and Invalid for a tariff that does not exist or cannot be special.
    """

    async def changed(partner: Partner, unit: UnitOfWork) -> Partner:
        prices = await _checked(unit, given)
        keys = {
            key for key in prices.keys() | partner.prices.keys() if prices.get(key) != partner.prices.get(key)
        }
        if keys:
            affected = [each.id async for each in _naming(unit, keys)]
            stamp = micros(unit.now())
            await run(unit.session, locations.TOUCH_LOCATIONS, [(id_, stamp) for id_ in affected])
            moved = keys | {
                each[key].upper() for each in (prices, partner.prices) for key in keys & each.keys()
            }
            found = await tariffs.by_keys(unit.session, moved)
            marks = list(_marks(partner, found, affected, unit))
            # Until now they were for everybody: who was told of them has to forget them.
            special = [each for each in found if each.id in prices.values()]
            for other in audience.everyone(desk.registry, ModuleId.TARIFFS):
                if other.id != partner.id:
                    marks += _marks(other, special, [], unit)
            await enqueue.mark(unit.session, marks, unit.now())
        return msgspec.structs.replace(partner, prices=dict(prices))

    return await change_within(desk, partner_id, changed)


def special_for(desk: Desk, tariff_id: str) -> Partner | None:
    """A partner whose special price this tariff is."""
    key = tariff_id.upper()
    return next((p for p in desk.registry.all() if key in {each.upper() for each in p.prices.values()}), None)


async def _checked(unit: UnitOfWork, given: Mapping[str, str]) -> PriceMap:
    ids = {id_.upper() for pair in given.items() for id_ in pair}
    known = {each.id.upper(): each for each in await tariffs.by_keys(unit.session, ids)}
    prices: dict[str, str] = {}
    for ours, theirs in given.items():
        field = f"map.{ours}"
        if missing := next((id_ for id_ in (ours, theirs) if id_.upper() not in known), None):
            raise Invalid(f"there is no tariff {missing}", field=field)
        if ours.upper() in prices:
            raise Invalid(f"{ours} is named twice", field=field)
        if theirs.upper() in {id_.upper() for id_ in given}:
            raise Invalid(f"{theirs} is itself replaced by another tariff", field=field)
        prices[ours.upper()] = known[theirs.upper()].id
    special = {id_.upper() for id_ in prices.values()}
    async for location in _naming(unit, special):
        raise Invalid(
            f"location {location.id} names {', '.join(sorted(special & _named(location)))} for everybody; a "
            "special price needs a tariff of its own",
            field="map",
        )
    return prices


def _marks(partner: Partner, prices: list[Tariff], places: list[str], unit: UnitOfWork) -> Iterator[Mark]:
    """What this partner has to be told anew, of what it takes."""
    if not addressees(partner):
        return
    for kind, module, ids in (
        ("tariff", ModuleId.TARIFFS, [each.id for each in prices]),
        ("location", ModuleId.LOCATIONS, places),
    ):
        if partner.hears and partner.endpoint(module, InterfaceRole.RECEIVER) is not None:
            for id_ in ids:
                yield Mark(
                    partner_id=partner.id,
                    kind=kind,
                    object_id=id_,
                    rank=RANKS[kind],
                    whole=True,
                    wanted=unit.now(),
                )


async def _naming(unit: UnitOfWork, keys: set[str]) -> AsyncIterator[Location]:
    """Our locations that name one of these tariffs."""
    window: Window | None = Window(limit=_PAGE)
    while window is not None and keys:
        page = await locations.page(unit.session, window, roaming_only=False)
        found = await locations.bodies(unit.session, [id_ for id_, _ in page.items])
        for location in found.values():
            if keys & _named(location):
                yield location
        window = None if page.next is None else Window(limit=_PAGE, after=page.next)


def _named(location: Location) -> set[str]:
    return {id_.upper() for evse in location.evses for each in evse.connectors for id_ in each.tariff_ids}
