"""Our locations in their OCPI form, with the one field that is the operator's alone: `roaming`."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.admin.requests import Document, Paging, Plain, object_body
from app.domain.errors import Invalid, NotFound
from app.domain.locations import Location
from app.services import locations as sites
from app.services import references
from app.store import locations
from app.store.paging import Window
from ocpi.mapping.locations import location_body, location_from
from ocpi.push.prices import special_for

router = APIRouter(prefix="/locations", tags=["locations"], dependencies=[Plain])

_EXAMPLE = {
    "publish": True,
    "name": "Stationsplein",
    "address": "Stationsplein 1",
    "city": "Utrecht",
    "postal_code": "3511 ED",
    "country": "NLD",
    "coordinates": {"latitude": "52.089444", "longitude": "5.110278"},
    "time_zone": "Europe/Amsterdam",
    "evses": [
        {
            "uid": "UTR1-1",
            "evse_id": "NL*VBR*EUTR1*1",
            "connectors": [
                {
                    "id": "1",
                    "standard": "IEC_62196_T2",
                    "format": "SOCKET",
                    "power_type": "AC_3_PHASE",
                    "max_voltage": 230,
                    "max_amperage": 32,
                    "tariff_ids": ["STANDARD"],
                }
            ],
        }
    ],
}


@router.get("", summary="Our locations, in the order of their making", responses=LIST)
async def list_locations(context: Context, page: Paging) -> Response:
    """Those kept out of OCPI (`roaming` false) included."""
    window = Window(limit=page.limit, offset=page.offset)
    async with context.store.reading() as session:
        found = await locations.page(session, window, roaming_only=False)
        bodies = await locations.bodies(session, [id_ for id_, _ in found.items])
    return page_answer([_body(bodies[id_]) for id_, _ in found.items], found.total)


@router.get("/{location_id}", summary="One location with the live status of its EVSEs")
async def get_location(location_id: str, context: Context) -> Response:
    """Ids are compared without case."""
    async with context.store.reading() as session:
        found = await locations.get(session, location_id)
    if found is None:
        raise NotFound(f"there is no location {location_id}")
    return answer(_body(found))


@router.put(
    "/{location_id}",
    summary="Create (201) or replace (200) a location",
    openapi_extra=object_body(
        "an OCPI 2.2.1 Location without country_code, party_id and last_updated; `roaming` false keeps it "
        "out of OCPI altogether",
        _EXAMPLE,
    ),
    responses={201: {"description": "Created"}},
)
async def put_location(location_id: str, document: Document, context: Context) -> Response:
    """EVSEs that are no longer named become REMOVED. The status of an EVSE with a station comes from the station."""
    check_id(document, location_id)
    roaming = document.get("roaming", True)
    if not isinstance(roaming, bool):
        raise invalid("roaming", "must be true or false")
    async with context.store.unit_of_work(context.clock) as unit:
        location = location_from(
            document, ours=context.ours, location_id=location_id, now=unit.now(), roaming=roaming
        )
        await references.check_location(unit, location)
        no_special_prices(location, context)
        attached = await references.attached(unit, location_id)
        stored, created = await sites.put(unit, location, attached=attached)
    return put_answer(_body(stored), created=created)


@router.delete("/{location_id}", status_code=204, summary="Mark all EVSEs of a location REMOVED")
async def delete_location(location_id: str, context: Context) -> Response:
    """The location stays: partners know it, and so do its sessions."""
    async with context.store.unit_of_work(context.clock) as unit:
        if not await sites.withdraw(unit, location_id):
            raise NotFound(f"there is no location {location_id}")
    return nothing()


def no_special_prices(location: Location, context: AdminContext) -> None:
    """Raise Invalid where a connector names a tariff that is meant for one partner alone."""
    named = {id_: None for evse in location.evses for each in evse.connectors for id_ in each.tariff_ids}
    for tariff_id in named:
        if partner := special_for(context.desk, tariff_id):
            raise Invalid(f"{tariff_id} is the special price of partner {partner.id}", field="tariff_ids")


def check_id(document: Mapping[str, Any], wanted: str) -> None:
    """An id inside the body may be left out; another one than the URL's is a mistake."""
    given = document.get("id", wanted)
    if not isinstance(given, str) or given.upper() != wanted.upper():
        raise invalid("id", "differs from the id in the URL")


def _body(location: Location) -> dict[str, Any]:
    return location_body(location) | {"roaming": location.roaming}
