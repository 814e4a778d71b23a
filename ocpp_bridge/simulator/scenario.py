"""What stations and cars are like, as data: charge profiles, visits, faults, and the plan of a station."""

from datetime import datetime
from typing import Any

import msgspec


class ChargeProfile(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of connector charges. `curve`: (state of charge in %, share of `max_kw`), rising in the first."""

    name: str
    standard: str
    direct_current: bool
    phases: int
    voltage: float
    max_kw: float
    battery_kwh: float
    curve: tuple[tuple[float, float], ...]

    def power_kw(self, soc: float) -> float:
        """Power in kW that a car takes at a state of charge, between the points of the curve."""
        below = self.curve[0]
        for point in self.curve:
            if soc <= point[0]:
                span = point[0] - below[0]
                share = point[1] if not span else below[1] + (point[1] - below[1]) * (soc - below[0]) / span
                return self.max_kw * share
            below = point
        return self.max_kw * below[1]


_AC_CURVE = ((0.0, 1.0), (95.0, 1.0), (99.0, 0.35), (100.0, 0.1))
_CCS_CURVE = ((0.0, 0.75), (8.0, 1.0), (45.0, 0.95), (60.0, 0.7), (80.0, 0.4), (90.0, 0.18), (100.0, 0.05))
_CHADEMO_CURVE = ((0.0, 0.9), (55.0, 0.9), (80.0, 0.55), (100.0, 0.08))

TYPE2_11 = ChargeProfile(
    name="AC Type 2, 11 kW",
    standard="IEC_62196_T2",
    direct_current=False,
    phases=3,
    voltage=230.0,
    max_kw=11.0,
    battery_kwh=58.0,
    curve=_AC_CURVE,
)
TYPE2_22 = msgspec.structs.replace(TYPE2_11, name="AC Type 2, 22 kW", max_kw=22.0, battery_kwh=52.0)
TYPE2_ONE_PHASE = msgspec.structs.replace(
    TYPE2_11, name="AC Type 2, one phase", phases=1, max_kw=7.4, battery_kwh=40.0
)
CCS_50 = ChargeProfile(
    name="CCS, 50 kW",
    standard="IEC_62196_T2_COMBO",
    direct_current=True,
    phases=1,
    voltage=400.0,
    max_kw=50.0,
    battery_kwh=64.0,
    curve=_CCS_CURVE,
)
CCS_150 = msgspec.structs.replace(CCS_50, name="CCS, 150 kW", max_kw=150.0, battery_kwh=77.0)
CCS_300 = msgspec.structs.replace(CCS_50, name="CCS, 300 kW", voltage=800.0, max_kw=300.0, battery_kwh=93.0)
CHADEMO_50 = msgspec.structs.replace(
    CCS_50, name="CHAdeMO, 50 kW", standard="CHADEMO", battery_kwh=40.0, curve=_CHADEMO_CURVE
)
PROFILES = (TYPE2_11, TYPE2_22, TYPE2_ONE_PHASE, CCS_50, CCS_150, CCS_300, CHADEMO_50)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """One car at a connector: who pays, how full it arrives and leaves (%), how long it stays on when full (s)."""

    id_tag: str
    arrives_at: float = 20.0
    leaves_at: float = 80.0
    longest_seconds: float = 3600.0
    stays_seconds: float = 0.0


class PastVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of an earlier time. `meter_changed`: in the middle of it the register began again at zero."""

    connector: int
    began: datetime
    visit: Visit
    meter_changed: bool = False


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with a connector for a while, as a StatusNotification says it.

    `status` None: only a warning, whatever the connector does goes on.
    """

    error_code: str = "GroundFailure"
    status: str | None = "Faulted"
    info: str | None = None
    vendor_error_code: str | None = None
    seconds: float = 60.0


class StationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """One station: its id, its connectors (numbered from 1), its password, its meter, and its settings.

    `meter_key`: what `Signer.dump` gave, for a meter that signs with the key it had before. `paced`: it tells of its
    history at the fleet's pace, else as quickly as it is answered.
    """

    id: str
    connectors: tuple[ChargeProfile, ...]
    vendor: str = "Voltbridge"
    model: str = "Simulated 16"
    serial_number: str | None = None
    firmware_version: str = "1.0.0"
    password: str | None = None
    signed: bool = False
    meter_key: tuple[int, ...] = ()
    paced: bool = True
    register_wh: int = 1_000_000
    settings: dict[str, str] = {}


class Traffic(msgspec.Struct, frozen=True, kw_only=True):
    """How busy a station is: whose cars come, how long a connector stays free, and how visits go, in seconds.

    `charge_seconds` and `stay_seconds` None: as long as the cars want. `by_the_hour`: at night fewer come than by day.
    """

    id_tags: tuple[str, ...]
    free_seconds: tuple[float, float] = (20.0, 120.0)
    charge_seconds: tuple[float, float] | None = (120.0, 900.0)
    stay_seconds: tuple[float, float] | None = (0.0, 60.0)
    by_the_hour: bool = False
    fault_chance: float = 0.02
    offline_chance: float = 0.0
    offline_seconds: tuple[float, float] = (30.0, 120.0)


SETTINGS: dict[str, tuple[str, bool]] = {
    # key: (value, read-only)
    "AllowOfflineTxForUnknownId": ("true", False),
    "AuthorizeRemoteTxRequests": ("false", False),
    "ClockAlignedDataInterval": ("0", False),
    "ConnectionTimeOut": ("60", False),
    "GetConfigurationMaxKeys": ("50", True),
    "HeartbeatInterval": ("300", False),
    "LocalAuthListEnabled": ("false", False),
    "MeterValueSampleInterval": ("60", False),
    "MeterValuesSampledData": (
        "Energy.Active.Import.Register,Power.Active.Import,Current.Import,Voltage,SoC",
        False,
    ),
    "NumberOfConnectors": ("1", True),
    "ReserveConnectorZeroSupported": ("false", True),
    "StopTransactionOnInvalidId": ("true", False),
    "SupportedFeatureProfiles": (
        "Core,RemoteTrigger,SmartCharging,LocalAuthListManagement,Reservation",
        True,
    ),
    "TransactionMessageAttempts": ("3", False),
    "TransactionMessageRetryInterval": ("60", False),
    "WebSocketPingInterval": ("0", False),
}
"""Configuration keys of a simulated station at the factory."""


def configuration(plan: StationPlan) -> dict[str, tuple[str, bool]]:
    """The keys of one station: the factory's, its number of connectors, then what its plan sets."""
    keys: dict[str, Any] = dict(SETTINGS)
    keys["NumberOfConnectors"] = (str(len(plan.connectors)), True)
    for key, value in plan.settings.items():
        keys[key] = (value, keys.get(key, ("", False))[1])
    return keys
