"""What a batch of messages has to know before it can be decided, asked for in one query each."""

from collections.abc import Iterable, Sequence
from typing import Any

from app.domain.audiences import PriceMaps
from app.domain.cdrs import CdrState
from app.domain.charging.decisions import Report, needs
from app.domain.charging.state import NOTHING, Known, Needs, StationState
from app.domain.charging.strangers import Admits, everybody, leave_out
from app.domain.locations import Location
from app.services.intake.states import resume
from app.store import cdrs, grants, locations, sessions, tariffs, tokens, transactions
from app.store.bulk.writer import Batch
from app.store.database.columns import micros


class LookUps:
    """Asks the database for batches; remembers which tariffs each site named, to ask for all things at once.

    `admits` says whose tokens count.
    """

    def __init__(self, admits: Admits = everybody) -> None:
        self._admits = admits
        self._named: dict[str, frozenset[str]] = {}

    async def look_up(
        self, batch: Batch, messages: Iterable[tuple[StationState, Report]], special: PriceMaps
    ) -> dict[str, Known]:
        """By station, what its messages need: tokens, earlier transactions, places with their tariffs.

        A station whose messages need nothing is not named. `special` are the prices of eMSPs that have their own.
        """
        wanted = _Wanted()
        known: dict[str, Known] = {}
        for state, report in messages:
            asked = needs(state, report)
            if asked is not NOTHING:
                wanted.add(state, asked)
                known.setdefault(state.station.id, Known(started={}, numbered={}, stopped=[], decided=set()))
        if known:
            await self._fill(batch, wanted, known, special)
        return known

    async def _fill(
        self, batch: Batch, wanted: "_Wanted", known: dict[str, Known], special: PriceMaps
    ) -> None:
        guessed = frozenset[str]().union(*(self._named.get(site, ()) for site in wanted.sites))
        (
            started,
            numbered,
            stopped,
            decided,
            uids,
            granted,
            aliases,
            awaited,
            sites,
            priced,
        ) = await batch.fetch_each(
            (transactions.STARTED_BY_KEY, _side_by_side(wanted.starts)),
            (transactions.TRANSACTIONS_BY_OCPP_ID, _side_by_side(wanted.numbers)),
            (transactions.STOPPED_AT, _side_by_side(wanted.stops)),
            (cdrs.DECIDED_BY_OCPP_ID, _side_by_side(wanted.records)),
            (tokens.TOKENS_BY_UID, [sorted(wanted.uid_keys | wanted.turned_keys)]),
            (grants.GRANTS_BY_UID, [sorted(wanted.uid_keys)]),
            (
                grants.ALIASES_BY_UID,
                [sorted(key for key in wanted.uid_keys if len(key) == grants.ALIAS_LENGTH)],
            ),
            (sessions.SESSIONS_BY_ID, [sorted(wanted.sessions)]),
            (locations.LOCATIONS_BY_KEY, [sorted(wanted.sites)]),
            (tariffs.TARIFFS_BY_KEY, [sorted(guessed)]),
        )
        met = Known(
            tokens=tokens.from_batch(uids),
            grants=grants.from_batch(granted),
            aliases=grants.aliases_from_batch(aliases),
        )
        leave_out(met, self._admits)
        places = locations.from_batch(sites)
        begun = sessions.from_batch(awaited)
        prices = tariffs.from_batch(priced)
        unexpected = self._note_named(places, special) - guessed
        if unexpected:
            prices |= tariffs.from_batch(await batch.fetch(tariffs.TARIFFS_BY_KEY, sorted(unexpected)))
        for one in known.values():
            one.tokens, one.locations, one.tariffs, one.prices = met.tokens, places, prices, special
            one.grants, one.aliases, one.sessions = met.grants, met.aliases, begun
        # Transactions that ended long ago, or that a restart took from memory, for repeated messages.
        for transaction in transactions.alone(started):
            known[transaction.station_id].started[transaction.start_key] = transaction
        for transaction in transactions.alone(stopped):
            known[transaction.station_id].stopped.append(transaction)
        for station_id, number, state in decided:
            if state != CdrState.HELD.value:
                known[station_id].decided.add(number)
        if numbered:
            for running in await resume(batch, numbered):
                known[running.transaction.station_id].numbered[running.transaction.ocpp_id] = running

    def _note_named(self, places: dict[str, Location], special: PriceMaps) -> frozenset[str]:
        """The tariffs that these places name now, in anybody's prices, remembered for the next time."""
        named = {key: _named_at(place, special) for key, place in places.items()}
        self._named |= named
        return frozenset[str]().union(*named.values())


class _Wanted:
    """All that the messages of a batch need, each thing once."""

    def __init__(self) -> None:
        self.uid_keys: set[str] = set()
        self.turned_keys: set[str] = set()
        self.starts: set[tuple[str, str]] = set()
        self.numbers: set[tuple[str, int]] = set()
        self.stops: set[tuple[int, str]] = set()
        self.records: set[tuple[str, int]] = set()
        self.sites: set[str] = set()
        self.sessions: set[str] = set()

    def add(self, state: StationState, asked: Needs) -> None:
        """What one message needs."""
        station_id, site = state.station.id, state.station.location_id
        self.uid_keys |= asked.uid_keys
        self.turned_keys |= asked.turned_keys
        self.sessions |= asked.session_ids
        self.starts.update((station_id, key) for key in asked.start_keys)
        self.numbers.update((station_id, number) for number in asked.ocpp_ids)
        self.stops.update((micros(at), station_id) for at in asked.stops)
        self.records.update((station_id, number) for number in asked.records_of)
        if asked.place and site:
            self.sites.add(site.upper())


def _named_at(place: Location, special: PriceMaps) -> frozenset[str]:
    named = {
        tariff_id.upper()
        for evse in place.evses
        for connector in evse.connectors
        for tariff_id in connector.tariff_ids
    }
    return frozenset(named | {each[key].upper() for each in special.values() for key in named & each.keys()})


def _side_by_side(pairs: Iterable[tuple[Any, Any]]) -> list[Sequence[Any]]:
    """Pairs as the two lists that a query reads side by side."""
    return list(zip(*sorted(pairs), strict=True)) or [[], []]
