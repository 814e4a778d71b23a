"""What the demo keeps from one start to the next, in files of its own beside the data (mode 0600: they hold tokens)."""

import json
import os
import shutil
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
        _write(self._path, self._kept)

    def forget(self) -> None:
        """Nothing is kept any more."""
        self._kept = {}
        self._path.unlink(missing_ok=True)


class Chips:
    """The flash memories of the stations: one JSON object each, written before what it holds is sent."""

    def __init__(self, state_dir: Path) -> None:
        self._folder = state_dir / "demo" / "stations"

    def read(self, station_id: str) -> dict[str, Any] | None:
        """What the station kept; None if it was never switched on."""
        path = self._folder / f"{station_id}.json"
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def write(self, station_id: str, kept: dict[str, Any]) -> None:
        """Keep this instead of what was kept."""
        _write(self._folder / f"{station_id}.json", kept)

    def forget(self) -> None:
        """All stations are as new."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _write(path: Path, kept: dict[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_suffix(".new")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        json.dump(kept, file)
    draft.replace(path)
