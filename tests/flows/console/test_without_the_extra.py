"""Without the extra the server runs as ever, and / says how to get the console; nothing loads it in vain."""

import subprocess
import sys

import httpx

from tests.flows import house as program

WITHOUT = "import sys; sys.modules['nicegui'] = None; from app.cli import main; sys.argv = ['voltbridge', 'serve']; main()"


def test_the_front_page_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setattr(program, "PROGRAM", (sys.executable, "-c", WITHOUT))
    house = program.House(f"sqlite+aiosqlite:///{tmp_path / 'voltbridge.db'}", tmp_path)
    house.start()
    try:
        page = httpx.get(house.url, trust_env=False)
        assert page.status_code == 200
        assert "voltbridge[console]" in page.text
        assert "make install" in page.text
        assert httpx.get(f"{house.url}/stations", trust_env=False).status_code == 404
    finally:
        house.end()
    house.check_log()


def test_neither_the_program_nor_its_commands_load_the_console_before_it_is_served():
    look = "import sys, app.cli, app.main; sys.exit(any(name.startswith(('nicegui', 'app.admin.console')) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", look], check=False).returncode == 0
