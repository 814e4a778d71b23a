"""OcpiContext: what every OCPI room may reach."""

from collections.abc import Callable
from dataclasses import dataclass, field

from app.domain.parties import Party
from app.services.wishes import Wishes
from ocpi.client import PartnerClient
from ocpi.hub.hub import Hub
from ocpi.partners.desk import AtDesk, Desk
from ocpi.partners.limits import Limits
from ocpi.partners.traffic import Traffic
from ocpi.partners.unknown_callers import UnknownCallers


@dataclass(frozen=True, slots=True, kw_only=True)
class OcpiContext(AtDesk):
    """Made once, in the roof. `heard_from` tells the outbox that a partner has called, so it must be there.

    `wishes` takes what partners want of stations; `hub` passes on what they want of each other; `limits` say how
    much of it each may want, `unknown_callers` how often anybody else may knock.
    """

    desk: Desk
    traffic: Traffic
    heard_from: Callable[[str], None]
    wishes: Wishes
    hub: Hub
    page_limit: int = 100
    limits: Limits = field(default_factory=Limits)
    unknown_callers: UnknownCallers = field(default_factory=UnknownCallers)

    @property
    def client(self) -> PartnerClient:
        """The one way to partners."""
        return self.desk.client

    @property
    def ours(self) -> Party:
        """Our CPO party."""
        return self.desk.ours
