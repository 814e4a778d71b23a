"""Records of others that passed the hub, with what the checks found in them."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

SHOWN = 20
_VERDICTS = {"pass": ("delivered", "fine"), "warn": ("waiting", "marked"), "refuse": ("dead", "refused")}
_COLUMNS = (
    Column("Record"), Column("From"), Column("To"), Column("Check", "chip"), Column("What was found", "long"), Column("Became"),
    Column("Energy", "number"), Column("Cost", "number"), Column("Received", "ago"),
)  # fmt: skip


async def show(view: View) -> None:
    """The newest, live."""
    with parts.card("Records that passed", "vb-flush vb-hub", note=f"the newest {SHOWN}"):
        table = Table(
            "Records that passed",
            _COLUMNS,
            nothing=("No record passed yet", "CDRs are checked on their way from a CPO to an eMSP."),
        )

    def shown(found: list[dict[str, Any]]) -> None:
        table.show([_row(each) for each in found])

    await view.follow("/hub/cdrs", shown, every=3, limit=SHOWN)


def _row(record: dict[str, Any]) -> list[Any]:
    currency = record["currency"] or ""
    return [
        record["cdr"],
        record["from"],
        record["to"],
        _VERDICTS.get(record["verdict"], (None, record["verdict"])),
        "; ".join(each["words"] for each in record["findings"]),
        record["state"],
        writing.energy(record["kwh"]),
        writing.money(record["excl_vat"], currency),
        record["received_at"],
    ]
