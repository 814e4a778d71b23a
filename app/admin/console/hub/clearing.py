"""Records of others that passed the hub, with what the checks found in them."""

from functools import partial
from typing import Any

from nicegui import ui

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

SHOWN = 20
_VERDICTS = {"pass": ("delivered", "fine"), "warn": ("waiting", "marked"), "refuse": ("dead", "refused")}
_COLUMNS = (
    Column("Record"), Column("From"), Column("To"), Column("Check", "chip"), Column("What was found", "long"), Column("Became"),
    Column("Energy", "number"), Column("Cost", "number"), Column("Received", "ago"), Column("", "do"),
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
        table.show([[*_row(each), _way_out(view, each)] for each in found])

    await view.follow("/hub/cdrs", shown, every=3, limit=SHOWN)


def _way_out(view: View, record: dict[str, Any]) -> Any:
    """A refused record can be let pass, with a reason."""
    if record["state"] != "refused" or record["allowed"] is not None:
        return None
    return ("Let pass", partial(_ask, view, record))


async def _ask(view: View, record: dict[str, Any]) -> None:
    with view.client, ui.dialog(value=True) as dialog, parts.box("div", "vb-dialog", role="dialog"):
        parts.text("h2", f"Let {record['cdr']} pass?")
        parts.text("p", f"When {record['from']} posts the same record again it is delivered to {record['to']}, "
            "whatever the checks say. We kept none of it, so that nothing happens until then.")  # fmt: skip
        reason = ui.input("Why").props("outlined dense autofocus")

        async def allow() -> None:
            await view.api.post(f"/hub/cdrs/{record['id']}/allow", {"reason": reason.value or ""})
            dialog.close()

        with parts.box("div", "vb-actions"):
            parts.button("Cancel", dialog.close)
            parts.button("Let pass", view.act(allow, "It passes when it is posted again."), kind="main")
    dialog.on("hide", dialog.delete)


def _row(record: dict[str, Any]) -> list[Any]:
    currency = record["currency"] or ""
    return [
        record["cdr"],
        record["from"],
        record["to"],
        _VERDICTS.get(record["verdict"], (None, record["verdict"])),
        "; ".join(each["words"] for each in record["findings"]),
        record["state"] if record["allowed"] is None else "may pass",
        writing.energy(record["kwh"]),
        writing.money(record["excl_vat"], currency),
        record["received_at"],
    ]
