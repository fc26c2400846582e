"""What a person has who installs the wheel, far from any checkout: all commands and files, none in site-packages."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import recipes

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGES = ("ltr", "pytracking", "socl_plugins")


class Installed:
    """An environment that has the wheel, and a folder to work in."""

    def __init__(self, root: Path) -> None:
        self.environment, self.work = root / "environment", root / "work"
        self.work.mkdir()

    def run(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Runs the environment's Python."""
        variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTRACKING_"))
        }
        command = [str(self.environment / "bin/python"), *words]
        return subprocess.run(command, cwd=self.work, env=variables, capture_output=True, text=True, timeout=280)

    def succeed(self, *words: str) -> str:
        """Runs the environment's Python and returns what it printed."""
        done = self.run(*words)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout

    def files(self) -> set[Path]:
        """What lies in the packages, but what Python itself keeps there."""
        (packages,) = self.environment.glob("lib/python*/site-packages")
        found = {path for name in PACKAGES for path in (packages / name).rglob("*") if path.is_file()}
        return {path.relative_to(packages) for path in found if "__pycache__" not in path.parts}


def quietly(*words: str | Path) -> None:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=280)
    for name in ("setuptools", "pip"):
        if done.returncode and re.search(rf"No module named '?{name}", done.stderr):
            pytest.skip(f"there is no {name} to build a wheel with")
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    if os.name != "posix":
        pytest.skip("the environment's layout is that of POSIX")
    root = tmp_path_factory.mktemp("wheel")
    source = root / "source"
    source.mkdir()
    tracked = subprocess.run(["git", "-C", str(REPOSITORY), "ls-files", *PACKAGES], capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("this is no checkout")
    # From a copy, since building leaves files beside the sources.
    for name in ("pyproject.toml", "README.md", "LICENSE", *tracked.stdout.splitlines()):
        if (REPOSITORY / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((REPOSITORY / name).read_bytes())
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    # By way of the source distribution, which so has to be complete, too.
    sdist = "import os, setuptools.build_meta as made; os.chdir(os.sys.argv[1]); made.build_sdist(os.sys.argv[2])"
    quietly(sys.executable, "-c", sdist, source, root)
    quietly(*pip, "wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", root, *root.glob("*.tar.gz"))
    made = Installed(root)
    quietly(sys.executable, "-m", "venv", "--without-pip", made.environment)
    (packages,) = made.environment.glob("lib/python*/site-packages")
    quietly(*pip, "install", "--no-deps", "--target", packages, *root.glob("*.whl"))
    # What it depends on is taken from here; a path in a .pth file brings no editable checkout with it.
    (packages / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    return made


@pytest.mark.long
def test_the_code_is_that_of_the_wheel_and_is_typed(installed: Installed) -> None:
    places = installed.succeed("-c", f"import {', '.join(PACKAGES)}; print(ltr.__file__, pytracking.__file__)")
    assert places.count(str(installed.environment)) == 2
    assert {Path(name, "py.typed") for name in PACKAGES} <= installed.files()


def test_every_file_of_the_packages_is_in_it(installed: Installed) -> None:
    here = subprocess.run(["git", "-C", str(REPOSITORY), "ls-files", *PACKAGES], capture_output=True, text=True)
    expected = {Path(name) for name in here.stdout.splitlines() if (REPOSITORY / name).is_file()}
    assert not expected - installed.files()


@pytest.mark.long
def test_training_tracking_and_a_report_leave_their_files_where_one_works(installed: Installed) -> None:
    before = installed.files()
    few = recipes.as_words({**recipes.SMALL, **recipes.FEW_PROPOSALS})
    trained = installed.succeed("-m", "ltr.run_training", "socl", "socl_res18", "--device", "cpu", *few)
    assert f"{installed.work}/workspace/checkpoints/ltr/socl/socl_res18/SiamFCNet_best.pth.tar" in trained
    (command,) = [line for line in trained.splitlines() if line.startswith("to use it: ")]
    words = command.split("to use it: ")[1].split()
    assert words[0] == str(installed.environment / "bin/python")
    page = installed.work / "report.html"
    assert "AUC" in installed.succeed(*words[1:], "--sequence", "synthetic-0000")
    installed.succeed("-m", "pytracking.analysis", "siamfc/socl_res18", "--html", str(page))
    assert page.stat().st_size > 10_000
    assert installed.files() == before, "nothing is written among the packages"


@pytest.mark.parametrize(
    "words",
    [
        ["-m", "ltr.run_training", "--list"],
        ["-m", "pytracking.run_tracker", "--list"],
        ["-m", "socl_plugins.command", "--help"],
        ["-m", "socl_plugins.clicks", "cost"],
        ["-m", "socl_plugins.studies", "list"],
        ["-m", "ltr.admin.environment"],
    ],
)
def test_what_lists_things_lists_them(installed: Installed, words: Sequence[str]) -> None:
    assert len(installed.succeed(*words).splitlines()) >= 5


@pytest.mark.parametrize("benchmark", ["otb", "uav", "lasot"])
@pytest.mark.long
def test_the_lists_of_benchmarks_are_there(installed: Installed, benchmark: str) -> None:
    done = installed.run("-m", "pytracking.run_tracker", "opencv", "kcf", "--dataset", benchmark)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr and f"PYTRACKING_{benchmark.upper()}_DIR" in done.stderr
    readers = "from ltr.registry import load_plugins; load_plugins(); from pytracking.registry import BENCHMARKS"
    assert "OK" in installed.succeed("-c", f"{readers}; BENCHMARKS[{benchmark!r}]; print('OK')")


def test_a_reader_that_has_seen_enough_is_no_error(installed: Installed) -> None:
    python = installed.environment / "bin/python"
    for command in ("ltr.run_training --list", "pytracking.run_tracker --list", "socl_plugins.studies list"):
        line = f"{python} -m {command} | head -n 1"
        done = subprocess.run(["bash", "-c", line], cwd=installed.work, capture_output=True, text=True, timeout=120)
        assert done.stdout.count("\n") == 1 and done.stderr == "", command
