"""Partners to play against: real HTTP servers and clients that use the protocol half of OCPI only."""

from ocpi.simulator.emsp import EmspSimulator
from ocpi.simulator.faults import Fault, FaultKind, FaultPlan
from ocpi.simulator.ledger import Ledger, Received

__all__ = ["EmspSimulator", "Fault", "FaultKind", "FaultPlan", "Ledger", "Received"]
