"""One session as a line of events: what the station said, what was decided, what partners were told and answered."""

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Response

from app.admin.answers import LIST, page_answer, time_or_none
from app.admin.context import Context
from app.admin.requests import Plain
from app.admin.stations.frame_words import words_of
from app.domain.cdrs import CdrState
from app.domain.sessions import AuthMethod
from app.domain.transactions import Interruption
from app.kit.logs import masked
from app.services.timelines import Kept, kept_of
from app.store.cdrs import StoredCdr
from app.store.frames import Frame
from app.store.messages import Message

router = APIRouter(prefix="/sessions", tags=["sessions"], dependencies=[Plain])

_SUCCESS = 1000
_REFUSED = 2000


@router.get("/{session_id}/timeline", summary="What happened in a session, oldest first", responses=LIST)
async def timeline(session_id: str, context: Context) -> Response:
    """From the plug to the partner. `kind`: station, decision, interruption, partner or record; `ok` false: it failed.

    `asked` and `answered` are what travelled, as far as the logs are kept. Meter values in a row are one entry,
    `until` the last.
    """
    kept = await kept_of(context.store, session_id, context.clock.now())
    names = {each.id: each.name for each in context.desk.registry.all()}
    entries = _joined(sorted(_entries(kept, names), key=lambda entry: entry["at"]))
    return page_answer(entries, len(entries))


def _entries(kept: Kept, names: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    if kept.transaction is not None:
        said = [(frame, words_of(frame, kept.transaction)) for frame in kept.frames]
        yield from _from_the_plug([_station(frame, words) for frame, words in said if words is not None])
        yield from (_interruption(each) for each in kept.transaction.interruptions)
    yield _decision(kept)
    yield from (_question(message, names) for message in kept.asked)
    yield from (_telling(message, kept, names) for message in kept.told)
    for record in kept.records:
        yield from _record(record)


def _entry(kind: str, at: Any, words: str, **more: Any) -> dict[str, Any]:
    """One entry; what it has not got is left out."""
    found = {"at": time_or_none(at), "kind": kind, "words": words}
    return found | {name: value for name, value in more.items() if value is not None}


def _station(frame: Frame, words: str) -> dict[str, Any]:
    return _entry(
        "station",
        frame.at,
        words,
        action=frame.action,
        ok=frame.outcome in (None, "result"),
        asked=_text(frame.request),
        answered=None if frame.answer is None else _text(frame.answer),
        message_id=frame.message_id,
    )


def _from_the_plug(said: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what the connector said before the car came, and after it had gone."""
    statuses = [place for place, each in enumerate(said) if each["action"] == "StatusNotification"]
    began = next((place for place, each in enumerate(said) if each["action"] == "StartTransaction"), 0)
    ended = next((place for place, each in enumerate(said) if each["action"] == "StopTransaction"), len(said))
    before = [place for place in statuses if place < began]
    plug = max((place for place in before if said[place]["words"].endswith("Preparing")), default=began)
    gone = min((place for place in statuses if place > ended), default=len(said))
    return [
        each
        for place, each in enumerate(said)
        if each["action"] != "StatusNotification" or plug <= place <= gone
    ]


def _interruption(each: Interruption) -> dict[str, Any]:
    return _entry(
        "interruption", each.since, f"Interrupted: {each.cause}", ok=False, until=time_or_none(each.until)
    )


def _decision(kept: Kept) -> dict[str, Any]:
    """How the driver was let in, or not."""
    session, transaction = kept.session, kept.transaction
    party = f"{session.token.country_code}-{session.token.party_id}"
    at = session.start_date_time if transaction is None else transaction.received_at
    if not session.let_in:
        return _entry("decision", at, f"Not let in: card {session.token.uid}", ok=False)
    how = {
        AuthMethod.WHITELIST: f"Authorised by what {party} said of the card before",
        AuthMethod.COMMAND: f"Authorised by a command of {party}",
        AuthMethod.AUTH_REQUEST: f"Authorised by {party}",
    }[session.auth_method]
    asked = next((each for each in reversed(kept.asked) if each.ocpi_status == _SUCCESS), None)
    took = (
        f" in {asked.duration_ms} ms"
        if asked is not None and session.auth_method is AuthMethod.AUTH_REQUEST
        else ""
    )
    reference = session.authorization_reference
    words = f"{how}{took}" + (f", reference {reference}" if reference else "")
    return _entry("decision", at, words, ok=True, reference=reference)


def _question(message: Message, names: Mapping[str, str]) -> dict[str, Any]:
    return _request(message, f"Asked {_name(message, names)} whether the card may charge", "decision")


def _telling(message: Message, kept: Kept, names: Mapping[str, str]) -> dict[str, Any]:
    about = "the session" if message.subject == f"session/{kept.session.id}" else "the record"
    return _request(message, f"{message.method} of {about} to {_name(message, names)}", "partner")


def _name(message: Message, names: Mapping[str, str]) -> str:
    return names.get(message.partner_id or "", message.partner_id or "")


def _request(message: Message, words: str, kind: str) -> dict[str, Any]:
    answered = message.http_status is not None
    took = f"{words}: {message.http_status}/{message.ocpi_status}" if answered else f"{words}: no answer"
    return _entry(
        kind,
        message.at,
        f"{took} in {message.duration_ms} ms",
        ok=message.ocpi_status is not None and _SUCCESS <= message.ocpi_status < _REFUSED,
        partner=message.partner_id,
        method=message.method,
        url=masked(message.url),
        asked=message.request and masked(message.request),
        answered=message.response and masked(message.response),
        correlation_id=message.correlation_id,
        request_id=message.request_id,
        duration_ms=message.duration_ms,
    )


def _record(stored: StoredCdr) -> Iterator[dict[str, Any]]:
    record = stored.record
    what = "Credit" if record.credit else "Record"
    held = stored.reason is not None
    made = f"{what} {record.id} held: {stored.reason}" if held else f"{what} {record.id} issued"
    yield _entry("record", stored.created_at, made, ok=not held, cdr=record.id)
    if stored.decided_at is not None:
        done = "discarded" if stored.state is CdrState.DISCARDED else "released"
        why = f": {stored.note}" if stored.note else ""
        yield _entry("record", stored.decided_at, f"{what} {record.id} {done}{why}", ok=True, cdr=record.id)


def _joined(entries: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Meter values in a row become one entry that counts them."""
    joined: list[dict[str, Any]] = []
    for entry in entries:
        last = joined[-1] if joined else None
        if last is not None and entry.get("action") == last.get("action") == "MeterValues":
            count = last.get("count", 1) + 1
            # The newest of them is shown: it tells the most.
            joined[-1] = entry | {
                "at": last["at"], "until": entry["at"], "count": count, "words": f"{count} messages of meter values",
            }  # fmt: skip
        else:
            joined.append(entry)
    return joined


def _text(raw: bytes) -> str:
    """What travelled, passwords masked."""
    return masked(raw.decode("utf-8", "backslashreplace"))
