"""Roles: which part of the house a process serves."""

from enum import StrEnum


class Role(StrEnum):
    """`http`: OCPI and the admin API; `ocpp`: sockets of stations; `worker`: deliveries and regular work."""

    ALL = "all"
    HTTP = "http"
    OCPP = "ocpp"
    WORKER = "worker"

    @property
    def serves_http(self) -> bool:
        """Whether partners and operators call this process."""
        return self in (Role.ALL, Role.HTTP)

    @property
    def serves_ocpp(self) -> bool:
        """Whether stations connect to this process."""
        return self in (Role.ALL, Role.OCPP)

    @property
    def works(self) -> bool:
        """Whether this process delivers, and may make the rounds of the house."""
        return self in (Role.ALL, Role.WORKER)
