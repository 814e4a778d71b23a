"""Why a charge detail record costs what it costs, for the operator and for the driver who asks."""

from app.domain.cdrs import ChargeDetailRecord
from app.domain.errors import Conflict
from app.domain.pricing import Explanation, as_text
from app.domain.records.repricing import differs, explained
from app.domain.tariffs import Price


def explanation_of(record: ChargeDetailRecord) -> tuple[Explanation, Price | None]:
    """The explanation, and what the record asks beyond it (None: nothing).

    A record says something else than its periods only where somebody else made it, or where the meter counts
    finer than records can say. Raises Conflict for a record that has no tariff or cannot be priced.
    """
    if not record.tariffs:
        raise Conflict(f"CDR {record.id} has no tariff, so there is no price to explain")
    try:
        found = explained(record)
    except ValueError as error:
        raise Conflict(f"CDR {record.id} cannot be priced: {error}") from None
    return found, differs(record, found.cost)


def letter(record: ChargeDetailRecord) -> str:
    """The explanation as plain text. Raises Conflict as `explanation_of` does."""
    explanation, more = explanation_of(record)
    title = f"Charging session {record.session_id}, record {record.id}"
    if record.credit:
        title = f"{title}: a credit, which takes back the following"
    text = as_text(explanation, title)
    if more is not None:
        text += f"The record asks {more.excl_vat:f} {record.currency} more than its periods come to.\n"
    return text
