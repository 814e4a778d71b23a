"""Alerts on their way out: signed as the Standard Webhooks specification says, and sent under partners' rules."""

import base64
import hashlib
import hmac
import secrets

from app.outbox.alerts import Message
from app.store.database.columns import micros
from ocpi.errors import PartnerFailure
from ocpi.partners.desk import Desk

SECONDS = 10.0
_PREFIX = "whsec_"


def new_secret() -> str:
    """A fresh secret: 32 random bytes, in Base64 after `whsec_`."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(32)).decode("ascii")


def signature(secret: str, message_id: str, timestamp: int, body: bytes) -> str:
    """The value of `webhook-signature`: `v1,` and HMAC-SHA256 over `id.timestamp.body`, in Base64."""
    key = base64.b64decode(secret.removeprefix(_PREFIX))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


class WebhookSender:
    """Sends messages (app.outbox.alerts.Send)."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def __call__(self, message: Message) -> str | None:
        """One try: None where the receiver answered 2xx, else what went wrong."""
        timestamp = micros(self._desk.clock.now()) // 1_000_000
        secret = self._desk.vault.open(message.locked_secret)
        headers = {
            "Content-Type": "application/json",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(secret, message.id, timestamp, message.body),
        }
        try:
            status = await self._desk.client.post(
                message.url,
                message.body,
                headers,
                allow_private=self._desk.allow_private,
                seconds=SECONDS,
            )
        except PartnerFailure as failure:
            return str(failure)
        return None if 200 <= status < 300 else f"HTTP {status}"
