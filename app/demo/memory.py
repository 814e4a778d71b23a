"""What the demo keeps from one start to the next, in a file of its own beside the data (mode 0600: it holds tokens)."""

import json
import os
from pathlib import Path
from typing import Any


class Memory:
    """A small JSON object on disk; every change is written at once."""

    def __init__(self, state_dir: Path) -> None:
        self._path = state_dir / "demo" / "world.json"
        self._kept: dict[str, Any] = {}
        if self._path.exists():
            self._kept = json.loads(self._path.read_text())

    def get(self, name: str) -> Any:
        """What was kept under this name; None if nothing was."""
        return self._kept.get(name)

    def put(self, name: str, value: Any) -> None:
        """Keep a JSON value."""
        self._kept[name] = value
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = self._path.with_suffix(".new")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self._kept, file)
        draft.replace(self._path)

    def forget(self) -> None:
        """Nothing is kept any more."""
        self._kept = {}
        self._path.unlink(missing_ok=True)
