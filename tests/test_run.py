"""run.py: what a person types first, and the one line they get when it cannot be done."""

import ast
import base64
import functools
import hashlib
import http.server
import importlib.util
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "run.py"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """run.py as a module that believes to live in an empty folder."""
    spec = importlib.util.spec_from_file_location("run_under_test", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "HERE", str(tmp_path))
    monkeypatch.setattr(module, "VENV", str(tmp_path / ".venv"))
    monkeypatch.setattr(module, "BIN", str(tmp_path / ".venv/bin"))
    monkeypatch.setattr(module, "PYTHON", str(tmp_path / ".venv/bin/python"))
    for name in list(os.environ):
        if name.startswith(("VOLTBRIDGE_", "PIP_", "UV_")):
            monkeypatch.delenv(name)
    return module


def typed(*words, cwd=ROOT, **environment):
    """What `python run.py ...` says and how it ends."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_an_old_python_gets_one_line_and_no_traceback():
    pretend = (
        "import sys, runpy; sys.version_info = (3, 8, 10); runpy.run_path('run.py', run_name='__main__')"
    )
    ended = typed("-c", pretend)
    assert ended.returncode == 1
    assert ended.stderr == "Voltbridge needs Python 3.11 or newer; this is 3.8. Try: python3.13 run.py\n"


def test_old_pythons_can_parse_it_and_check_their_version_before_anything_else():
    source = SCRIPT.read_text("utf-8")
    assert source.isascii()
    tree = ast.parse(source, feature_version=(3, 7))
    assert [type(node).__name__ for node in tree.body[:3]] == ["Expr", "Import", "If"]
    assert ast.unparse(tree.body[2].test) == "sys.version_info < (3, 11)"
    too_new = (ast.JoinedStr, ast.AnnAssign, ast.NamedExpr, ast.AsyncFunctionDef, ast.Nonlocal, ast.Starred)
    assert [node.lineno for node in ast.walk(tree) if isinstance(node, too_new)] == []
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    assert [
        f.name for f in functions if f.returns or f.args.kwonlyargs or any(a.annotation for a in f.args.args)
    ] == []
    assert not re.search(r"\bprint\(|\bfrom None\b", source)


def test_it_uses_nothing_but_the_standard_library():
    imported = {
        name.name.partition(".")[0]
        for node in ast.walk(ast.parse(SCRIPT.read_text("utf-8")))
        if isinstance(node, ast.Import)
        for name in node.names
    }
    assert imported <= sys.stdlib_module_names


def test_help_lists_every_command_and_an_unknown_word_is_an_error():
    helped = typed("run.py", "--help")
    assert helped.returncode == 0
    for command in ("run", "install", "test", "bench", "lint", "lock"):
        assert f"\n  {command} " in helped.stdout
    wrong = typed("run.py", "tset")
    assert wrong.returncode == 2
    assert wrong.stdout == ""


@pytest.mark.parametrize("target", ["install", "run", "test", "bench", "lint", "lock"])
@pytest.mark.skipif(not shutil.which("make"), reason="make is not installed")
def test_the_makefile_calls_run_py_and_nothing_else(target):
    planned = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", target, "ARGS=-k one", "PYTHON=py"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert planned.stdout.splitlines() == [f"py run.py {target} -k one"]


def test_the_locks_name_no_place_and_hash_everything():
    for name in ("requirements.lock", "requirements-dev.lock"):
        text = (ROOT / name).read_text("utf-8")
        assert not re.search(r"://|index-url|find-links|file:", text)
        pins = re.findall(r"^[a-z0-9][^ ]*==.*$", text, re.MULTILINE)
        assert len(pins) > 40
        assert all(pin.endswith("\\") for pin in pins)
        assert {"hatchling", "editables"} <= {pin.partition("==")[0] for pin in pins}


def test_the_locks_agree_with_each_other_and_cover_what_the_project_needs():
    def pins(name):
        found = re.findall(
            r"^([a-z0-9][^=\[ ]*)(?:\[[^\]]*\])?==([^ ;]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE
        )
        return dict(found)

    runtime, dev = pins("requirements.lock"), pins("requirements-dev.lock")
    assert runtime.items() <= dev.items()
    project = (ROOT / "pyproject.toml").read_text("utf-8").partition("[dependency-groups]")[0]
    needed = set(re.findall(r'^    "([a-z0-9-]+)', project, re.MULTILINE))
    assert needed <= runtime.keys()


def installed(run, what="runtime"):
    """Make the folder look as after an installation."""
    for name in ("requirements.lock", "requirements-dev.lock", "pyproject.toml"):
        Path(run.HERE, name).write_text(name)
    Path(run.BIN).mkdir(parents=True)
    Path(run.PYTHON).symlink_to(sys.executable)
    Path(run.BIN, "voltbridge").touch()
    Path(run.VENV, f".installed-{what}").write_text(run.fingerprint(what))


def test_a_second_installation_does_nothing_and_needs_no_network(run, monkeypatch, capsys):
    installed(run)
    monkeypatch.setattr(run, "quiet_call", lambda *_: pytest.fail("something was started"))
    run.install("runtime")
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("changed", ["requirements.lock", "pyproject.toml"])
def test_a_changed_lock_or_project_file_installs_again(run, monkeypatch, changed):
    installed(run)
    Path(run.HERE, changed).write_text("other")
    calls = []
    monkeypatch.setattr(run, "quiet_call", lambda program, *_: calls.append(program[1:3]))
    monkeypatch.setattr(run, "ensure_uv", lambda: "uv")
    run.install("runtime")
    assert calls == [["pip", "install"], ["pip", "install"]]
    calls.clear()
    run.install("runtime")
    assert calls == []


def test_a_moved_folder_gets_a_new_environment(run, monkeypatch):
    installed(run)
    stamp = Path(run.VENV, ".installed-runtime")
    stamp.write_text("/elsewhere\n" + stamp.read_text().split("\n", 1)[1])
    monkeypatch.setattr(run.shutil, "which", lambda *_, **__: "/bin/uv")
    calls = []
    monkeypatch.setattr(run, "quiet_call", lambda program, *_: calls.append(program[:2]))
    run.ensure_venv()
    assert calls == [["/bin/uv", "venv"]]
    assert not stamp.exists()


def test_an_environment_that_somebody_else_made_is_used_as_it_is(run):
    installed(run)
    Path(run.VENV, ".installed-runtime").unlink()
    run.ensure_venv()
    assert Path(run.BIN, "voltbridge").exists()


def test_a_folder_that_cannot_be_written_to_is_one_line(run, monkeypatch, capsys):
    monkeypatch.setattr(run.os, "access", lambda *_: False)
    for name in ("requirements.lock", "pyproject.toml"):
        Path(run.HERE, name).write_text(name)
    assert run.main(["install"]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"Cannot write to {run.HERE}: ")
    assert error.count("\n") == 1


def test_an_error_of_the_system_is_one_line(run, capsys):
    assert run.main(["install"]) == 1
    assert capsys.readouterr().err == f"{run.HERE}/requirements.lock: No such file or directory\n"


def dead_index():
    """An address where nothing listens, with credentials that must not be shown."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://user:hunter2@127.0.0.1:{free.getsockname()[1]}/simple"


def test_a_failed_download_is_one_line_without_traceback_or_password(tmp_path):
    for name in ("run.py", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    index = dead_index()
    ended = typed(
        "run.py", "install", cwd=tmp_path,
        PIP_INDEX_URL=index, PIP_NO_INDEX="0", PIP_RETRIES="0", PIP_CONFIG_FILE=os.devnull, PIP_FIND_LINKS="",
        PIP_EXTRA_INDEX_URL=index, UV_INDEX_URL=index, UV_HTTP_RETRIES="0", UV_CACHE_DIR=str(tmp_path / "cache"),
    )  # fmt: skip
    assert ended.returncode == 1
    assert ended.stderr.startswith("Installing failed: ")
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr
    assert "hunter2" not in ended.stderr


def test_pip_and_uv_are_pointed_to_the_same_index(run, monkeypatch):
    monkeypatch.setattr(run, "pip_setting", lambda _: "")
    assert "UV_DEFAULT_INDEX" not in run.index_environment()
    monkeypatch.setattr(run, "pip_setting", lambda _: "https://from.pip.conf/simple")
    assert run.index_environment()["UV_DEFAULT_INDEX"] == "https://from.pip.conf/simple"
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror/simple")
    assert run.index_environment()["UV_DEFAULT_INDEX"] == "https://mirror/simple"
    monkeypatch.delenv("PIP_INDEX_URL")
    monkeypatch.setenv("UV_INDEX_URL", "https://other/simple")
    environment = run.index_environment()
    assert environment["PIP_INDEX_URL"] == "https://other/simple"
    assert "UV_DEFAULT_INDEX" not in environment


@pytest.fixture
def index(tmp_path):
    """A package index that offers pip to whoever knows the password; its URL and what it serves."""
    wheel = b"the newest pip"
    folder = tmp_path / "index"
    (folder / "simple/pip").mkdir(parents=True)
    (folder / "files").mkdir()
    newest = folder / "files/pip-26.10-py3-none-any.whl"
    newest.write_bytes(wheel)
    lines = [
        f'<a href="../../files/pip-26.{n}-py3-none-any.whl#sha256={hashlib.sha256(content).hexdigest()}">x</a>'
        for n, content in ((9, b"old"), (10, wheel))
    ]
    (folder / "simple/pip/index.html").write_text("\n".join(lines))
    wanted = "Basic " + base64.b64encode(b"user:p@ss").decode()

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.headers["Authorization"] == wanted:
                super().do_GET()
            else:
                self.send_error(401)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Handler, directory=folder)
    ) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://user:p%40ss@127.0.0.1:{server.server_port}/simple", newest
        server.shutdown()


def test_a_python_without_pip_fetches_the_newest_pip_from_the_index(run, index, tmp_path):
    url, _ = index
    path = Path(run.download_pip(url, str(tmp_path)))
    assert path.name == "pip-26.10-py3-none-any.whl"
    assert path.read_bytes() == b"the newest pip"


def test_a_pip_with_a_wrong_hash_and_a_wrong_password_and_no_index_are_refused(run, index, tmp_path):
    url, newest = index
    newest.write_bytes(b"tampered")
    with pytest.raises(run.Failure, match="does not match its hash"):
        run.download_pip(url, str(tmp_path))
    with pytest.raises(run.Failure, match="401"):
        run.download_pip(url.replace("p%40ss", "wrong"), str(tmp_path))
    with pytest.raises(run.Failure, match="python3-venv"):
        run.download_pip("", str(tmp_path))
    with pytest.raises(run.Failure, match="must begin with"):
        run.download_pip("file:///etc", str(tmp_path))


@pytest.mark.parametrize(
    ("environment", "dot_env", "switched_on"),
    [
        ({}, "", {"DEMO", "ALLOW_PRIVATE_URLS"}),
        ({"DEMO": "0"}, "", {"ALLOW_PRIVATE_URLS"}),
        ({}, "VOLTBRIDGE_DEMO=0\n", {"ALLOW_PRIVATE_URLS"}),
        ({}, "# VOLTBRIDGE_DEMO=0\nexport VOLTBRIDGE_ALLOW_PRIVATE_URLS='0'\n", {"DEMO"}),
        ({"HTTP_HOST": "0.0.0.0"}, "", set()),
        ({}, 'VOLTBRIDGE_OCPP_HOST="10.0.0.1"\n', set()),
        ({"OCPP_HOST": "::1", "HTTP_HOST": "localhost"}, "", {"DEMO", "ALLOW_PRIVATE_URLS"}),
        ({"HTTP_HOST": ""}, "", {"DEMO", "ALLOW_PRIVATE_URLS"}),
    ],
)
def test_the_demo_is_switched_on_unless_told_otherwise_and_only_on_loopback(
    run, monkeypatch, environment, dot_env, switched_on
):
    for name, value in environment.items():
        monkeypatch.setenv(f"VOLTBRIDGE_{name}", value)
    Path(run.HERE, ".env").write_text(dot_env)
    assert run.demo_environment() == {f"VOLTBRIDGE_{name}": "1" for name in switched_on}


def test_run_starts_the_server_with_the_demo_and_hands_its_arguments_on(run, monkeypatch):
    installed(run)
    program = Path(run.BIN, "voltbridge")
    started = []
    monkeypatch.setattr(run.os, "execv", lambda path, words: started.append((path, words, dict(os.environ))))
    assert run.main(["run", "--role", "http"]) == 0
    ((path, words, environment),) = started
    assert (path, words) == (str(program), [str(program), "serve", "--role", "http"])
    assert environment["VOLTBRIDGE_DEMO"] == environment["VOLTBRIDGE_ALLOW_PRIVATE_URLS"] == "1"
    for name in ("VOLTBRIDGE_DEMO", "VOLTBRIDGE_ALLOW_PRIVATE_URLS"):
        monkeypatch.delenv(name)


def test_test_runs_every_check_and_with_arguments_only_pytest(run, monkeypatch):
    installed(run, "dev")
    calls = []
    monkeypatch.setattr(
        run, "check_call", lambda program: calls.append(" ".join(map(os.path.basename, program)))
    )
    run.main(["test"])
    assert calls == [
        "python -m ruff check .",
        "python -m ruff format --check .",
        "python -m mypy",
        "lint-imports",
        "python -m pytest -n 4 --dist worksteal",
    ]
    calls.clear()
    run.main(["test", "-k", "one"])
    run.main(["bench", "--stations", "5"])
    assert calls == ["python -m pytest -k one", "python -m bench --stations 5"]


def test_a_failing_check_ends_with_its_exit_code(run):
    with pytest.raises(SystemExit) as ended:
        run.check_call([sys.executable, "-c", "raise SystemExit(7)"])
    assert ended.value.code == 7


def test_the_pipeline_fetches_a_browser_where_it_can_and_then_calls_make_test_and_nothing_else():
    script = (ROOT / ".ci/run").read_text("utf-8")
    lines = [line for line in script.splitlines() if not line.startswith("#")]
    assert lines[:2] == ["set -euo pipefail", 'cd "$(dirname "$0")/.."']
    assert lines[-1] == "make test"
    between = "\n".join(lines[2:-1])
    assert re.fullmatch(r"if ! command -v chromium .*\nfi", between, re.DOTALL)
    assert re.search(r"\bmake\b|\bpytest\b|\brun\.py\b", between) is None
    assert os.access(ROOT / ".ci/run", os.X_OK)
