"""What a record costs and why: its sums, then every line with its reason."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.asking import Refusal
from app.admin.console.charging import words
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

_SUMS = {
    "total_fixed_cost": "Fixed", "total_energy_cost": "Energy", "total_time_cost": "Time", "total_parking_cost": "Parking",
    "total_reservation_cost": "Reservation", "total_cost": "Together",
}  # fmt: skip
_UNITS = {"ENERGY": "kWh", "TIME": "h", "PARKING_TIME": "h", "RESERVATION_TIME": "h"}
_SECONDS = ("TIME", "PARKING_TIME", "RESERVATION_TIME")
_COLUMNS = (
    Column("From", "time"), Column("What"), Column("Measured", "number"), Column("Billed", "number"),
    Column("Price", "number"), Column("Without VAT", "number"), Column("With VAT", "number"), Column("Why", "long"),
)  # fmt: skip


async def show(view: View, cdr_id: str) -> None:
    """The card; where there is no price it says why."""
    with parts.card("Cost, line by line", "vb-flush") as head:
        try:
            found = await view.api.get(f"/cdrs/{cdr_id}/explain")
        except Refusal as refusal:
            parts.text("div", refusal.detail, "vb-note vb-inset vb-after")
            return
        with head:
            parts.text(
                "span", f"times as at the site, {found['location_time_zone']}, in the reasons", "vb-note"
            )
        with parts.box("div", "vb-inset vb-sums"):
            _sums(found)
        table = Table(
            "Lines of the bill", _COLUMNS, nothing=("No line", "Nothing of this session has a price.")
        )
        table.show(_lines(found["lines"], found["currency"]))
        _unpriced(found["unpriced"])


def _sums(found: dict[str, Any]) -> None:
    for name, title in _SUMS.items():
        if name in found:
            with parts.box("div", "vb-sum"):
                parts.text("span", title, "vb-note")
                parts.text(
                    "span",
                    words.cost_of({"total_cost": found[name], "currency": found["currency"]}),
                    "vb-strong",
                )
    if found["asked_beyond"]:
        beyond = writing.money(found["asked_beyond"]["excl_vat"], found["currency"])
        parts.text("p", f"The record asks {beyond} beyond what its periods come to.", "vb-note")


def _lines(lines: list[dict[str, Any]], currency: str) -> list[list[Any]]:
    """Each with its reason; one that is the reason of the line above is not told again."""
    rows = [_line(each, currency) for each in lines]
    reasons = [row[-1] for row in rows]
    return [
        [*row[:-1], "as above" if number and reasons[number - 1] == row[-1] else row[-1]]
        for number, row in enumerate(rows)
    ]


def _line(line: dict[str, Any], currency: str) -> list[Any]:
    name = line.get("dimension") or line["kind"]
    cost = line["cost"]
    price = line.get("unit_price")
    each = f" / {_UNITS[name]}" if name in _UNITS else ""
    tariff = f"{line['tariff_id']} · element {line['element'] + 1}" if "element" in line else ""
    return [
        line.get("start"),
        name.replace("_", " ").capitalize(),
        _quantity(line.get("measured"), name),
        _quantity(line.get("billed"), name),
        "" if price is None else writing.money(price, currency) + each,
        writing.money(cost["excl_vat"], currency),
        writing.money(cost.get("incl_vat"), currency),
        ": ".join(part for part in (tariff, line.get("why", "")) if part),
    ]


def _quantity(value: Any, name: str) -> str:
    if value is None:
        return ""
    return writing.span(value) if name in _SECONDS else f"{value:,} {_UNITS.get(name, '')}".strip()


def _unpriced(found: list[dict[str, Any]]) -> None:
    """What was used and is priced by nothing, in one sentence."""
    totals: dict[str, Any] = {}
    for each in found:
        totals[each["dimension"]] = totals.get(each["dimension"], 0) + each["measured"]
    if totals:
        told = ", ".join(
            f"{_quantity(value, name)} of {name.replace('_', ' ').lower()}" for name, value in totals.items()
        )
        parts.text("div", f"Without a price: {told}.", "vb-note vb-inset vb-after")
