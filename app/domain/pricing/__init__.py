"""Pricing: cut a session into charging periods, and price them exactly; the one door to this room."""

from app.domain.pricing.choosing import ProfileType, session_tariff
from app.domain.pricing.cost import price
from app.domain.pricing.explaining import Explanation, explain
from app.domain.pricing.prepared import Subtotal
from app.domain.pricing.running import Curve, RunningCost, SoFar
from app.domain.pricing.split import split
from app.domain.pricing.tally import Cost, Line, LineKind
from app.domain.pricing.telling import as_text
from app.domain.pricing.usage import Activity, Usage
from app.domain.pricing.volumes import CdrDimension, Period, PeriodVolumes, periods_from, volumes_of

__all__ = [
    "Activity",
    "CdrDimension",
    "Cost",
    "Curve",
    "Explanation",
    "Line",
    "LineKind",
    "Period",
    "PeriodVolumes",
    "ProfileType",
    "RunningCost",
    "SoFar",
    "Subtotal",
    "Usage",
    "as_text",
    "explain",
    "periods_from",
    "price",
    "session_tariff",
    "split",
    "volumes_of",
]
