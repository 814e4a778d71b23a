"""What the hub is: its own party, where others register with it, and what an agreement can name."""

from fastapi import APIRouter, Response

from app.admin.answers import answer
from app.admin.context import Context
from app.admin.requests import Plain
from ocpi.modules import ModuleId
from ocpi.partners.desk import HUB

router = APIRouter(prefix="/hub", tags=["hub"], dependencies=[Plain])


@router.get("", summary="The hub itself")
async def get_hub(context: Context) -> Response:
    """`agreements` is `required`, or `open` where nobody needs one; `modules` are those that an agreement can name."""
    return answer(
        {
            "party": str(context.hub.party),
            "versions_url": context.desk.versions_url(HUB),
            "agreements": "open" if context.hub.agreements.everybody else "required",
            "modules": sorted(module.value for module in ModuleId if module.routed),
        }
    )
