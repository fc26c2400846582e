"""What `socl doctor` says of a machine, and of what is wrong with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ltr.admin import jobs
from socl_plugins import doctor

REPOSITORY = Path(__file__).resolve().parents[2]


def run(**environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "socl_plugins.command", "doctor", "--no-speed"]
    variables = {**os.environ, "PYTHONDONTWRITEBYTECODE": "", **environment}
    return subprocess.run(command, env=variables, cwd=REPOSITORY, capture_output=True, text=True)


@pytest.mark.long
def test_a_sound_machine_has_nothing_to_mend(workspace: Path) -> None:
    done = run(PYTHONPATH=str(REPOSITORY))
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "nothing is wrong"
    for word in ("torch ", "cores ", "JPEG ", "H.264", "GiB free"):
        assert word in done.stdout


def test_a_package_of_another_project_is_named_before_anything_is_imported(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "other" / "ltr").mkdir(parents=True)
    (tmp_path / "other" / "ltr" / "__init__.py").write_text("raise RuntimeError('this is not ours')\n")
    done = run(PYTHONPATH=f"{tmp_path / 'other'}{os.pathsep}{REPOSITORY}")
    assert done.returncode == 1 and "Traceback" not in done.stderr, done.stderr
    assert f"another package 'ltr' in {tmp_path / 'other'}" in done.stdout and "PYTHONPATH" in done.stdout


@pytest.mark.long
def test_a_path_that_is_none_is_told_with_where_it_was_set(workspace: Path, tmp_path: Path) -> None:
    done = run(PYTHONPATH=str(REPOSITORY), PYTRACKING_OTB_DIR=str(tmp_path / "nothing"))
    assert done.returncode == 1
    assert f"otb_dir = {tmp_path / 'nothing'} (PYTRACKING_OTB_DIR)" in done.stdout
    assert "correct it in PYTRACKING_OTB_DIR" in done.stdout and done.stdout.splitlines()[-1] == "1 to mend"


@pytest.mark.long
def test_libraries_that_each_command_would_compile_again_are_told(workspace: Path, tmp_path: Path) -> None:
    none_is_kept = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPYCACHEPREFIX": str(tmp_path)}
    done = run(PYTHONPATH=str(REPOSITORY), **none_is_kept)
    assert done.returncode == 1 and "each command compiles torch again" in done.stdout
    assert f"-> {sys.executable} -m compileall -q -j 0 " in done.stdout


def test_the_speed_of_a_tracker_is_measured(workspace: Path) -> None:
    assert doctor.frames_per_second("opencv/kcf", seconds=0.2) > 1


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system does not bind processes to cores")
def test_cores_are_those_that_may_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); from ltr.admin import jobs; "
    bound = subprocess.run([sys.executable, "-c", f"{code}print(jobs.local_cores())"], capture_output=True, text=True)
    assert bound.stdout.strip() == "1", bound.stderr
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))
    for limit, cores in (("max 100000", 8), ("150000 100000", 2), ("50000 100000", 1), ("nonsense", 8)):
        monkeypatch.setattr(jobs, "CPU_LIMIT", tmp_path / "cpu.max")
        (tmp_path / "cpu.max").write_text(f"{limit}\n")
        assert jobs.usable_cores() == cores
