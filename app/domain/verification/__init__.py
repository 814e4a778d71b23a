"""Records of partners checked: against themselves, against their tariff, and against known wrong readings."""

from app.domain.verification.checks import Check, negated
from app.domain.verification.claims import Claim
from app.domain.verification.verdicts import Cause, Outcome, Verdict, verify

__all__ = ["Cause", "Check", "Claim", "Outcome", "Verdict", "negated", "verify"]
