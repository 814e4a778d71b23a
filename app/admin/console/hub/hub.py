"""The hub: its parties, their agreements as a matrix, what passed between them, and the months."""

from typing import Any

from app.admin.console import parts
from app.admin.console.hub import accounting, clearing
from app.admin.console.hub.agreements import Agreements
from app.admin.console.hub.parties import Parties
from app.admin.console.partners import messages
from app.admin.console.views import View

MOST = 1000


async def page(view: View) -> None:
    """From who is there to what they owe each other."""
    hub = await view.api.get("/hub")
    names = {each["id"]: each["name"] for each in await view.api.get("/partners", limit=MOST)}
    parties = Parties(view, hub, names)
    with parts.box("div", "vb-grid"):
        with parts.box("div", "vb-half"):
            agreements = Agreements(view, hub)
        with parts.box("div", "vb-half"), parts.card("Who talks to whom", note="messages of the month below"):
            picture = parts.box("div", "vb-scroll")

    def show(found: list[dict[str, Any]]) -> None:
        parties.show(found)
        agreements.parties([each["party"] for each in found])

    await view.follow("/hub/parties", show, every=2, limit=MOST)
    await view.follow("/hub/agreements", agreements.show, every=2, limit=MOST)
    await accounting.show(view, picture)
    await clearing.show(view)
    await messages.show(view, "Routed messages", ", with the reason of their route", names=names, routed=True)
