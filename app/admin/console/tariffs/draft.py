"""A tariff while it is edited: its document in OCPI's form, and who wants to know when it changes."""

import copy
from collections.abc import Awaitable, Callable
from typing import Any

SET_BY_US = ("country_code", "party_id", "id", "last_updated", "warnings")
"""Fields that are not the operator's to write."""

TEMPLATE: dict[str, Any] = {
    "currency": "EUR",
    "elements": [{"price_components": [{"type": "ENERGY", "price": 0, "vat": 21, "step_size": 1}]}],
}


class Draft:
    """The document; `gross` says whether prices are typed with VAT. What is empty is left out when it is sent."""

    def __init__(self, tariff: dict[str, Any] | None, changed: Callable[[], Awaitable[None]]) -> None:
        self.body: dict[str, Any] = {}
        self.gross = False
        self._changed = changed
        self.replace(TEMPLATE if tariff is None else tariff)

    @property
    def currency(self) -> str:
        """As it stands now."""
        return str(self.body.get("currency") or "")

    @property
    def elements(self) -> list[dict[str, Any]]:
        """Its elements, to be changed in place."""
        found: list[dict[str, Any]] = self.body["elements"]
        return found

    def replace(self, tariff: dict[str, Any]) -> None:
        """Another document in its place."""
        self.body = {name: copy.deepcopy(value) for name, value in tariff.items() if name not in SET_BY_US}
        self.body.setdefault("elements", [])

    async def changed(self) -> None:
        """Something in it is another now."""
        await self._changed()

    def document(self) -> dict[str, Any]:
        """What is sent: without anything empty."""
        return {name: _trimmed(value) for name, value in self.body.items() if not _empty(_trimmed(value))}


def _trimmed(value: Any) -> Any:
    if isinstance(value, dict):
        trimmed = {name: _trimmed(item) for name, item in value.items()}
        return {name: item for name, item in trimmed.items() if not _empty(item)}
    if isinstance(value, list):
        return [_trimmed(item) for item in value]
    return value


def _empty(value: Any) -> bool:
    return value is None or value in ("", {}, [])
