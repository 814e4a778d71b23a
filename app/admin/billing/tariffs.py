"""Our tariffs in their OCPI form."""

from asyncio import to_thread

from fastapi import APIRouter, Response

from app.admin.answers import LIST, answer, nothing, page_answer, put_answer
from app.admin.billing.findings import finding_body
from app.admin.context import Context
from app.admin.locations import check_id
from app.admin.requests import Document, Paging, Plain, object_body
from app.domain.errors import Conflict, NotFound
from app.domain.lint import lint
from app.services import tariffs as prices
from app.store import tariffs
from app.store.paging import Window
from ocpi.mapping.tariffs import tariff_body, tariff_from
from ocpi.push.prices import special_for

router = APIRouter(prefix="/tariffs", tags=["tariffs"], dependencies=[Plain])

_EXAMPLE = {
    "currency": "EUR",
    "elements": [
        {
            "price_components": [
                {"type": "ENERGY", "price": 0.45, "vat": 21, "step_size": 1},
                {"type": "FLAT", "price": 0.35, "vat": 21, "step_size": 1},
            ]
        }
    ],
}


@router.get("", summary="Our tariffs, in the order of their making", responses=LIST)
async def list_tariffs(context: Context, page: Paging) -> Response:
    """Without those that were withdrawn."""
    async with context.store.reading() as session:
        found = await tariffs.page(session, Window(limit=page.limit, offset=page.offset))
        bodies = await tariffs.bodies(session, [id_ for id_, _ in found.items])
    return page_answer([tariff_body(bodies[id_]) for id_, _ in found.items], found.total)


@router.get("/{tariff_id}", summary="One tariff")
async def get_tariff(tariff_id: str, context: Context) -> Response:
    """Ids are compared without case."""
    async with context.store.reading() as session:
        found = await tariffs.get(session, tariff_id)
    if found is None:
        raise NotFound(f"there is no tariff {tariff_id}")
    return answer(tariff_body(found))


@router.put(
    "/{tariff_id}",
    summary="Create (201) or replace (200) a tariff",
    openapi_extra=object_body(
        "an OCPI 2.2.1 Tariff without country_code, party_id and last_updated; prices are without VAT",
        _EXAMPLE,
    ),
    responses={201: {"description": "Created"}},
)
async def put_tariff(tariff_id: str, document: Document, context: Context) -> Response:
    """Sessions under way keep the tariff they were started with. `warnings` says what in it may not be meant."""
    check_id(document, tariff_id)
    async with context.store.unit_of_work(context.clock) as unit:
        given = {name: value for name, value in document.items() if name != "warnings"}
        tariff = tariff_from(given, ours=context.ours, tariff_id=tariff_id, now=unit.now())
        stored, created = await prices.put(unit, tariff)
    warnings = await to_thread(lint, stored, context.clock.now().date())
    return put_answer(
        tariff_body(stored) | {"warnings": [finding_body(each) for each in warnings]}, created=created
    )


@router.delete("/{tariff_id}", status_code=204, summary="Withdraw a tariff; partners are told to delete it")
async def delete_tariff(tariff_id: str, context: Context) -> Response:
    """A session that starts where only this tariff is named has no price, so its CDR is held."""
    if partner := special_for(context.desk, tariff_id):
        raise Conflict(f"{tariff_id} is the special price of partner {partner.id}")
    async with context.store.unit_of_work(context.clock) as unit:
        if not await prices.withdraw(unit, tariff_id):
            raise NotFound(f"there is no tariff {tariff_id}")
    return nothing()
