"""What each eMSP owes for a month, as JSON and as a table."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, time_or_none
from app.admin.billing.cdrs import parties_of
from app.admin.bulk.router import Format
from app.admin.bulk.sheets import guarded
from app.admin.context import AdminContext, Context
from app.admin.problems import invalid
from app.domain.cdrs import ChargeDetailRecord
from app.domain.parties import Party
from app.domain.records.settlement import Entry, Share, Totals, totals
from app.services.settlements import Settled, Settlement, settle
from ocpi.mapping.amounts import number
from ocpi.partners.desk import PLATFORM

router = APIRouter(tags=["settlement"])

_MONTH = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])")
_COLUMNS = (
    "kind", "month", "party", "partner", "cdr", "session", "issued_at", "start_date_time", "end_date_time",
    "location", "evse_id", "contract_id", "credit_reference_id", "sessions", "credits", "kwh", "currency", "vat",
    "excl_vat", "incl_vat",
)  # fmt: skip


@router.get("/settlement", summary="What each eMSP owes for a month")
async def get_settlement(
    context: Context,
    month: Annotated[str, Query(description="in UTC, such as 2026-11")],
    partner: Annotated[str | None, Query(description="id of a partner, or a party such as DE-EMP")] = None,
    written: Annotated[Format, Query(alias="format")] = Format.JSON,
) -> Response:
    """A record counts in the month in which it was issued: a month that is over never changes."""
    found = _MONTH.fullmatch(month)
    if found is None:
        raise invalid("month", "must be a month such as 2026-11")
    owners = None if partner is None else parties_of(context, partner)
    settlements = await settle(context.store, int(found[1]), int(found[2]), owners)
    if written is Format.JSON:
        return answer(_body(month, settlements, context))
    named = {"Content-Disposition": f'attachment; filename="settlement-{month}.csv"'}
    return Response(_table(month, settlements, context), media_type="text/csv", headers=named)


def _body(month: str, settlements: Sequence[Settlement], context: AdminContext) -> dict[str, Any]:
    return {
        "month": month,
        "partners": [
            {
                "party": str(each.owner),
                "partner": _partner(each.owner, context),
                **_totals(each.totals),
                "records": [_record(settled) for settled in each.records],
            }
            for each in settlements
        ],
        "totals": _totals(_all(settlements)),
    }


def _all(settlements: Iterable[Settlement]) -> Totals:
    return totals(settled.entry for each in settlements for settled in each.records)


def _totals(sums: Totals) -> dict[str, Any]:
    return {
        "sessions": sums.sessions,
        "credits": sums.credits,
        "kwh": number(sums.energy),
        "amounts": [_share(share) for share in sums.shares],
    }


def _share(share: Share) -> dict[str, Any]:
    amount = share.amount
    return {
        "currency": share.currency,
        "vat": None if share.vat is None else number(share.vat),
        "excl_vat": number(amount.excl_vat),
        "incl_vat": None if amount.incl_vat is None else number(amount.incl_vat),
    }


def _record(settled: Settled) -> dict[str, Any]:
    entry, record = settled.entry, settled.entry.record
    return _about(record) | {
        "issued_at": time_or_none(settled.issued_at),
        "kwh": number(entry.energy),
        "amounts": [_share(share) for share in entry.shares],
    }


def _about(record: ChargeDetailRecord) -> dict[str, Any]:
    return {
        "cdr": record.id,
        "session": record.session_id,
        "start_date_time": time_or_none(record.start_date_time),
        "end_date_time": time_or_none(record.end_date_time),
        "location": record.place.location.id if record.place else None,
        "evse_id": record.place.evse.evse_id if record.place else None,
        "contract_id": record.token.contract_id,
        "credit_reference_id": record.credit_reference_id,
    }


def _table(month: str, settlements: Sequence[Settlement], context: AdminContext) -> str:
    """One row per record and VAT rate, then one per eMSP and VAT rate."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, _COLUMNS, restval="", lineterminator="\r\n")
    writer.writeheader()
    for each in settlements:
        whose = {"month": month, "party": str(each.owner), "partner": _partner(each.owner, context)}
        for settled in each.records:
            writer.writerows(_cells(whose | row) for row in _record_rows(settled.entry, settled))
        for row in _rows("TOTAL", each.totals.shares, each.totals.energy):
            counts = {"sessions": each.totals.sessions, "credits": each.totals.credits}
            writer.writerow(_cells(whose | (counts if "kwh" in row else {}) | row))
    return out.getvalue()


def _record_rows(entry: Entry, settled: Settled) -> list[dict[str, Any]]:
    kind = "CREDIT" if entry.record.credit else "CDR"
    about = _about(entry.record) | {"issued_at": time_or_none(settled.issued_at)}
    return [about | row for row in _rows(kind, entry.shares, entry.energy)]


def _rows(kind: str, shares: Sequence[Share], energy: Decimal) -> list[dict[str, Any]]:
    """One row per share; the energy stands in the first, so that a column can be summed."""
    rows = [{"kind": kind, **_share(share)} for share in shares]
    if rows:
        rows[0]["kwh"] = number(energy)
    return rows


def _cells(row: dict[str, Any]) -> dict[str, str]:
    return {name: "" if value is None else guarded(str(value)) for name, value in row.items()}


def _partner(owner: Party, context: AdminContext) -> str | None:
    found = context.desk.registry.by_party(PLATFORM, owner)
    return None if found is None else found.id
