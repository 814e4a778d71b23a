"""The OpenAPI documents as files, made from the code that serves them."""

import json
from pathlib import Path
from typing import Any


def documents() -> dict[str, dict[str, Any]]:
    """Each document by its file name."""
    from app.admin.api import document as admin
    from ocpi.server.openapi import document as ocpi

    return {"ocpi-2.2.1.json": ocpi(), "admin.json": admin()}


def rendered(document: dict[str, Any]) -> str:
    """A document as the text of its file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def stale(folder: Path) -> list[str]:
    """Names of the files in this folder that are not what the code gives."""
    return [
        name
        for name, document in documents().items()
        if not (folder / name).is_file() or (folder / name).read_text("utf-8") != rendered(document)
    ]


def write(folder: Path) -> list[Path]:
    """Write all documents; raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, document in documents().items():
        (folder / name).write_text(rendered(document), "utf-8")
        written.append(folder / name)
    return written
