"""The official toolkit drives our trackers through TraX."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytracking import run_vot

REPOSITORY = Path(__file__).resolve().parents[2]


def test_without_the_package_the_error_says_what_to_install(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "trax", None)
    assert run_vot.main(["siamfc", "untrained_res18"]) == 1
    assert "pip install 'pytracking-socl[vot]'" in capsys.readouterr().err


def test_the_real_toolkit_drives_a_tracker_over_its_own_sequence(workspace: Path, tmp_path: Path) -> None:
    pytest.importorskip("trax", reason="the package vot-trax is not installed")
    pytest.importorskip("vot", reason="the package vot-toolkit is not installed")
    command = f"{sys.executable} {REPOSITORY / 'pytracking' / 'run_vot.py'} siamfc untrained_res18 --set device=cpu"
    (tmp_path / "trackers.ini").write_text(f"[ours]\nlabel = Ours\nprotocol = trax\ncommand = {command}\n")
    done = subprocess.run(
        [sys.executable, "-m", "vot", "--registry", str(tmp_path / "trackers.ini"), "test", "ours"],
        cwd=tmp_path,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Test concluded successfully" in done.stdout + done.stderr
