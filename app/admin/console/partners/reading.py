"""Lists of a partner that we read: when, how far, and what stopped us."""

from typing import Any

from app.admin.console import parts, writing
from app.admin.console.tables import Column, Table
from app.admin.console.views import View

_COLUMNS = (
    Column("List"), Column("Read", "ago"), Column("To its end", "ago"), Column("Entries", "number"), Column("New", "number"),
    Column("Not theirs", "number"), Column("Withdrawn", "number"), Column("What stopped it", "long"),
)  # fmt: skip


async def show(view: View, partner_id: str) -> None:
    """The card, live."""
    with parts.card("Lists we read", "vb-flush"):
        table = Table(
            "Lists we read",
            _COLUMNS,
            nothing=(
                "None was read yet",
                "Lists are read after registration, every hour, and after an outage.",
            ),
        )

    def shown(found: list[dict[str, Any]]) -> None:
        table.show([_row(each) for each in found])

    await view.follow("/pulls", shown, every=5, partner=partner_id, limit=100)


def _row(pull: dict[str, Any]) -> list[Any]:
    counts = [writing.whole(pull[name]) for name in ("entries", "kept", "skipped", "withdrawn")]
    return [pull["module"], pull["tried_at"], pull["pulled_at"], *counts, pull["error"]]
