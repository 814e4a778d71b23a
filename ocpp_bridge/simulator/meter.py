"""The meter of one connector and the car at it: energy that adds up, and values as OCPP 1.6 sends them."""

from collections.abc import Callable
from typing import Any

from ocpp_bridge.simulator.ocmf import Signer
from ocpp_bridge.simulator.scenario import ChargeProfile


class Meter:
    """Counts Wh. A car is charged in steps of time; without a car nothing flows."""

    def __init__(self, profile: ChargeProfile, register_wh: float, signer: Signer | None) -> None:
        self.profile = profile
        self.register_wh = register_wh
        self.limit_kw = profile.max_kw
        self.soc = 0.0
        self.power_kw = 0.0
        self._signer = signer

    def arrive(self, soc: float) -> None:
        """A car with this state of charge (%) is there."""
        self.soc = soc

    def charge(self, seconds: float) -> None:
        """Let energy flow for a while."""
        self.power_kw = min(self.profile.power_kw(self.soc), self.limit_kw)
        kwh = self.power_kw * seconds / 3600
        self.register_wh += kwh * 1000
        self.soc = min(100.0, self.soc + kwh / self.profile.battery_kwh * 100)

    def rest(self) -> None:
        """Nothing flows."""
        self.power_kw = 0.0

    def register(self) -> int:
        """The reading in whole Wh, as StartTransaction and StopTransaction give it."""
        return int(self.register_wh)

    def sampled(self, wanted: list[str], context: str = "Sample.Periodic") -> list[dict[str, Any]]:
        """The wanted measurands as sampledValue elements (OCPP 1.6, 7.43)."""
        makers: dict[str, Callable[[], list[dict[str, Any]]]] = {
            "Energy.Active.Import.Register": lambda: [self._value(str(self.register()), "Wh")],
            "Power.Active.Import": lambda: [self._value(f"{self.power_kw * 1000:.0f}", "W")],
            "Current.Import": self._currents,
            "Voltage": self._voltages,
            "SoC": lambda: [self._value(f"{self.soc:.0f}", "Percent", location="EV")],
        }
        values = []
        for measurand in wanted:
            if measurand not in makers or (measurand == "SoC" and not self.profile.direct_current):
                continue
            values += [{"measurand": measurand, "context": context} | value for value in makers[measurand]()]
        return values

    def signed(self, context: str, stamp: str, id_tag: str) -> list[dict[str, Any]]:
        """The reading signed by the meter (OCMF), if this meter signs."""
        if self._signer is None:
            return []
        document = self._signer.reading(context, stamp, self.register_wh / 1000, id_tag)
        return [{"value": document, "format": "SignedData", "context": context}]

    def _currents(self) -> list[dict[str, Any]]:
        amperes = self.power_kw * 1000 / self.profile.voltage / self.profile.phases
        if self.profile.phases == 1:
            return [self._value(f"{amperes:.1f}", "A")]
        return [self._value(f"{amperes:.1f}", "A", phase=f"L{n}") for n in range(1, self.profile.phases + 1)]

    def _voltages(self) -> list[dict[str, Any]]:
        if self.profile.phases == 1:
            return [self._value(f"{self.profile.voltage:.0f}", "V")]
        phases = range(1, self.profile.phases + 1)
        return [self._value(f"{self.profile.voltage:.0f}", "V", phase=f"L{n}-N") for n in phases]

    @staticmethod
    def _value(value: str, unit: str, **more: str) -> dict[str, Any]:
        return {"value": value, "unit": unit} | more
