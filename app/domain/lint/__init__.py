"""The check of a tariff: what in it has no effect or is not meant, each with a session that shows it in money."""

from datetime import date

from app.domain.lint.findings import Example, Finding, Level
from app.domain.lint.reach import reach
from app.domain.lint.traps import traps
from app.domain.pricing.prepared import prepared
from app.domain.tariffs import Tariff

__all__ = ["Example", "Finding", "Level", "lint"]

_ORDER = tuple(Level)


def lint(tariff: Tariff, today: date) -> tuple[Finding, ...]:
    """All findings, the worst first. The tariff has passed `check_tariff`; nothing is refused here."""
    found = [*reach(tariff, prepared(tariff), today), *traps(tariff)]
    return tuple(sorted(found, key=lambda finding: _ORDER.index(finding.level)))
