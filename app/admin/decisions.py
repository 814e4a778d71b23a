"""Why a token may charge at a station or not."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from app.admin.answers import answer, time_or_none
from app.admin.context import Context
from app.domain.authorization import TABLE, Grant, Standing
from app.domain.tokens import Token
from app.domain.upkeep.uid_order import UidOrder
from app.services.explaining import explain

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.get("/{uid}/decision", summary="Whether a token may charge at a station, and why; nobody is asked")
async def explain_decision(
    uid: str, context: Context, station: Annotated[str, Query(description="id of a station")]
) -> Response:
    """`verdict` is null where partners would be asked; `if_silent` is the answer if none of them says anything.

    `rules` is the whole table, with the row that applies; an `expected` token needs none of the others.
    `without_agreement` are tokens of this uid that do not count: their eMSPs are behind the hub and have no agreement
    with our CPO. `backwards`: the reader may tell bytes in reverse; the token it would be, and the station's setting for it.
    """
    found = await explain(context.store, context.clock, uid, station, context.issuers.admits)
    asked = context.issuers.to_ask(found.question) if found.question is not None else []
    verdict = str(found.decided.authorization.verdict)
    token = found.decided.token
    return answer(
        {
            "uid": uid,
            "station": station,
            "token": None if token is None else _token(token),
            "owners": [_token(each) for each in found.shown.candidates],
            "without_agreement": [_token(each) for each in found.strangers],
            "backwards": None
            if found.backwards is None
            else {"token": _token(found.backwards), "set": {"uid_order": str(UidOrder.REVERSED)}},
            "alias": found.shown.alias is not None,
            "standing": str(found.decided.standing),
            "expected": _grant(found.expected),
            "answered": _grant(found.earlier),
            "asks": [partner.id for partner in asked],
            "verdict": None if asked else verdict,
            "if_silent": verdict,
            "rules": _rules(None if found.expected else found.decided.standing),
        }
    )


def _rules(applies: Standing | None) -> list[dict[str, Any]]:
    return [
        {
            "standing": str(standing),
            "asks": rule.ask,
            "otherwise": str(rule.otherwise),
            "applies": standing is applies,
        }
        for standing, rule in TABLE.items()
    ]


def _token(token: Token) -> dict[str, Any]:
    return {
        "country_code": token.country_code,
        "party_id": token.party_id,
        "uid": token.uid,
        "type": str(token.type),
        "valid": token.valid,
        "whitelist": str(token.whitelist),
        "last_updated": time_or_none(token.last_updated),
    }


def _grant(grant: Grant | None) -> dict[str, Any] | None:
    """What was settled beforehand: a command, a reservation, or an issuer's answer that its start will take over."""
    if grant is None:
        return None
    return {
        "by": str(grant.kind),
        "verdict": str(grant.verdict),
        "authorization_reference": grant.reference,
        "at": time_or_none(grant.at),
        "until": time_or_none(grant.until),
    }
