"""The modules of OCPI and the two sides an interface has."""

from enum import StrEnum


class ModuleId(StrEnum):
    """A module, by its identifier in version details."""

    CDRS = "cdrs"
    CHARGING_PROFILES = "chargingprofiles"
    COMMANDS = "commands"
    CREDENTIALS = "credentials"
    HUB_CLIENT_INFO = "hubclientinfo"
    LOCATIONS = "locations"
    SESSIONS = "sessions"
    TARIFFS = "tariffs"
    TOKENS = "tokens"

    @property
    def routed(self) -> bool:
        """Whether the module carries the OCPI-to and OCPI-from headers; configuration modules never do."""
        return self not in _CONFIGURATION


class InterfaceRole(StrEnum):
    """SENDER offers its objects to be pulled; RECEIVER takes what is pushed to it."""

    SENDER = "SENDER"
    RECEIVER = "RECEIVER"


_CONFIGURATION = frozenset({ModuleId.CREDENTIALS, ModuleId.HUB_CLIENT_INFO})
