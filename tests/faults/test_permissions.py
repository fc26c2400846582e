"""What may not be read is named in one message, by the command that a user runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.conftest import TOYS

REPOSITORY = TOYS.parents[2]
# Modes do not bind root: it gives up its right to pass them by, for the command.
AS_A_USER = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
pytestmark = pytest.mark.skipif(bool(AS_A_USER) and shutil.which("setpriv") is None, reason="needs setpriv for root")


def run(*words: object) -> tuple[int, str]:
    """Returns a command's exit status and what it said on standard error."""
    command = [*AS_A_USER, sys.executable, *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=REPOSITORY)
    return done.returncode, done.stderr


@pytest.mark.parametrize("what", ["the result", "its folder"])
@pytest.mark.long
def test_results_that_may_not_be_read(what: str, folder: Path, workspace: Path) -> None:
    results = workspace / "tracking_results" / "drift" / "plain"
    results.mkdir(parents=True)
    result = results / "toy_0.txt"
    result.write_text("10\t10\t12\t12\n" * 10)
    forbidden = result if what == "the result" else results
    forbidden.chmod(0)
    status, said = run("-m", "pytracking.analysis", "drift/plain", "--plugin", TOYS, "--dataset", "toys")
    forbidden.chmod(0o755)
    assert status == 1 and str(result) in said and "Permission denied" in said and "Traceback" not in said, said


@pytest.mark.long
def test_weights_that_may_not_be_read(folder: Path) -> None:
    file = folder / "net.pth"
    file.write_bytes(b"weights")
    file.chmod(0)
    status, said = run("pytracking/run_tracker.py", "siamfc", "untrained_res18", "--network", file)
    assert status == 1 and str(file) in said and "Permission denied" in said and "Traceback" not in said, said


@pytest.mark.long
def test_a_workspace_that_may_not_be_written_to(folder: Path, workspace: Path) -> None:
    workspace.chmod(0o500)
    words = ["drift", "plain", "--plugin", TOYS, "--dataset", "toys"]
    status, said = run("pytracking/run_tracker.py", *words)
    workspace.chmod(0o700)
    assert status == 1 and str(workspace) in said and "Permission denied" in said and "Traceback" not in said, said
