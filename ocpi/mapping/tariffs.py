"""Tariffs, to the wire and from it (OCPI 2.2.1 mod_tariffs)."""

from datetime import datetime
from typing import Any

from app.domain.errors import Invalid
from app.domain.parties import Party
from app.domain.tariffs import (
    DayOfWeek,
    PriceComponent,
    ReservationRestriction,
    Restrictions,
    Tariff,
    TariffDimension,
    TariffElement,
    TariffType,
    check_tariff,
)
from ocpi.errors import InvalidParameterError
from ocpi.mapping.amounts import Body, add_present, leftovers, number, price, price_from
from ocpi.times import write_time
from ocpi.wire import tariffs as wire

_NAMED = frozenset(
    [
        "country_code",
        "party_id",
        "id",
        "currency",
        "type",
        "min_price",
        "max_price",
        "elements",
        "start_date_time",
        "end_date_time",
        "last_updated",
    ]
)
_AMOUNTS = tuple(f"{end}_{what}" for what in ("kwh", "current", "power") for end in ("min", "max"))
_TIMES = ("start_time", "end_time", "start_date", "end_date")
_SECONDS = ("min_duration", "max_duration")


def tariff_body(tariff: Tariff) -> Body:
    """The whole Tariff."""
    body: Body = {
        "country_code": tariff.country_code,
        "party_id": tariff.party_id,
        "id": tariff.id,
        "currency": tariff.currency,
    }
    add_present(
        body,
        type=tariff.type and str(tariff.type),
        min_price=tariff.min_price and price(tariff.min_price),
        max_price=tariff.max_price and price(tariff.max_price),
    )
    body["elements"] = [_element_body(element) for element in tariff.elements]
    add_present(
        body,
        start_date_time=tariff.start_date_time and write_time(tariff.start_date_time),
        end_date_time=tariff.end_date_time and write_time(tariff.end_date_time),
    )
    return body | tariff.details | {"last_updated": write_time(tariff.last_updated)}


def tariff_from(body: object, *, ours: Party, tariff_id: str, now: datetime) -> Tariff:
    """The tariff that an operator put, in OCPI's form without the fields that we set ourselves.

    Raises InvalidParameterError for a wrong form and Invalid for a tariff that cannot be meant.
    """
    if not isinstance(body, dict):
        raise InvalidParameterError("the tariff must be an object")
    stamped = {"country_code": ours.country_code, "party_id": ours.party_id, "id": tariff_id}
    model = wire.Tariff.read(body | stamped | {"last_updated": write_time(now)})
    tariff = Tariff(
        country_code=ours.country_code,
        party_id=ours.party_id,
        id=tariff_id,
        currency=model.currency,
        type=None if model.type is None else TariffType(model.type),
        min_price=price_from(model.min_price),
        max_price=price_from(model.max_price),
        elements=tuple(_element(element) for element in model.elements),
        start_date_time=model.start_date_time,
        end_date_time=model.end_date_time,
        details=leftovers(model.to_wire(), _NAMED),
        last_updated=now,
    )
    try:
        check_tariff(tariff)
    except ValueError as error:
        raise Invalid(str(error), field=str(error).split(":", 1)[0]) from None
    return tariff


def _element_body(element: TariffElement) -> Body:
    body: Body = {"price_components": [_component_body(each) for each in element.price_components]}
    if element.restrictions is not None:
        add_present(body, restrictions=_restrictions_body(element.restrictions) or None)
    return body


def _component_body(component: PriceComponent) -> Body:
    body: Body = {"type": str(component.type), "price": number(component.price)}
    add_present(body, vat=None if component.vat is None else number(component.vat))
    return body | {"step_size": component.step_size}


def _restrictions_body(restrictions: Restrictions) -> Body:
    body: Body = {}
    for name in (*_TIMES, *_SECONDS):
        add_present(body, **{name: getattr(restrictions, name)})
    for name in _AMOUNTS:
        amount = getattr(restrictions, name)
        add_present(body, **{name: None if amount is None else number(amount)})
    return add_present(
        body,
        day_of_week=[str(day) for day in restrictions.day_of_week],
        reservation=restrictions.reservation and str(restrictions.reservation),
    )


def _element(model: wire.TariffElement) -> TariffElement:
    return TariffElement(
        price_components=tuple(
            PriceComponent(
                type=TariffDimension(each.type), price=each.price, vat=each.vat, step_size=each.step_size
            )
            for each in model.price_components
        ),
        restrictions=None if model.restrictions is None else _restrictions(model.restrictions),
    )


def _restrictions(model: wire.TariffRestrictions) -> Restrictions:
    plain: dict[str, Any] = {name: getattr(model, name) for name in (*_TIMES, *_SECONDS, *_AMOUNTS)}
    return Restrictions(
        **plain,
        day_of_week=tuple(DayOfWeek(day) for day in model.day_of_week),
        reservation=None if model.reservation is None else ReservationRestriction(model.reservation),
    )
