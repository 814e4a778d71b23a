"""deploy/nginx.conf in a real nginx before the real program: a partner and a station of security profile 2 over TLS."""

import base64
import json
import os
import re
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import websockets
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from tests.flows.house import ADMIN_TOKEN, House, free_port

FILE = Path(__file__).parents[2] / "deploy" / "nginx.conf"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
PASSWORD = "stations-password-b7"

pytestmark = [
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
    # How a proxy hands things on does not hang on the database.
    pytest.mark.parametrize("database", ["sqlite"], indirect=True),
]


class Proxy:
    """nginx with our file on a free port, and a context that trusts its certificate."""

    def __init__(self, folder: Path, house: House) -> None:
        self.port = free_port()
        self.trust = ssl.create_default_context(cadata=_certificate(folder))
        inside = {"8000": house.url.rsplit(":", 1)[1], "9000": house.ocpp_url.rsplit(":", 1)[1]}
        text = FILE.read_text("utf-8").replace("/etc/ssl/voltbridge", str(folder))
        text = re.sub(r"127\.0\.0\.1:(\d+)", lambda found: f"127.0.0.1:{inside[found[1]]}", text)
        text = text.replace("listen 443 ssl", f"listen 127.0.0.1:{self.port} ssl")
        text = re.sub(r" *listen \[::\].*\n", "", text)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
        # Run as root, nginx would give its workers to somebody who cannot read our folder.
        user = "user root;\n" if os.geteuid() == 0 else ""
        self.config = folder / "main.conf"
        self.config.write_text(
            f"{user}pid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\n"
            f"http {{ access_log off;\n{temporary}{text}\n}}\n",
            "utf-8",
        )
        command = [str(NGINX), "-p", str(folder), "-c", str(self.config)]
        tried = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False, timeout=30)
        assert tried.returncode == 0, tried.stderr
        self.process = subprocess.Popen([*command, "-g", "daemon off;"])

    def get(self, name: str, path: str, **headers: str) -> httpx.Response:
        """GET as somebody outside would, by name."""
        with httpx.Client(verify=self.trust, trust_env=False) as client:
            return client.get(
                f"https://127.0.0.1:{self.port}{path}",
                headers={"Host": name, **headers},
                extensions={"sni_hostname": name},
            )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            with suppress(httpx.TransportError):
                self.get("roaming.example.com", "/nothing")
                return
            time.sleep(0.05)
        pytest.fail("nginx does not answer")


@pytest.fixture
def proxy(own_house: House, tmp_path: Path) -> Iterator[Proxy]:
    folder = tmp_path / "nginx"
    folder.mkdir()
    found = Proxy(folder, own_house)
    found.wait()
    yield found
    found.process.terminate()
    found.process.wait(10)


async def test_partners_reach_ocpi_and_the_world_nothing_else(own_house: House, proxy: Proxy) -> None:
    invited = await own_house.admin.post("partners", {"name": "eMSP"})
    token = base64.b64encode(invited["token_a"].encode()).decode()
    there = proxy.get("roaming.example.com", "/ocpi/cpo/versions", Authorization=f"Token {token}")
    assert (there.status_code, there.json()["status_code"]) == (200, 1000)
    assert proxy.get("roaming.example.com", "/ocpi/cpo/versions").status_code == 401
    assert proxy.get("roaming.example.com", "/").status_code == 404
    near = proxy.get("roaming.example.com", "/admin/v1/partners", Authorization=f"Bearer {ADMIN_TOKEN}")
    assert near.status_code == 200, "the operator's own machine"


@pytest.mark.parametrize("station_id", ["CP1", "CP%251"])
async def test_a_station_of_profile_2_is_let_in_by_its_password_alone(
    own_house: House, proxy: Proxy, station_id: str
) -> None:
    await own_house.admin.put(f"stations/{station_id}", {"security_profile": 2, "password": PASSWORD})
    own_house.secrets.add(PASSWORD)
    async with _socket(proxy, station_id, PASSWORD) as socket:
        boot = {"chargePointVendor": "V", "chargePointModel": "M"}
        await socket.send(json.dumps([2, "1", "BootNotification", boot]))
        answer = json.loads(await socket.recv())
        assert (answer[0], answer[1], answer[2]["status"]) == (3, "1", "Accepted")
        assert (await own_house.admin.get(f"stations/{station_id}"))["online"]
    for password in ("wrong", None):
        with pytest.raises(websockets.InvalidStatus) as refused:
            await _socket(proxy, station_id, password)
        assert refused.value.response.status_code == 401


def _socket(proxy: Proxy, station_id: str, password: str | None) -> Any:
    presented = base64.b64encode(f"{station_id.replace('%25', '%')}:{password}".encode()).decode()
    return websockets.connect(
        f"wss://ocpp.example.com:{proxy.port}/ocpp/{station_id}",
        host="127.0.0.1",
        ssl=proxy.trust,
        subprotocols=["ocpp1.6"],
        additional_headers={} if password is None else {"Authorization": f"Basic {presented}"},
        proxy=None,
    )


def _certificate(folder: Path) -> str:
    """One RSA certificate for both names, that signs itself; gives it as PEM."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "voltbridge")])
    names = [x509.DNSName("roaming.example.com"), x509.DNSName("ocpp.example.com")]
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem = certificate.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    for name in ("roaming", "ocpp"):
        (folder / f"{name}.crt").write_bytes(pem)
        (folder / f"{name}.key").write_bytes(secret)
    return pem.decode()
