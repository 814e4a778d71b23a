"""A charge detail record priced again from what it says of itself: its periods, its tariffs, its place."""

from zoneinfo import ZoneInfo

from app.domain.cdrs import ChargeDetailRecord
from app.domain.pricing import (
    CdrDimension,
    Cost,
    Explanation,
    PeriodVolumes,
    explain,
    periods_from,
    price,
)
from app.domain.tariffs import Price


def zone_of_record(record: ChargeDetailRecord) -> ZoneInfo:
    """The time zone of the site; UTC for a station without a location."""
    return ZoneInfo(record.place.location.time_zone if record.place else "UTC")


def volumes_of_record(record: ChargeDetailRecord) -> tuple[PeriodVolumes, ...]:
    """Its charging periods by dimension."""
    return tuple(
        PeriodVolumes(
            start=period.start,
            volumes={CdrDimension(each.type): each.volume for each in period.dimensions},
            tariff_id=period.tariff_id,
        )
        for period in record.periods
    )


def repriced(record: ChargeDetailRecord) -> Cost:
    """What the periods of the record cost by its own tariffs. Raises ValueError as `price` does."""
    periods = periods_from(volumes_of_record(record), start=record.start_date_time, end=record.end_date_time)
    return price(periods, record.tariffs, zone_of_record(record))


def explained(record: ChargeDetailRecord) -> Explanation:
    """The record with the reasons for every amount.

    A credit is explained by what it takes back. Raises ValueError where there is no tariff to explain by.
    """
    return explain(repriced(record), record.tariffs, zone_of_record(record))


def differs(record: ChargeDetailRecord, cost: Cost) -> Price | None:
    """What the record asks beyond this cost; None where they agree. A credit asks the opposite."""
    asked = record.total_cost
    if asked is None:
        return None
    sign = -1 if record.credit else 1
    more = sign * asked.excl_vat - cost.total_cost.excl_vat
    incl = None
    if asked.incl_vat is not None and cost.total_cost.incl_vat is not None:
        incl = sign * asked.incl_vat - cost.total_cost.incl_vat
    return Price(excl_vat=more, incl_vat=incl) if more or incl else None
