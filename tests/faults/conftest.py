"""The campaign's counts, printed as a table at the end, and the toys that it is run on."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import SEED, Counts

collect_ignore = ["toys.py"]
COUNTS = pytest.StashKey[Counts]()
TOYS = Path(__file__).with_name("toys.py")


@pytest.fixture(scope="session")
def counts(pytestconfig: pytest.Config) -> Counts:
    """What all tests of the session count."""
    return pytestconfig.stash.setdefault(COUNTS, Counts())


@pytest.fixture(autouse=True)
def no_alarm(request: pytest.FixtureRequest) -> None:
    """A campaign takes minutes: that is no hang."""
    if request.node.get_closest_marker("campaign"):
        faulthandler.cancel_dump_traceback_later()


@pytest.fixture
def folder(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for a test's files, with an empty workspace in it."""
    monkeypatch.setenv("PYTRACKING_WORKSPACE_DIR", str(workspace))
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    found = config.stash.get(COUNTS, None)
    if found and found.rows:
        terminalreporter.section(f"faults, seed {SEED}")
        terminalreporter.write_line(found.table())
        if target := os.environ.get("FAULT_TABLE"):
            Path(target).write_text(f"{found.table()}\n", encoding="utf-8")
