"""install.sh: what it leaves behind when it works, when it fails and when it is cut off. Nothing is downloaded here."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
pytestmark = pytest.mark.skipif(os.name != "posix" or not shutil.which("bash"), reason="install.sh needs bash")

# Stands for pip: notes what it is asked for, and fails on whatever PIP_FAILS names.
PIP = """
import os, sys
log = os.environ["PIP_LOG"]
with open(log, "a") as file:
    print(*sys.argv[1:], file=file)
if os.environ.get("PIP_FAILS", "[no extra]") in sys.argv[-1]:
    sys.exit("ERROR: no such package")
"""
# Stands for Python: makes a .venv at once, and cuts the installation off where CUT_OFF is set.
PYTHON = """#!/bin/sh
if [ "$1 $2" = "-m venv" ]; then
    [ -n "$CUT_OFF" ] && kill -9 $PPID && exit 1
    cp -R "{template}/." "$3"
else
    exec "{python}" "$@"
fi
"""


@dataclass
class Checkout:
    """A checkout in a directory of its own, and a machine on which installing is quick."""

    root: Path
    variables: dict[str, str]

    def install(self, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs install.sh from another directory."""
        command = ["bash", str(self.root / "install.sh"), *options]
        environment = {**self.variables, **variables}
        return subprocess.run(command, cwd="/", env=environment, capture_output=True, text=True, timeout=60)

    @property
    def installed(self) -> list[str]:
        """What pip was asked to install, in order."""
        calls = Path(self.variables["PIP_LOG"]).read_text().splitlines()
        return [call.split()[-1].removeprefix("checkout") for call in calls]

    @property
    def whole(self) -> bool:
        return (self.root / ".venv/.installed").exists() and not (self.root / ".venv/.unfinished").exists()


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"
    root.mkdir()
    for name in ("install.sh", "pyproject.toml"):
        shutil.copy(REPOSITORY / name, root / name)
    template = tmp_path / "template"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(template)], check=True)
    packages = next(template.glob("lib/python*/site-packages"))
    for name in ("cv2", "torchvision", "ltr", "pytracking", "socl_plugins"):
        (packages / f"{name}.py").write_text("__version__ = '1'\n")
    (packages / "torch.py").write_text("__version__ = '1'\nclass cuda:\n    is_available = lambda: False\n")
    (packages / "pip").mkdir()
    (packages / "pip/__init__.py").touch()
    (packages / "pip/__main__.py").write_text(PIP)
    tools = tmp_path / "bin"
    tools.mkdir()
    for name, text in {
        "python3": PYTHON.format(template=template, python=sys.executable),
        "apt-get": "#!/bin/sh\nexit 1\n",
    }.items():
        (tools / name).write_text(text)
        (tools / name).chmod(0o755)
    variables = {"PATH": f"{tools}:/usr/bin:/bin", "HOME": str(tmp_path), "PIP_LOG": str(tmp_path / "pip.log")}
    return Checkout(root, variables)


def test_a_second_run_has_nothing_to_do(checkout: Checkout) -> None:
    first = checkout.install()
    assert first.returncode == 0 and checkout.whole, first.stderr
    assert checkout.installed == ["wheel", "[test,plots]", "[fast-jpeg]", "[visdom]"]
    second = checkout.install()
    assert second.returncode == 0 and "is up to date" in second.stdout
    assert len(checkout.installed) == 4


@pytest.mark.long
def test_changed_requirements_are_installed(checkout: Checkout) -> None:
    checkout.install()
    with open(checkout.root / "pyproject.toml", "a") as file:
        file.write("# another requirement\n")
    assert checkout.install().returncode == 0 and checkout.whole
    assert len(checkout.installed) == 8


def test_where_python_may_not_keep_byte_code_it_is_made_once(checkout: Checkout) -> None:
    assert checkout.install(PYTHONDONTWRITEBYTECODE="1").returncode == 0
    packages = next(checkout.root.glob(".venv/lib/python*/site-packages"))
    assert list(packages.glob("__pycache__/torch.*.pyc"))


def test_a_failed_installation_says_what_failed_and_is_not_taken_for_whole(checkout: Checkout) -> None:
    failed = checkout.install(PIP_FAILS="plots")
    assert failed.returncode != 0 and not (checkout.root / ".venv/.installed").exists()
    assert "ERROR: no such package" in failed.stderr
    assert "failed while installing the project's packages" in failed.stderr
    assert checkout.install().returncode == 0 and checkout.whole


def test_what_is_optional_may_fail(checkout: Checkout) -> None:
    done = checkout.install(PIP_FAILS="visdom")
    assert done.returncode == 0 and checkout.whole
    assert "visdom is left out" in done.stderr


def test_an_interrupted_installation_is_started_afresh(checkout: Checkout) -> None:
    assert checkout.install(CUT_OFF="1").returncode < 0
    left = checkout.root / ".venv/half-written"
    left.touch()
    done = checkout.install()
    assert done.returncode == 0 and checkout.whole and not left.exists(), done.stderr


def test_a_virtual_environment_that_the_user_made_is_kept(checkout: Checkout) -> None:
    shutil.copytree(checkout.root.parent / "template", checkout.root / ".venv", symlinks=True)
    own = checkout.root / ".venv/own"
    own.touch()
    assert checkout.install().returncode == 0 and checkout.whole and own.exists()


def test_a_python_that_does_not_suit_is_named(checkout: Checkout) -> None:
    failed = checkout.install(PYTHON="/no/such/python")
    assert failed.returncode == 1 and "tried: /no/such/python" in failed.stderr and "3.10 to 3.13" in failed.stderr


def test_help_and_a_wrong_option(checkout: Checkout) -> None:
    assert "PYTHON=" in checkout.install("--help").stdout
    wrong = checkout.install("--fast")
    assert wrong.returncode == 2 and "unknown option --fast" in wrong.stderr
    assert not (checkout.root / ".venv").exists()
