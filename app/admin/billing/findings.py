"""Findings of the tariff check as JSON."""

from typing import Any

from app.domain.lint import Example, Finding
from ocpi.mapping.amounts import add_present, number, price
from ocpi.times import write_time


def finding_body(finding: Finding) -> dict[str, Any]:
    """One finding, with the session that shows it in money."""
    return add_present(
        {
            "level": str(finding.level),
            "kind": finding.kind,
            "where": finding.where,
            "words": finding.words,
        },
        example=None if finding.example is None else _example(finding.example),
    )


def _example(example: Example) -> dict[str, Any]:
    """Times of the example are those of the site, written as if it were in UTC."""
    return {
        "session": example.what,
        "start": write_time(example.start),
        "end": write_time(example.end),
        "kwh": number(example.kwh),
        "cost": price(example.cost),
        "otherwise": price(example.otherwise),
        "meaning": example.meaning,
    }
