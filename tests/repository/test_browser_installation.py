"""The browser of the tests: found, installed where we may, and else asked for in words."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / ".ci" / "browser"
INSTALLS = """#!/bin/bash
echo "$*" >>"{folder}/asked"
[ "$1" = update ] && touch "{folder}/list"
[ -e "{folder}/list" ] || exit 100
for each in chromium chromedriver; do
  printf '#!/bin/bash\\n' >"{folder}/$each" && chmod +x "{folder}/$each"
done
"""
"""An apt-get that knows no package until it has fetched its list, as on a bare machine."""


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """A folder that is all of the machine's PATH: no browser, no apt-get, no sudo."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for tool in ("bash", "env", "mktemp", "rm", "tail", "touch", "chmod"):
        found = shutil.which(tool)
        assert found
        (folder / tool).symlink_to(found)
    program(folder, "id", "#!/bin/bash\necho 0\n")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(text.format(folder=folder) if "{folder}" in text else text)
    (folder / name).chmod(0o755)


def run(machine: Path) -> subprocess.CompletedProcess[str]:
    bash = shutil.which("bash")
    assert bash
    environment = {
        "PATH": str(machine),
        "TMPDIR": str(machine),
        "HOME": os.environ.get("HOME", "/"),
    }
    return subprocess.run(
        [bash, SCRIPT], env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_browser_that_is_there_is_used_as_it_is(machine: Path) -> None:
    for name in ("chromium", "chromedriver"):
        program(machine, name, "#!/bin/bash\n")
    program(machine, "apt-get", "#!/bin/bash\nexit 1\n")
    done = run(machine)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_it_is_installed_on_a_machine_that_knows_no_packages_yet(machine: Path) -> None:
    program(machine, "apt-get", INSTALLS)
    done = run(machine)
    assert done.returncode == 0, done.stderr
    asked = (machine / "asked").read_text().splitlines()
    install = "install --yes --no-install-recommends chromium chromium-driver"
    assert asked == [install, "update", install]


def test_without_a_way_to_install_it_says_what_to_do(machine: Path) -> None:
    done = run(machine)
    assert done.returncode == 1
    assert "apt-get install chromium chromium-driver" in done.stderr


def test_who_is_not_root_is_not_asked_for_a_password(machine: Path) -> None:
    program(machine, "id", "#!/bin/bash\necho 1000\n")
    program(machine, "apt-get", INSTALLS)
    program(machine, "sudo", "#!/bin/bash\n[ $1 = -n ] || exit 9\nexit 1\n")
    done = run(machine)
    assert done.returncode == 1
    assert not (machine / "asked").exists()
    assert "apt-get install" in done.stderr


def test_an_installation_that_fails_shows_why(machine: Path) -> None:
    program(machine, "apt-get", "#!/bin/bash\necho 'no network'\nexit 100\n")
    done = run(machine)
    assert done.returncode == 1
    assert "no network" in done.stderr
