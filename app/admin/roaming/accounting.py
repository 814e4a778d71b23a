"""What passed between parties behind the hub in a month, as JSON and as a table."""

import csv
import io
import re
from collections.abc import Iterable
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, exact_number
from app.admin.bulk.router import Format
from app.admin.context import Context
from app.admin.problems import invalid
from ocpi.hub.accounting import Account, accounts_of, summed

router = APIRouter(prefix="/hub", tags=["hub"])

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")
_COLUMNS = ("month", "from", "to", "messages", "sessions", "kwh", "currency", "cdrs", "excl_vat", "incl_vat")


@router.get("/accounting", summary="What passed between parties in a month")
async def get_accounting(
    context: Context,
    month: Annotated[str, Query(description="in UTC, such as 2026-11")],
    written: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Response:
    """By sender and receiver: messages, sessions that began, and energy and cost of the CDRs that were delivered."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise invalid("month", "must be a month such as 2026-11")
    await context.hub.accounts.keep()
    accounts = await accounts_of(
        context.store, context.desk.registry, context.ours.folded(), int(found[1]), int(found[2])
    )
    if written is Format.JSON:
        pairs = [{"from": str(each.sender), "to": str(each.receiver)} | _figures(each) for each in accounts]
        return answer({"month": month, "pairs": pairs, "totals": _figures(summed(accounts))})
    named = {"Content-Disposition": f'attachment; filename="hub-{month}.csv"'}
    return Response(_table(month, accounts), media_type="text/csv", headers=named)


def _figures(account: Account) -> dict[str, Any]:
    return {
        "messages": account.messages,
        "sessions": account.sessions,
        "kwh": exact_number(account.kwh),
        "amounts": [
            {
                "currency": currency,
                "cdrs": amount.cdrs,
                "excl_vat": exact_number(amount.excl_vat),
                "incl_vat": exact_number(amount.incl_vat),
            }
            for currency, amount in sorted(account.amounts.items())
        ],
    }


def _table(month: str, accounts: Iterable[Account]) -> str:
    """One row per pair, with its first currency in it; one more for each further currency, without the counts."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for each in accounts:
        figures = _figures(each)
        amounts = figures.pop("amounts") or [{}]
        pair = {"month": month, "from": str(each.sender), "to": str(each.receiver)}
        for number, amount in enumerate(amounts):
            writer.writerow(pair | (figures if number == 0 else {}) | amount)
    return out.getvalue()
