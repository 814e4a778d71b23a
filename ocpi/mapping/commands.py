"""Commands on the wire (OCPI 2.2.1 mod_commands)."""

from app.domain.remote import CommandReply, CommandResult
from ocpi.mapping.amounts import Body

_WORDS = {
    CommandResult.EVSE_OCCUPIED: "a session is under way at this EVSE",
    CommandResult.TIMEOUT: "the station did not answer in time",
    CommandResult.CANCELED_RESERVATION: "the operator has canceled the reservation",
    CommandResult.UNKNOWN_RESERVATION: "there is no such reservation",
}
_LONGEST = 512


def response_body(result: CommandReply, seconds: int, message: str | None) -> Body:
    """CommandResponse; the words are English."""
    body: Body = {"result": str(result), "timeout": seconds}
    return body | ({"message": [_text(message)]} if message else {})


def result_body(result: CommandResult) -> Body:
    """CommandResult."""
    body: Body = {"result": str(result)}
    return body | ({"message": [_text(_WORDS[result])]} if result in _WORDS else {})


def _text(words: str) -> Body:
    return {"language": "en", "text": words[:_LONGEST]}
