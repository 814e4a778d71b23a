"""What stands on a page that could not be made."""

from app.admin.console import parts
from app.admin.console.asking import Refusal


def refused(refusal: Refusal) -> None:
    """What the API refused, why, and its code."""
    with parts.box("div", "vb-failure", role="alert"):
        parts.text("h2", "Not found" if refusal.status == 404 else "This page cannot be shown")
        parts.text("p", refusal.detail)
        parts.text("p", f"Code: {refusal.status} {refusal.title}", "vb-note")
        parts.link("To the overview", "/")


def went_wrong() -> None:
    """An error that nobody expected."""
    with parts.box("div", "vb-failure", role="alert"):
        parts.text("h2", "This page cannot be shown")
        parts.text("p", "Something went wrong inside; the log of the server says what. Reloading may help.")
        parts.text("p", "Code: 500 Internal Server Error", "vb-note")
