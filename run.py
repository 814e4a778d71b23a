# Any Python must be able to parse this file, so that an old one prints the line below instead of a traceback.
"""Install, run, test, measure and check Voltbridge with nothing but Python: python3 run.py [command] [arguments]."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "Voltbridge needs Python 3.11 or newer; this is %d.%d. Try: python3.13 run.py" % sys.version_info[:2]
    )

import base64
import glob
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
import urllib.parse
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(HERE, ".venv")
BIN = os.path.join(VENV, "bin")
PYTHON = os.path.join(BIN, "python")
LOCKS = {"runtime": "requirements.lock", "dev": "requirements-dev.lock"}
LOOPBACK = ("127.0.0.1", "::1", "localhost")


class Failure(Exception):
    """What cannot be done, in one line for the person who typed the command."""


# -- commands -------------------------------------------------------------------------------------------------------


def command_install(arguments):
    """Install what the server needs into .venv."""
    install("runtime")


def command_run(arguments):
    """Install, then start everything with the demo world; further arguments go to `voltbridge serve`."""
    install("runtime")
    os.environ.update(demo_environment())
    program = os.path.join(BIN, "voltbridge")
    sys.stdout.flush()
    os.execv(program, [program, "serve"] + arguments)


def command_test(arguments):
    """Install the tools, check the code and run every test; with arguments only pytest with these."""
    install("dev")
    # Tests start the program a hundred times: where nothing compiled is kept, each start takes twice as long.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    if arguments:
        check_call([PYTHON, "-m", "pytest"] + arguments)
        return
    lint()
    # Two workers more than the two cores that it needs at least: tests wait more than they count.
    check_call([PYTHON, "-m", "pytest", "-n", "4", "--dist", "worksteal"])


def command_lint(arguments):
    """Install the tools and check the code without running it."""
    install("dev")
    lint()


def command_bench(arguments):
    """Install the tools and measure; arguments go to the benchmark."""
    install("dev")
    check_call([PYTHON, "-m", "bench"] + arguments)


def command_lock(arguments):
    """Write the lock files anew from pyproject.toml (--upgrade takes the newest versions)."""
    ensure_venv()
    uv = ensure_uv()
    compile_lock = [
        uv, "pip", "compile", "pyproject.toml", "--universal", "--generate-hashes", "--python-version", "3.11",
        "--no-emit-index-url", "--no-emit-find-links", "--quiet", "--custom-compile-command", "make lock",
    ]  # fmt: skip
    # Building the project itself must need no network, so its build tools are locked with the rest.
    build = ["--extra", "console", "--group", "build"]
    dev = build + ["--group", "dev", "--group", "e2e", "--constraint", LOCKS["runtime"]]
    for groups, lock in ((build, LOCKS["runtime"]), (dev, LOCKS["dev"])):
        check_call(compile_lock + groups + ["--output-file", lock] + arguments, env=index_environment())


def lint():
    """Everything that judges the code without running it."""
    check_call([PYTHON, "-m", "ruff", "check", "."])
    check_call([PYTHON, "-m", "ruff", "format", "--check", "."])
    check_call([PYTHON, "-m", "mypy"])
    check_call([os.path.join(BIN, "lint-imports")])


def demo_environment():
    """The variables that switch the demo on: those nobody has set, and only where both listeners are on loopback."""
    given = dict(env_file())
    given.update((name, value) for name, value in os.environ.items() if value)
    hosts = [given.get("VOLTBRIDGE_" + name, LOOPBACK[0]) for name in ("HTTP_HOST", "OCPP_HOST")]
    if not all(host in LOOPBACK for host in hosts):
        return {}
    wanted = ("VOLTBRIDGE_DEMO", "VOLTBRIDGE_ALLOW_PRIVATE_URLS")
    return dict((name, "1") for name in wanted if name not in given)


def env_file():
    """The (name, value) pairs of .env, as far as `demo_environment` must know them."""
    path = os.path.join(HERE, ".env")
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        found = re.findall(
            r"^\s*(?:export\s+)?(VOLTBRIDGE_\w+)\s*=[ \t]*(.*?)\s*$", file.read(), re.MULTILINE
        )
    return [(name, value.strip("'\"")) for name, value in found if value]


# -- installing -----------------------------------------------------------------------------------------------------


def install(what):
    """Install a lock and the project itself into .venv; does nothing, and needs no network, when that is done."""
    stamp = os.path.join(VENV, ".installed-" + what)
    wanted = fingerprint(what)
    if read(stamp) == wanted and venv_works() and os.path.exists(os.path.join(BIN, "voltbridge")):
        return
    say("Installing into .venv (the first time takes a minute or two, and needs a network) ...")
    ensure_venv()
    uv = ensure_uv()
    environment = index_environment()
    pip_install = [uv, "pip", "install", "--quiet", "--python", PYTHON]
    quiet_call(pip_install + ["--require-hashes", "-r", LOCKS[what]], environment)
    quiet_call(pip_install + ["--no-deps", "--no-build-isolation", "--offline", "-e", "."], environment)
    with open(stamp, "w", encoding="utf-8") as file:
        file.write(wanted)
    say("Installed.")


def fingerprint(what):
    """The place and the contents that an installation was made from, as text."""
    digest = hashlib.sha256()
    for name in (LOCKS[what], "pyproject.toml"):
        with open(os.path.join(HERE, name), "rb") as file:
            digest.update(file.read())
    return "%s\n%s\n" % (HERE, digest.hexdigest())


def ensure_venv():
    """Make .venv if there is none that works here; one that was moved or lost its Python is made anew."""
    if venv_works() and not moved():
        return
    if not os.access(HERE, os.W_OK):
        raise Failure("Cannot write to %s: .venv is made there. Use a folder of your own." % HERE)
    if os.path.lexists(VENV):
        say("The .venv here belongs to another place or another Python; making it anew.")
        shutil.rmtree(VENV)
    uv = shutil.which("uv")
    if uv:
        quiet_call([uv, "venv", "--quiet", "--python", sys.executable, VENV])
    elif not succeeds([sys.executable, "-m", "venv", VENV]):
        # Debian splits pip's part of venv off; without it an environment can still be made, only empty.
        quiet_call([sys.executable, "-m", "venv", "--clear", "--without-pip", VENV])


def venv_works():
    """Whether .venv has a Python that runs and is new enough."""
    return succeeds([PYTHON, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"])


def moved():
    """Whether .venv was filled for another folder: the programs in it would name the old one."""
    stamps = [read(os.path.join(VENV, ".installed-" + what)) for what in LOCKS]
    return any(stamp and stamp.split("\n")[0] != HERE for stamp in stamps)


def ensure_uv():
    """The path of uv: the one on PATH, the one in .venv, or one that pip puts there."""
    uv = shutil.which("uv") or shutil.which("uv", path=BIN)
    if uv:
        return uv
    environment = index_environment()
    if succeeds([PYTHON, "-m", "pip", "--version"]):
        quiet_call([PYTHON, "-m", "pip", "install", "--quiet", "uv"], environment)
    elif succeeds([sys.executable, "-m", "pip", "--version"]):
        quiet_call([sys.executable, "-m", "pip", "--python", PYTHON, "install", "--quiet", "uv"], environment)
    else:
        install_uv_with_wheel(environment)
    return os.path.join(BIN, "uv")


def install_uv_with_wheel(environment):
    """Install uv with a pip that is run straight from its wheel: Debian's copy, or one from the index."""
    kept = sorted(glob.glob("/usr/share/python-wheels/pip-*.whl"))
    with tempfile.TemporaryDirectory() as folder:
        wheel = kept[-1] if kept else download_pip(environment.get("PIP_INDEX_URL"), folder)
        quiet_call([PYTHON, os.path.join(wheel, "pip"), "install", "--quiet", "uv"], environment)


def download_pip(index, folder):
    """Fetch the newest pip wheel from a package index, checked against the index's hash; its path."""
    if not index:
        raise Failure(
            "This Python has neither pip nor venv's ensurepip. Install uv, or python3-venv (Debian, Ubuntu), "
            "or name a package index in PIP_INDEX_URL; then try again."
        )
    page = fetch(urllib.parse.urljoin(index.rstrip("/") + "/", "pip/"))
    found = re.findall(
        r'href="([^"]*/?pip-([0-9.]+)-py3-none-any\.whl)#sha256=([0-9a-f]{64})"', page.decode()
    )
    if not found:
        raise Failure("The package index in PIP_INDEX_URL offers no pip.")
    address, version, digest = max(found, key=lambda each: [int(part) for part in each[1].split(".")])
    content = fetch(urllib.parse.urljoin(index.rstrip("/") + "/pip/", address))
    if hashlib.sha256(content).hexdigest() != digest:
        raise Failure("The pip that the package index sent does not match its hash.")
    path = os.path.join(folder, "pip-%s-py3-none-any.whl" % version)
    with open(path, "wb") as file:
        file.write(content)
    return path


def fetch(url):
    """The bytes behind an http(s) URL of the package index."""
    if not url.startswith(("http://", "https://")):
        raise Failure("PIP_INDEX_URL must begin with https:// or http://")
    parts = urllib.parse.urlsplit(url)
    request = urllib.request.Request(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    if parts.username:
        pair = ":".join(urllib.parse.unquote(part or "") for part in (parts.username, parts.password))
        request.add_header("Authorization", "Basic " + base64.b64encode(pair.encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()
    except OSError as error:
        raise Failure("Could not download pip: %s" % without_password(str(error)))


def index_environment():
    """The environment in which pip and uv ask the same package index and trust the same certificates."""
    environment = dict(os.environ)
    index = next(
        (environment[n] for n in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL") if environment.get(n)),
        "",
    )
    index = index or pip_setting("global.index-url")
    if index:
        environment.setdefault("PIP_INDEX_URL", index)
        if not environment.get("UV_INDEX_URL"):
            environment.setdefault("UV_DEFAULT_INDEX", index)
    if environment.get("PIP_CERT"):
        environment.setdefault("SSL_CERT_FILE", environment["PIP_CERT"])
    environment["VIRTUAL_ENV"] = VENV
    return environment


def pip_setting(name):
    """A value of pip's configuration files, which uv does not read; empty where there is none, or no pip."""
    asked = subprocess.run(
        [sys.executable, "-m", "pip", "config", "get", name], capture_output=True, text=True, check=False
    )
    return asked.stdout.strip() if asked.returncode == 0 else ""


# -- running programs -----------------------------------------------------------------------------------------------


def check_call(program, env=None):
    """Run a program in the open; its failure is ours, with its exit code."""
    say("$ " + " ".join(os.path.relpath(part, HERE) if part.startswith(VENV) else part for part in program))
    result = subprocess.run(program, cwd=HERE, env=env, check=False).returncode
    if result:
        sys.exit(result if result > 0 else 1)


def quiet_call(program, env=None):
    """Run a program that has nothing to say unless it fails; then its reason becomes our one line."""
    result = subprocess.run(program, cwd=HERE, env=env, capture_output=True, text=True, check=False)
    if result.returncode:
        raise Failure(
            "Installing failed: %s. Is the network there? (PIP_INDEX_URL or UV_INDEX_URL names another package index.)"
            % reason(result.stderr or result.stdout)
        )


def succeeds(program):
    """Whether a program exists and ends well; nothing of it is seen."""
    try:
        return subprocess.run(program, cwd=HERE, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def reason(output):
    """The telling lines of a failed program in one, without passwords."""
    lines = [
        line.strip(" \t\u00d7\u2570\u2500\u25b6\u2502\u251c").rstrip(".") for line in output.splitlines()
    ]
    lines = [line for line in lines if line and not line.startswith(("hint:", "WARNING", "[notice]"))]
    return without_password(": ".join(lines[:1] + lines[1:][-1:]) or "no reason given")[:500]


def without_password(text):
    """The text with user and password of any URL in it masked."""
    return re.sub(r"//[^/@\s]+@", "//***@", text)


def read(path):
    """The text of a file, empty if it cannot be read."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except OSError:
        return ""


def say(line):
    """One line to whoever watches."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


COMMANDS = {
    "run": command_run,
    "install": command_install,
    "test": command_test,
    "bench": command_bench,
    "lint": command_lint,
    "lock": command_lock,
}


def main(arguments):
    """Do what was asked; without a word that is `run`."""
    name = arguments[0] if arguments else "run"
    if name not in COMMANDS:
        lines = ["  %-8s %s" % (each, COMMANDS[each].__doc__) for each in COMMANDS]
        wanted_help = name in ("-h", "--help", "help")
        page = "\n".join(["python3 run.py [command] [arguments]", ""] + lines) + "\n"
        (sys.stdout if wanted_help else sys.stderr).write(page)
        return 0 if wanted_help else 2
    os.chdir(HERE)
    try:
        COMMANDS[name](arguments[1:])
    except Failure as failure:
        sys.stderr.write("%s\n" % failure)
        return 1
    except OSError as error:
        sys.stderr.write("%s: %s\n" % (error.filename or "run.py", error.strerror or error))
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
