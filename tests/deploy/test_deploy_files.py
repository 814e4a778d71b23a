"""The files in deploy/, read as far as that goes without an engine; proxies are asked where they are installed."""

import configparser
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from app.cluster.roles import Role
from app.settings import Settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
KNOWN = {f"VOLTBRIDGE_{name.upper()}" for name in Settings.model_fields}
PORTS = {str(Settings.model_fields[name].default) for name in ("http_port", "ocpp_port")}


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile, one (instruction, rest) per logical line."""
    text = (DEPLOY / "Dockerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return [(word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in lines)]


def compose(name: str = "compose.yml") -> dict:
    return yaml.safe_load((DEPLOY / name).read_text("utf-8"))


def test_the_image_runs_as_nobody_special_from_locked_packages() -> None:
    found = instructions()
    words = [word for word, _ in found]
    assert words[0] == "FROM"
    users = [rest for word, rest in found if word == "USER"]
    assert users == ["10001"]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert all(":" in rest.split()[0] for word, rest in found if word == "FROM"), "a tag is named"
    (install,) = (rest for word, rest in found if word == "RUN" and "pip install" in rest)
    assert "--require-hashes" in shlex.split(install)
    (health,) = (rest for word, rest in found if word == "HEALTHCHECK")
    assert "/readyz" in health
    assert set(next(rest for word, rest in found if word == "EXPOSE").split()) == PORTS


def test_all_that_is_copied_is_there_and_let_through() -> None:
    allowed = set((DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").split())
    for word, rest in instructions():
        if word == "COPY" and not rest.startswith("--from"):
            source = rest.split()[0]
            assert (ROOT / source).exists(), source
            assert f"!{source}" in allowed
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "bench"}
    assert packages <= {name.removeprefix("!") for name in allowed}


def test_every_variable_is_a_setting() -> None:
    environment = dict(
        pair.split("=", 1) for word, rest in instructions() if word == "ENV" for pair in rest.split()
    )
    given = {name for name in environment if name.startswith("VOLTBRIDGE_")}
    given |= set(compose()["services"]["voltbridge"]["environment"])
    given |= set(re.findall(r"VOLTBRIDGE_\w+", (DEPLOY / "voltbridge.service").read_text("utf-8")))
    assert given <= KNOWN
    assert {"VOLTBRIDGE_PUBLIC_URL", "VOLTBRIDGE_OCPP_PUBLIC_URL"} <= given, "a wildcard listener needs them"


def test_the_services_fit_together() -> None:
    services = compose()["services"]
    node = services["voltbridge"]
    assert (DEPLOY / node["build"]["context"] / node["build"]["dockerfile"]).is_file()
    assert all(port.startswith("127.0.0.1:") for port in node["ports"]), "nothing is open without TLS"
    assert {port.split(":")[2] for port in node["ports"]} == PORTS
    mounted = {each.split(":")[0] for service in services.values() for each in service["volumes"]}
    assert {name for name in mounted if not name.startswith(".")} == set(compose()["volumes"])
    (state,) = (rest for word, rest in instructions() if word == "VOLUME")
    assert f"state:{state}" in node["volumes"]
    asked = set(re.findall(r"\{\$(VOLTBRIDGE_\w+)", (DEPLOY / "Caddyfile").read_text("utf-8")))
    assert set(services["caddy"]["environment"]) == asked


def test_each_role_has_its_service_on_one_database() -> None:
    file = compose("compose.several.yml")
    services = file["services"]
    by_role = {each["command"][2]: each for each in services.values() if "command" in each}
    assert by_role.keys() == {str(role) for role in Role} - {"all"}
    for node in by_role.values():
        assert node["command"][:2] == ["serve", "--role"]
        assert set(node["environment"]) <= KNOWN
        # Nothing is kept in a container, so what is made at a first start elsewhere has to be given.
        assert {"VOLTBRIDGE_ADMIN_TOKEN", "VOLTBRIDGE_SECRET_KEY"} <= set(node["environment"])
        assert "volumes" not in node
        assert "ports" not in node
    (url,) = {each["environment"]["VOLTBRIDGE_DATABASE_URL"] for each in by_role.values()}
    plain = re.sub(r"\$\{[^}]*\}", "secret", url)
    assert Settings(database_url=plain).database_url == plain
    assert url.rpartition("@")[2].partition("/")[0] in services
    mounted = {each.split(":")[0] for service in services.values() for each in service.get("volumes", ())}
    assert {name for name in mounted if not name.startswith(".")} == set(file["volumes"])


def test_the_proxy_of_several_nodes_leads_to_the_services_that_listen() -> None:
    services = compose("compose.several.yml")["services"]
    given = services["caddy"]["environment"]
    asked = set(re.findall(r"\{\$(VOLTBRIDGE_\w+)", (DEPLOY / "Caddyfile").read_text("utf-8")))
    assert set(given) == asked
    for kind in ("http", "ocpp"):
        name, _, port = given[f"VOLTBRIDGE_{kind.upper()}_UPSTREAM"].partition(":")
        assert services[name]["command"][2] == kind
        assert port == str(Settings.model_fields[f"{kind}_port"].default)
    assert [name for name, service in services.items() if "ports" in service] == ["caddy"]


def test_the_unit_starts_the_program_as_its_own_user() -> None:
    unit = configparser.ConfigParser(strict=False, interpolation=None)
    unit.optionxform = str
    unit.read(DEPLOY / "voltbridge.service")
    service = unit["Service"]
    assert service["ExecStart"].endswith("python -m app serve")
    assert service["User"] == "voltbridge"
    assert f"/var/lib/{service['StateDirectory']}" in service["Environment"]


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_proxies_lead_to_both_ports_and_show_the_world_ocpi_alone(name: str) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    assert text.count("{") == text.count("}")
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == PORTS
    assert "/ocpi/" in text
    assert re.search(r"allow 127\.0\.0\.1;\s+allow ::1;\s+deny all;|remote_ip 127\.0\.0\.1 ::1", text)


def test_caddy_takes_its_file() -> None:
    caddy = shutil.which("caddy")
    if caddy is None:
        pytest.skip("caddy is not installed")
    asked = subprocess.run(
        [caddy, "adapt", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"],
        capture_output=True, text=True, check=False, timeout=30,
    )  # fmt: skip
    assert asked.returncode == 0, asked.stderr
