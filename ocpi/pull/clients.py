"""Who is behind a foreign hub, read from its list (OCPI 2.2.1 mod_hub_client_info): pushes may have been lost."""

from collections.abc import Sequence
from typing import Any

from app.kit import logs
from ocpi.errors import InvalidParameterError
from ocpi.partners import foreign
from ocpi.partners.desk import Desk
from ocpi.partners.partner import Partner
from ocpi.wire.clients import ClientInfo

_log = logs.get("ocpi.pull")


class ClientsReading:
    """One reading of a hub's list: `kept` were news, `skipped` cannot be read. Nobody is taken back: who is gone is
    in the list, as SUSPENDED.
    """

    withdrawn = 0

    def __init__(self, desk: Desk, partner: Partner) -> None:
        self._desk = desk
        self._partner = partner
        self.entries = self.kept = self.skipped = 0

    async def take(self, entries: Sequence[Any]) -> None:
        """Keep what one page tells."""
        clients = [client for entry in entries if (client := self._read(entry)) is not None]
        self.kept += await foreign.told(self._desk, self._partner, clients)
        self.entries += len(entries)
        self.skipped += len(entries) - len(clients)

    async def finish(self) -> None:
        """The list has come to its end."""

    def _read(self, entry: Any) -> ClientInfo | None:
        try:
            return ClientInfo.read(entry)
        except InvalidParameterError as error:
            _log.warning("a party of a hub is not readable", partner=self._partner.id, error=error.message)
            return None
