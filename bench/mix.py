"""The load mix: what a station says, by which chance, in ready-made JSON."""

import random
import time

WEIGHTS = {"MeterValues": 60, "StatusNotification": 20, "Heartbeat": 10, "Transaction": 10}
"""Per cent of the calls. Transaction: StartTransaction and StopTransaction by turns."""

STATUSES = (b"Available", b"Preparing", b"Charging", b"Finishing")
"""One after the other, so that every StatusNotification changes something."""

ID_TAG = "BENCHTAG{:06d}"
STATION_ID = "BENCH{:06d}"

BOOT = (
    b'{"chargePointVendor":"Bench","chargePointModel":"One-22","chargePointSerialNumber":"SN-%d",'
    b'"firmwareVersion":"1.0.0","meterSerialNumber":"M-%d"}'
)
STATUS = b'{"connectorId":1,"errorCode":"NoError","status":"%s","timestamp":"%s"}'
START = b'{"connectorId":1,"idTag":"%s","meterStart":%d,"timestamp":"%s"}'
STOP = b'{"transactionId":%d,"idTag":"%s","meterStop":%d,"timestamp":"%s","reason":"Local"}'
METER = (
    b'{"connectorId":1%s,"meterValue":[{"timestamp":"%s","sampledValue":['
    b'{"value":"%d","context":"Sample.Periodic","measurand":"Energy.Active.Import.Register","unit":"Wh"},'
    b'{"value":"10994.6","context":"Sample.Periodic","measurand":"Power.Active.Import","unit":"W"},'
    b'{"value":"15.94","context":"Sample.Periodic","measurand":"Current.Import","phase":"L1","unit":"A"},'
    b'{"value":"230.1","context":"Sample.Periodic","measurand":"Voltage","phase":"L1-N","unit":"V"},'
    b'{"value":"61","context":"Sample.Periodic","measurand":"SoC","unit":"Percent"}]}]}'
)

_DRAWN = 100_003


def drawn(seed: int) -> list[str]:
    """A long sequence of kinds drawn by their weights; the same for the same seed."""
    return random.Random(seed).choices(list(WEIGHTS), list(WEIGHTS.values()), k=_DRAWN)


class Stamp:
    """The time as stations write it, to the millisecond; written anew at most every 2 ms."""

    def __init__(self) -> None:
        self._at = 0.0
        self._text = b""

    def now(self) -> bytes:
        """ISO 8601, UTC."""
        at = time.time()
        if at - self._at >= 0.002:
            self._at = at
            seconds, millis = divmod(int(at * 1000), 1000)
            self._text = (
                time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)).encode() + b".%03dZ" % millis
            )
        return self._text
