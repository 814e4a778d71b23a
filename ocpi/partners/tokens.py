"""Credentials tokens: made, hashed for looking up, encrypted where we must be able to send them again."""

import hashlib
import secrets

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import Conflict


def new_token() -> str:
    """A fresh credentials token: 43 characters, 256 random bits (OCPI 2.2.1 mod_credentials, at most 64)."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """What is stored of a token that a partner presents. The token is random, so a salt would add nothing."""
    return hashlib.sha256(token.encode()).hexdigest()


_MOST_OPENED = 1000


class Vault:
    """Encrypts what has to be kept in clear to be used: our tokens at partners. Each is decrypted once."""

    def __init__(self, key: bytes | str) -> None:
        self._fernet = Fernet(key)
        self._opened: dict[str, str] = {}

    def lock(self, token: str) -> str:
        """The encrypted form."""
        return self._fernet.encrypt(token.encode()).decode("ascii")

    def seal(self, content: bytes) -> str:
        """As `lock`, for what others carry for us: letters, digits, `-` and `_` only."""
        return self._fernet.encrypt(content).decode("ascii").rstrip("=")

    def unseal(self, sealed: str) -> bytes:
        """The content again. Raises Conflict for what was not sealed with our secret key."""
        try:
            return self._fernet.decrypt((sealed + "=" * (-len(sealed) % 4)).encode())
        except (InvalidToken, ValueError):
            raise Conflict("this was not sealed here") from None

    def open(self, locked: str) -> str:
        """The token again. Raises Conflict where the secret key is not the one it was encrypted with."""
        known = self._opened.get(locked)
        if known is not None:
            return known
        try:
            token = self._fernet.decrypt(locked.encode("ascii")).decode()
        except InvalidToken:
            raise Conflict(
                "the stored token cannot be decrypted: VOLTBRIDGE_SECRET_KEY is not the one it was stored with"
            ) from None
        if len(self._opened) >= _MOST_OPENED:
            self._opened.clear()
        self._opened[locked] = token
        return token
