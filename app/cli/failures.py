"""Failures that a person at the terminal can do something about: one clear line, exit code 1, no traceback."""

import contextlib
from collections.abc import Iterator


class Failure(Exception):
    """What cannot be done, in one line; `status` where the server's answer said so."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def expected() -> Iterator[None]:
    """Settings, databases and ports that cannot be used are said in their own one line."""
    # Late imports: `voltbridge --help` must not wait for a database driver.
    from app.kit.listeners import ListenError
    from app.settings import SettingsError
    from app.store.database.errors import StoreError

    try:
        yield
    except (SettingsError, StoreError, ListenError) as error:
        raise Failure(str(error)) from None
