"""Why a token may charge at a station or not: the table's answer, explained without asking anybody."""

import msgspec

from app.domain.authorization import (
    TABLE,
    Admitted,
    Alias,
    Grant,
    GrantKind,
    Question,
    Shown,
    Standing,
    admit,
    to_ask,
)
from app.domain.charging import asking
from app.domain.charging.state import Known, StationState
from app.domain.charging.strangers import Admits, leave_out
from app.domain.errors import NotFound
from app.domain.stations import ChargingStation
from app.domain.tokens import Token, choose, uid_key
from app.domain.upkeep.uid_order import UidOrder, turned
from app.kit.clock import Clock
from app.store import grants, stations, tokens
from app.store.database.engine import Store


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """`decided` is the answer if nobody is asked, or answers; `question` what an issuer would be asked.

    `backwards` is the token that an unknown uid would be with its bytes the other way round; `strangers` are tokens
    of this uid that do not count, their issuers having no agreement with us.
    """

    shown: Shown
    decided: Admitted
    question: Question | None
    expected: Grant | None
    earlier: Grant | None
    backwards: Token | None
    strangers: tuple[Token, ...]


async def explain(store: Store, clock: Clock, id_tag: str, station_id: str, admits: Admits) -> Explanation:
    """What would happen if this id tag were shown at this station now; `admits` says whose tokens count.

    Raises NotFound (station).
    """
    now = clock.now()
    async with store.reading() as session:
        station = await stations.get(session, station_id)
        if station is None:
            raise NotFound(f"there is no station {station_id}")
        commanded = await grants.alias(session, id_tag)
        stored: Token | None = None
        if commanded is not None:
            stored = await tokens.get(
                session, commanded.country_code, commanded.party_id, commanded.uid, commanded.type
            )
        settled = [each for each in await grants.of_tag(session, id_tag) if each.station_id == station_id]
        other = turned(uid_key(id_tag))
        found = Known(
            tokens={key: await tokens.by_uid(session, key) for key in (uid_key(id_tag), other) if key},
            aliases={uid_key(id_tag): Alias(commanded=commanded, stored=stored)} if commanded else {},
            grants={uid_key(id_tag): settled},
        )
    strangers = [each for each in found.tokens.get(uid_key(id_tag), ()) if not admits(each)]
    leave_out(found, admits)
    shown = asking.shown(StationState(station.station, [], [], {}), found, id_tag, now)
    token = shown.token
    asks = to_ask(shown, now, reuse=False)
    decided = admit(shown, now)
    return Explanation(
        shown=shown,
        decided=decided,
        question=Question(
            uid=token.uid if token else shown.id_tag, token=token, location_id=station.station.location_id
        )
        if asks
        else None,
        expected=decided.grant,
        backwards=_backwards(station.station, decided, found.tokens.get(other or "", [])),
        earlier=shown.granted(GrantKind.ASKED) if TABLE[decided.standing].ask else None,
        strangers=tuple(strangers),
    )


def _backwards(station: ChargingStation, decided: Admitted, candidates: list[Token]) -> Token | None:
    if decided.standing is not Standing.UNKNOWN or station.uid_order is UidOrder.REVERSED:
        return None
    return choose(candidates)
