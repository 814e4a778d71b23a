"""Settings: defaults, one readable line for each wrong value, and secrets that stay secret."""

import logging
import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from app.settings import (
    Settings,
    SettingsError,
    admin_token,
    new_admin_token,
    prepare_state_dir,
    secret_key,
    unknown_variables,
)


@pytest.fixture(autouse=True)
def _bare_environment(monkeypatch, tmp_path):
    for name in list(os.environ):
        if name.startswith("VOLTBRIDGE_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def load(monkeypatch):
    def with_variables(**variables):
        for name, value in variables.items():
            monkeypatch.setenv(f"VOLTBRIDGE_{name}", str(value))
        return Settings.load()

    return with_variables


def test_nothing_needs_to_be_set(load):
    settings = load()
    assert settings.database_url == "sqlite+aiosqlite:///var/voltbridge.db"
    assert (settings.http_host, settings.http_port) == ("127.0.0.1", 8000)
    assert (settings.ocpp_host, settings.ocpp_port) == ("127.0.0.1", 9000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.ocpp_public_url == "ws://127.0.0.1:9000"
    assert (settings.country_code, settings.party_id) == ("NL", "VBR")
    assert (settings.hub_country_code, settings.hub_party_id) == ("NL", "VHB")
    assert (settings.unknown_stations, settings.hub_agreements) == ("pending", "closed")
    assert not any((settings.allow_profile_0, settings.allow_private_urls, settings.demo))


def test_the_public_urls_follow_the_listeners(load):
    settings = load(HTTP_HOST="::1", HTTP_PORT=81, OCPP_HOST="10.0.0.7", OCPP_PORT=82)
    assert settings.public_url == "http://[::1]:81"
    assert settings.ocpp_public_url == "ws://10.0.0.7:82"


def test_the_database_lies_in_the_state_directory_unless_named(load):
    assert load(STATE_DIR="/srv/volt").database_url == "sqlite+aiosqlite:////srv/volt/voltbridge.db"


def test_codes_are_written_in_capitals_and_urls_without_a_slash_at_the_end(load):
    settings = load(COUNTRY_CODE="de", PARTY_ID="v1r", PUBLIC_URL="https://r.example.com/base/")
    assert (settings.country_code, settings.party_id) == ("DE", "V1R")
    assert settings.public_url == "https://r.example.com/base"


def test_an_empty_variable_counts_as_absent(load):
    assert load(HTTP_PORT="", ADMIN_TOKEN="").http_port == 8000


def test_a_wildcard_bind_with_its_public_urls_is_fine(load):
    settings = load(
        HTTP_HOST="0.0.0.0", OCPP_HOST="::", PUBLIC_URL="https://a.example", OCPP_PUBLIC_URL="wss://b.example"
    )
    assert not settings.http_on_loopback
    assert not settings.ocpp_on_loopback


@pytest.mark.parametrize(
    ("wrong", "culprit"),
    [
        ({"HTTP_PORT": "eighty"}, "HTTP_PORT"),
        ({"HTTP_PORT": "70000"}, "HTTP_PORT"),
        ({"OCPP_PORT": "0"}, "OCPP_PORT"),
        ({"HTTP_HOST": "http://x"}, "HTTP_HOST"),
        ({"HTTP_HOST": "0.0.0.0"}, "PUBLIC_URL"),
        ({"OCPP_HOST": "0.0.0.0"}, "OCPP_PUBLIC_URL"),
        ({"OCPP_HOST": "::", "OCPP_PUBLIC_URL": ""}, "OCPP_PUBLIC_URL"),
        ({"PUBLIC_URL": "ftp://x"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://a.example/?x=1"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://a.example:99999"}, "PUBLIC_URL"),
        ({"OCPP_PUBLIC_URL": "https://a.example"}, "OCPP_PUBLIC_URL"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:p@h/d"}, "DATABASE_URL"),
        ({"COUNTRY_CODE": "NLD"}, "COUNTRY_CODE"),
        ({"COUNTRY_CODE": "N1"}, "COUNTRY_CODE"),
        ({"PARTY_ID": "VOLT"}, "PARTY_ID"),
        ({"HUB_PARTY_ID": "V-B"}, "HUB_PARTY_ID"),
        ({"HUB_PARTY_ID": "vbr"}, "HUB_PARTY_ID"),
        ({"UNKNOWN_STATIONS": "maybe"}, "UNKNOWN_STATIONS"),
        (
            {"UNKNOWN_STATIONS": "accept", "OCPP_HOST": "0.0.0.0", "OCPP_PUBLIC_URL": "ws://x"},
            "UNKNOWN_STATIONS",
        ),
        ({"HUB_AGREEMENTS": "ajar"}, "HUB_AGREEMENTS"),
        ({"DEMO": "perhaps"}, "DEMO"),
        ({"DEMO": "1", "HTTP_HOST": "10.0.0.1"}, "DEMO"),
        ({"DEMO": "1", "OCPP_HOST": "10.0.0.1"}, "DEMO"),
        ({"ADMIN_TOKEN": "two words"}, "ADMIN_TOKEN"),
        ({"LOG_LEVEL": "shout"}, "LOG_LEVEL"),
    ],
)
def test_a_wrong_value_is_one_line_that_names_the_variable(load, wrong, culprit):
    with pytest.raises(SettingsError) as caught:
        load(**wrong)
    text = str(caught.value)
    assert text.startswith(f"VOLTBRIDGE_{culprit}: ")
    assert "\n" not in text
    assert len(text) > len(f"VOLTBRIDGE_{culprit}: ") + 5


def test_unknown_stations_may_be_accepted_on_loopback_or_with_profile_0(load):
    assert load(UNKNOWN_STATIONS="accept").unknown_stations == "accept"
    open_door = {"OCPP_HOST": "0.0.0.0", "OCPP_PUBLIC_URL": "ws://x", "ALLOW_PROFILE_0": "1"}
    assert load(UNKNOWN_STATIONS="accept", **open_door).allow_profile_0


def test_an_error_never_shows_a_secret_value(load):
    with pytest.raises(SettingsError) as caught:
        load(DATABASE_URL="postgres://volt:hunter2@db/volt", ADMIN_TOKEN="hunter3 and more")
    assert "hunter" not in str(caught.value)


def test_secrets_stay_out_of_every_repr(load):
    settings = load(
        DATABASE_URL="postgresql+asyncpg://v:hunter1@h/d", ADMIN_TOKEN="hunter2", SECRET_KEY="hunter3"
    )
    assert "hunter" not in repr(settings)
    assert "hunter" not in str(settings)


def test_a_mistyped_variable_is_named_with_the_nearest_one(load, caplog):
    assert unknown_variables(["VOLTBRIDGE_HTTP_PROT", "PATH", "VOLTBRIDGE_HTTP_PORT"]) == [
        "VOLTBRIDGE_HTTP_PROT: unknown variable, ignored; did you mean VOLTBRIDGE_HTTP_PORT?"
    ]
    assert unknown_variables(["VOLTBRIDGE_TEST_DATABASE_URL"]) == []
    with caplog.at_level(logging.WARNING):
        load(OCCP_PORT=9001)
    assert [record.getMessage() for record in caplog.records] == [
        "VOLTBRIDGE_OCCP_PORT: unknown variable, ignored; did you mean VOLTBRIDGE_OCPP_PORT?"
    ]


def test_a_dot_env_file_is_read_and_the_environment_wins(load, tmp_path, caplog):
    (tmp_path / ".env").write_text(
        "VOLTBRIDGE_HTTP_PORT=8100\nVOLTBRIDGE_OCPP_PORT=9100\nVOLTBRIDGE_DMEO=1\n"
    )
    settings = load(OCPP_PORT=9200)
    assert (settings.http_port, settings.ocpp_port) == (8100, 9200)
    assert "did you mean VOLTBRIDGE_DEMO?" in caplog.text


def test_every_variable_of_the_example_file_is_known():
    lines = (Path(__file__).parents[2] / ".env.example").read_text("utf-8").splitlines()
    names = {line.lstrip("#").partition("=")[0] for line in lines if line.startswith("#VOLTBRIDGE_")}
    assert unknown_variables(names) == []
    assert names == {f"VOLTBRIDGE_{field.upper()}" for field in Settings.model_fields}


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_the_admin_token_is_made_once_and_only_its_owner_can_read_it(load, tmp_path):
    settings = load()
    token = admin_token(settings)
    assert len(token) >= 32
    assert admin_token(settings) == token
    assert mode(tmp_path / "var/admin-token") == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["admin-token"]


def test_a_token_file_that_everyone_can_read_is_closed_again(load, tmp_path):
    (tmp_path / "var").mkdir()
    (tmp_path / "var/admin-token").write_text("kept-token\n")
    (tmp_path / "var/admin-token").chmod(0o644)
    assert admin_token(load()) == "kept-token"
    assert mode(tmp_path / "var/admin-token") == 0o600


def test_a_new_admin_token_takes_the_place_of_the_old_one(load, tmp_path):
    settings = load()
    old = admin_token(settings)
    new = new_admin_token(settings)
    assert new != old
    assert admin_token(settings) == new
    assert mode(tmp_path / "var/admin-token") == 0o600


def test_a_given_admin_token_is_used_and_cannot_be_made_anew(load, tmp_path):
    settings = load(ADMIN_TOKEN="given-token")
    assert admin_token(settings) == "given-token"
    with pytest.raises(SettingsError, match=r"^VOLTBRIDGE_ADMIN_TOKEN: "):
        new_admin_token(settings)
    assert not (tmp_path / "var").exists()


def test_the_secret_key_is_made_once_and_encrypts(load, tmp_path):
    settings = load()
    box = Fernet(secret_key(settings)).encrypt(b"token")
    assert Fernet(secret_key(settings)).decrypt(box) == b"token"
    assert mode(tmp_path / "var/secret.key") == 0o600


def test_a_given_secret_key_of_any_text_always_gives_the_same_key(load):
    settings = load(SECRET_KEY="correct horse battery staple")
    assert secret_key(settings) == secret_key(settings) == b"xLvLH77JnWW_WdhcjLYu4tuWPw_hBvSD2a-nO9Tjmoo="
    Fernet(secret_key(settings))


def test_the_kept_secret_key_may_be_given_by_the_environment_instead(load):
    kept = secret_key(load())
    assert secret_key(load(SECRET_KEY=kept.decode())) == kept


def test_a_damaged_secret_key_is_never_replaced(load, tmp_path):
    (tmp_path / "var").mkdir()
    path = tmp_path / "var/secret.key"
    for content in ("garbage\n", ""):
        path.write_text(content)
        with pytest.raises(SettingsError, match=r"^VOLTBRIDGE_STATE_DIR: .*secret\.key"):
            secret_key(load())
        assert path.read_text() == content


@pytest.mark.parametrize("use", [admin_token, new_admin_token, secret_key, prepare_state_dir])
def test_a_state_directory_that_cannot_be_used_is_one_line(load, tmp_path, use):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(SettingsError, match=r"^VOLTBRIDGE_STATE_DIR: cannot use .*: Not a directory$"):
        use(load(STATE_DIR=tmp_path / "file" / "var"))


def test_a_state_directory_without_write_permission_is_one_line(load, tmp_path, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise PermissionError(13, "Permission denied")

    settings = load()
    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SettingsError, match=r"^VOLTBRIDGE_STATE_DIR: cannot use var: Permission denied$"):
        prepare_state_dir(settings)
