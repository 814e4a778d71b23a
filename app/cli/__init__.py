"""The command line: `voltbridge`. Commands are in small files; `main` is the entry point."""

from app.cli.root import main

__all__ = ["main"]
