from __future__ import annotations

import argparse
import io
import sys

import pytest

from ltr.admin import progress
from ltr.admin.command_line import run_command
from ltr.admin.progress import progress_bar
from ltr.admin.records import RecordError


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def failing(options: argparse.Namespace) -> int:
    for number in progress_bar(range(3), desc="maps", unit="frame", mininterval=0):
        if number == 2:
            raise RecordError("the third frame is damaged")
    return 0


OPTIONS = argparse.Namespace(workspace=None, plugin=[], debug=False)


def test_a_log_has_a_line_for_each_state_and_nothing_written_over(
    monkeypatch: pytest.MonkeyPatch, workspace: object
) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    assert run_command(OPTIONS, failing) == 1
    assert "\r" not in log.getvalue()
    *bar, error, hint = log.getvalue().splitlines()
    assert [line.partition("|")[0] for line in bar][:2] == ["maps:   0%", "maps:  33%"]
    assert error == "error: the third frame is damaged"
    assert len(set(bar)) == len(bar)


def test_without_a_terminal_a_bar_speaks_every_ten_seconds_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", log := io.StringIO())
    assert len(list(progress_bar(range(1000)))) == 1000
    assert len(log.getvalue().splitlines()) == 2  # the beginning and the end
    assert progress.SECONDS_BETWEEN_LINES == 10


def test_on_a_terminal_an_error_does_not_end_the_line_of_a_bar(
    monkeypatch: pytest.MonkeyPatch, workspace: object
) -> None:
    monkeypatch.setattr(sys, "stderr", screen := Terminal())
    assert run_command(OPTIONS, failing) == 1
    before, _, after = screen.getvalue().partition("error: ")
    assert before.endswith("\n") and before.count("\r") > 1
    assert after.startswith("the third frame is damaged\n")
