"""How a payload can be wrong, and the CALLERROR that tells the station.

Violation       the payload breaks a rule of its message; carries the error code and the path
"""

from ocpp_bridge.rpc import ErrorCode, Fault


class Violation(Exception):
    """A payload breaks a rule of its message; `path` is the schema's word, never the station's."""

    def __init__(self, code: ErrorCode, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}" if path else rule)
        self.code = code

    def fault(self) -> Fault:
        """As a CALLERROR says it."""
        return Fault(self.code, str(self))
