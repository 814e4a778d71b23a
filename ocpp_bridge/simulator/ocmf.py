"""Signed meter readings in the Open Charge Metering Format: text, JSON, and an ECDSA signature over it."""

import json

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

_READING = {"Transaction.Begin": "B", "Transaction.End": "E"}


class Signer:
    """A meter's key (secp256r1) and its counter of signed readings. `key`: as `dump` gave it, else a new one."""

    def __init__(self, serial_number: str, key: int | None = None, count: int = 0) -> None:
        self._serial_number = serial_number
        curve = ec.SECP256R1()
        self._key = ec.generate_private_key(curve) if key is None else ec.derive_private_key(key, curve)
        self._count = count

    def dump(self) -> tuple[int, int]:
        """The private key as a number, and how many readings were signed: for the next time."""
        return self._key.private_numbers().private_value, self._count

    @property
    def public_key(self) -> str:
        """The public key, DER in hex, to verify readings with."""
        form = serialization.PublicFormat.SubjectPublicKeyInfo
        return self._key.public_key().public_bytes(serialization.Encoding.DER, form).hex()

    def reading(self, context: str, stamp: str, kwh: float, id_tag: str) -> str:
        """One signed reading: `OCMF|{payload}|{signature}`."""
        self._count += 1
        payload = {
            "FV": "1.0", "GI": "Voltbridge simulator", "GS": self._serial_number, "PG": f"T{self._count}",
            "MV": "Voltbridge", "MM": "Simulated", "MS": self._serial_number, "IS": True, "IF": ["RFID_PLAIN"],
            "IT": "ISO14443", "ID": id_tag,
            "RD": [{"TM": f"{stamp} S", "TX": _READING.get(context, "C"), "RV": round(kwh, 3),
                    "RI": "1-b:1.8.0", "RU": "kWh", "ST": "G"}],
        }  # fmt: skip
        text = json.dumps(payload, separators=(",", ":"))
        signature = self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256())).hex()
        return f"OCMF|{text}|" + json.dumps({"SD": signature}, separators=(",", ":"))
