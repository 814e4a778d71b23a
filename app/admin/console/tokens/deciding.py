"""Whether a token would be let in at a station, and by which row of the table."""

from typing import Any

from nicegui import ui

from app.admin.console import parts
from app.admin.console.tables import Column, Table
from app.admin.console.tokens import words
from app.admin.console.views import View

_COLUMNS = (
    Column("This one", "chip"),
    Column("A token that is"),
    Column("Issuer is asked"),
    Column("If not, or silent", "chip"),
)


class Deciding:
    """The question, the answer in one sentence, and the table with the row that applies."""

    def __init__(self, view: View, uid: str) -> None:
        self._view = view
        with parts.card("Would it be let in", note="nobody is asked, nothing is stored"):
            with parts.box("div", "vb-filters"):
                self._uid = ui.input("Uid", value=uid).props("outlined dense").classes("vb-search")
                self._station = ui.input("At the station").props("outlined dense").classes("vb-search")
                parts.button("Decide", view.act(self._decide), kind="main", icon="rule")
            for field in (self._uid, self._station):
                field.on("keydown.enter", view.act(self._decide))
            self._answer = parts.box("div", "vb-decision", role="status", aria_label="Decision")
            with parts.box("div") as self._whole:
                self._table = Table(
                    "Rules", _COLUMNS, nothing=("No rules", "The table is part of the program.")
                )
        self._whole.set_visibility(False)

    async def _decide(self) -> None:
        uid, station = (self._uid.value or "").strip(), (self._station.value or "").strip()
        if not uid or not station:
            self._view.tell("A uid and a station are needed.", "wait")
            return
        found = await self._view.api.get(f"/tokens/{uid}/decision", station=station)
        self._answer.clear()
        with self._answer:
            parts.chip(*words.chip_of(found))
            parts.text("p", words.sentence(found), "vb-strong")
            parts.facts([(name, value) for name, value in _facts(found) if value])
        self._table.show([_rule(each) for each in found["rules"]])
        self._whole.set_visibility(True)


def _facts(found: dict[str, Any]) -> list[tuple[str, str | None]]:
    token, turned = found["token"], found["backwards"]
    owners, strangers = (
        [f"{each['country_code']}-{each['party_id']}" for each in found[which]]
        for which in ("owners", "without_agreement")
    )
    return [
        (
            "Token",
            token and f"{token['uid']} ({token['type']}) of {token['country_code']}-{token['party_id']}",
        ),
        (
            "Does not count",
            f"{', '.join(strangers)}: no agreement on tokens with our CPO" if strangers else None,
        ),
        ("Several owners", ", ".join(owners) if len(owners) > 1 else None),
        ("Alias", "a short name that we gave to a long token" if found["alias"] else None),
        ("Asked", ", ".join(found["asks"])),
        (
            "Just answered",
            found["answered"] and f"{found['answered']['verdict']}, a start within minutes takes it over",
        ),
        (
            "Told backwards?",
            turned
            and f"with its bytes in reverse it would be {turned['token']['uid']}; the station can be set so",
        ),
    ]


def _rule(each: dict[str, Any]) -> list[Any]:
    verdict = each["otherwise"]
    return [
        ("Charging", "applies") if each["applies"] else ("off", "no"),
        words.STANDINGS[each["standing"]],
        "yes" if each["asks"] else "no",
        ("delivered" if verdict == "Accepted" else "dead", words.VERDICTS.get(verdict, verdict)),
    ]
