"""Values to store, and a bulk writer on the store of a test."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from app.domain.cdrs import ChargeDetailRecord
from app.domain.locations import Connector, Evse, GeoPoint, Location, Place
from app.domain.sessions import (
    AuthMethod,
    ChargingPeriod,
    ChargingSession,
    Dimension,
    SessionStatus,
    Snapshot,
)
from app.domain.stations import Admission, ChargingStation, ConnectorLink
from app.domain.status import EvseStatus
from app.domain.tariffs import Price, PriceComponent, Tariff, TariffDimension, TariffElement
from app.domain.tokens import Authorization, SessionToken, Token, TokenType, Verdict, Whitelist
from app.domain.transactions import StartAnswer, Transaction
from app.kit.clock import Clock
from app.store.bulk.writer import Writer
from app.store.database.engine import Store

NOON = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)


class Samples:
    """Makes one value of each kind; keyword arguments replace fields."""

    noon = NOON

    def location(self, id: str = "LOC1", uids: tuple[str, ...] = ("uid1",), **fields: Any) -> Location:  # noqa: A002
        connector = Connector(
            id="1",
            standard="IEC_62196_T2",
            format="SOCKET",
            power_type="AC_3_PHASE",
            max_voltage=230,
            max_amperage=32,
            tariff_ids=("T1",),
            last_updated=NOON,
        )
        evses = tuple(
            Evse(uid=uid, status=EvseStatus.AVAILABLE, connectors=(connector,), last_updated=NOON)
            for uid in uids
        )
        location = Location(
            country_code="NL",
            party_id="VBR",
            id=id,
            publish=True,
            address="Keizersgracht 1",
            city="Amsterdam",
            country="NLD",
            coordinates=GeoPoint(latitude="52.370216", longitude="4.895168"),
            time_zone="Europe/Amsterdam",
            evses=evses,
            details={
                "opening_times": {"twentyfourseven": True},
                "directions": [{"language": "nl", "text": "Zoë ⚡"}],
            },
            last_updated=NOON,
        )
        return msgspec.structs.replace(location, **fields)

    def tariff(self, id: str = "T1", **fields: Any) -> Tariff:  # noqa: A002
        component = PriceComponent(
            type=TariffDimension.ENERGY, price=Decimal("0.3025"), vat=Decimal("21.0"), step_size=1
        )
        tariff = Tariff(
            country_code="NL",
            party_id="VBR",
            id=id,
            currency="EUR",
            elements=(TariffElement(price_components=(component,)),),
            last_updated=NOON,
        )
        return msgspec.structs.replace(tariff, **fields)

    def token(self, uid: str = "04A1-b2c3", **fields: Any) -> Token:
        token = Token(
            country_code="DE",
            party_id="abc",
            uid=uid,
            type=TokenType.RFID,
            contract_id="DE-ABC-C12345678-X",
            issuer="Abc",
            valid=True,
            whitelist=Whitelist.ALWAYS,
            last_updated=NOON,
        )
        return msgspec.structs.replace(token, **fields)

    def session_token(self, party_id: str = "ABC") -> SessionToken:
        return SessionToken(
            country_code="DE",
            party_id=party_id,
            uid="04A1B2C3",
            type=TokenType.RFID,
            contract_id="DE-ABC-C12345678-X",
        )

    def place(self) -> Place:
        location = self.location()
        return Place(location=location, evse=location.evses[0], connector=location.evses[0].connectors[0])

    def snapshot(self) -> Snapshot:
        return Snapshot(place=self.place(), tariff=self.tariff(), token=self.session_token())

    def session(self, id: str = "S1", party_id: str = "ABC", **fields: Any) -> ChargingSession:  # noqa: A002
        session = ChargingSession(
            country_code="NL",
            party_id="VBR",
            id=id,
            start_date_time=NOON,
            kwh=Decimal("1.2340"),
            token=self.session_token(party_id),
            auth_method=AuthMethod.WHITELIST,
            location_id="LOC1",
            evse_uid="uid1",
            connector_id="1",
            currency="EUR",
            periods=(ChargingPeriod(start=NOON, dimensions=(Dimension("ENERGY", Decimal("1.2340")),)),),
            total_cost=Price(excl_vat=Decimal("0.37")),
            status=SessionStatus.ACTIVE,
            last_updated=NOON,
        )
        return msgspec.structs.replace(session, **fields)

    def cdr(self, id: str = "C1", party_id: str = "ABC", **fields: Any) -> ChargeDetailRecord:  # noqa: A002
        cdr = ChargeDetailRecord(
            country_code="NL",
            party_id="VBR",
            id=id,
            start_date_time=NOON,
            end_date_time=NOON,
            session_id="S1",
            token=self.session_token(party_id),
            auth_method=AuthMethod.WHITELIST,
            place=self.place(),
            currency="EUR",
            tariffs=(self.tariff(),),
            periods=(ChargingPeriod(start=NOON, dimensions=(Dimension("ENERGY", Decimal("1.2340")),)),),
            total_cost=Price(excl_vat=Decimal("0.37"), incl_vat=Decimal("0.4477")),
            total_energy=Decimal("1.2340"),
            total_time=Decimal("0.5"),
            last_updated=NOON,
        )
        return msgspec.structs.replace(cdr, **fields)

    def station(self, id: str = "CP1", **fields: Any) -> ChargingStation:  # noqa: A002
        station = ChargingStation(
            id=id,
            state=Admission.ACCEPTED,
            location_id="LOC1",
            connectors=(ConnectorLink(evse=1, evse_uid="uid1", connector_id="1"),),
            last_updated=NOON,
        )
        return msgspec.structs.replace(station, **fields)

    def transaction(self, ref: str = "tx1", **fields: Any) -> Transaction:
        values: dict[str, Any] = {
            "ref": ref,
            "station_id": "CP1",
            "start_key": f"1|TAG|{ref}|0",
            "ocpp_id": abs(hash(ref)) % 2**31,
            "evse": 1,
            "connector": 1,
            "id_tag": "TAG",
            "started_at": NOON,
            "received_at": NOON,
            "meter_start": Decimal("1000.50"),
            "answer": StartAnswer(transaction_id=7, authorization=Authorization(verdict=Verdict.ACCEPTED)),
            "session_id": "S1",
            "heard_at": NOON,
        }
        return Transaction(**(values | fields))


@pytest.fixture
def make() -> Samples:
    return Samples()


@pytest.fixture
async def writer(store: Store, clock: Clock) -> AsyncIterator[Writer]:
    opened = Writer(store, clock)
    yield opened
    await opened.close()
