"""Prices and their reasons as JSON: sums, periods, the lines that prove them, and why just these."""

from typing import Any

from fastapi import Request, Response

from app.admin.answers import exact_number
from app.domain.pricing import Cost, Explanation, Line, PeriodVolumes, volumes_of
from app.domain.pricing.explaining import ExplainedLine, PassedOver, Unpriced
from app.domain.records.differences import Changed, ChangedLine, Difference
from app.domain.sessions import ChargingPeriod, Dimension
from ocpi.mapping.amounts import add_present, number, price
from ocpi.mapping.sessions import period_body
from ocpi.times import write_time

COSTS = ("fixed", "energy", "time", "parking", "reservation")


def wants_text(request: Request, given: str | None) -> bool:
    """Whether plain text is wanted: by ?format=text, or by an Accept header that asks for it and not for JSON."""
    if given is not None:
        return given == "text"
    accept = request.headers.get("accept", "")
    return "text/plain" in accept and "application/json" not in accept


def text_answer(text: str) -> Response:
    """Plain text, as UTF-8."""
    return Response(text, media_type="text/plain; charset=utf-8")


def explanation_body(explanation: Explanation) -> dict[str, Any]:
    """A cost with its reasons; sums of nothing are left out."""
    body = cost_body(explanation.cost)
    body["lines"] = [_explained(line) for line in explanation.lines]
    body["unpriced"] = [_unpriced(each) for each in explanation.unpriced]
    body["location_time_zone"] = explanation.zone
    body["policies"] = [each._asdict() for each in explanation.policies]
    return body


def cost_body(cost: Cost) -> dict[str, Any]:
    """A price with its sums, its periods and the lines that prove it; sums of nothing are left out."""
    body: dict[str, Any] = {"currency": cost.currency, "total_cost": price(cost.total_cost)}
    for what in COSTS:
        amount = getattr(cost, f"total_{what}_cost")
        add_present(body, **{f"total_{what}_cost": None if amount is None else price(amount)})
    body |= {"total_energy": number(cost.total_energy), "total_time": number(cost.total_time)}
    parking = cost.total_parking_time
    add_present(body, total_parking_time=None if parking is None else number(parking))
    body["charging_periods"] = [_period(each) for each in volumes_of(cost.periods)]
    body["lines"] = [line_body(line) for line in cost.lines]
    return body


def line_body(line: Line) -> dict[str, Any]:
    """One line of a bill."""
    return add_present(
        {"kind": str(line.kind)},
        subtotal=line.subtotal and str(line.subtotal),
        period=line.period,
        dimension=line.dimension and str(line.dimension),
        tariff_id=line.tariff_id,
        element=line.element,
        component=line.component,
        measured=number(line.measured),
        billed=number(line.billed),
        unit_price=None if line.unit_price is None else number(line.unit_price),
        vat=None if line.vat is None else number(line.vat),
        step_size=line.step_size,
        cost=price(line.cost),
    )


def difference_body(changes: Difference) -> dict[str, Any]:
    """What changed between two records: sums, measured totals, and lines by component."""
    measured = {
        name: {"before": exact_number(before), "after": exact_number(after)}
        for name, (before, after) in changes.measured.items()
    }
    sums = {name: _changed(each) for name, each in changes.sums.items()}
    return sums | measured | {"lines": [_changed_line(line) for line in changes.lines]}


def _changed(changed: Changed) -> dict[str, Any]:
    return {
        "before": None if changed.before is None else price(changed.before),
        "after": None if changed.after is None else price(changed.after),
        "change": price(changed.change),
    }


def _changed_line(line: ChangedLine) -> dict[str, Any]:
    body = add_present(
        {"kind": line.kind},
        dimension=line.dimension,
        tariff_id=line.tariff_id,
        element=line.element,
        unit_price=None if line.unit_price is None else number(line.unit_price),
    )
    billed = {"before": number(line.billed_before), "after": number(line.billed_after)}
    return body | {"billed": billed, "cost": _changed(line.cost)}


def _explained(explained: ExplainedLine) -> dict[str, Any]:
    return add_present(
        line_body(explained.line),
        start=explained.start and write_time(explained.start),
        end=explained.end and write_time(explained.end),
        why=explained.why,
        passed_over=[_passed_over(each) for each in explained.passed_over],
    )


def _unpriced(free: Unpriced) -> dict[str, Any]:
    return {
        "period": free.period,
        "start": write_time(free.start),
        "end": write_time(free.end),
        "dimension": str(free.dimension),
        "measured": number(free.measured),
        "passed_over": [_passed_over(each) for each in free.passed_over],
    }


def _passed_over(each: PassedOver) -> dict[str, Any]:
    return {"element": each.element, "why": each.why}


def _period(volumes: PeriodVolumes) -> dict[str, Any]:
    dimensions = tuple(Dimension(kind.value, volume) for kind, volume in volumes.volumes.items())
    return period_body(
        ChargingPeriod(start=volumes.start, dimensions=dimensions, tariff_id=volumes.tariff_id)
    )
