"""What every command line does alike."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ltr.admin.command_line import (
    CommandParser,
    add_common_options,
    add_dataset_option,
    number,
    number_in,
    path,
    processes,
    whole_number,
)
from ltr.admin.jobs import local_cores, threads_each

PROGRAM = """
import argparse
from ltr.admin.command_line import run_command

def command(options):
    for number in range(100_000):
        print(number)
    return 0

raise SystemExit(run_command(argparse.Namespace(workspace=None, plugin=[], debug=False), command))
"""


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None and process.stderr is not None
    assert process.stdout.readline() == b"0\n"
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == 141


PROBE = """
import os, sys
print("probe:", os.environ.get("OMP_WAIT_POLICY"), os.environ.get("GOMP_SPINCOUNT"), "torch" in sys.modules)
"""


@pytest.mark.parametrize("said", [None, "ACTIVE"])
def test_a_command_makes_waiting_threads_sleep_before_torch_reads_how(
    said: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.delenv(name, raising=False)
    if said:
        monkeypatch.setenv("OMP_WAIT_POLICY", said)
    plugin = tmp_path / "probe.py"
    plugin.write_text(PROBE)
    command = [sys.executable, "ltr/run_training.py", "--list", "--plugin", str(plugin)]
    done = subprocess.run(command, cwd=Path(__file__).parents[3], capture_output=True, text=True)
    expected = f"probe: {said or 'PASSIVE'} {None if said else 1000} False"
    assert expected in done.stdout.splitlines(), done.stdout + done.stderr


def test_processes_share_the_cores_and_take_no_more_threads_than_were_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ltr.admin.jobs.usable_cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert [threads_each(processes) for processes in (0, 1, 3, 16)] == [8, 8, 2, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert [threads_each(processes) for processes in (1, 3, 16)] == [3, 2, 1]
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")  # by level of nesting: OpenMP's own business
    assert threads_each(1) == 8


@pytest.fixture
def parser() -> CommandParser:
    made = CommandParser("made")
    add_common_options(made, "data sets")
    add_dataset_option(made, required=False, default="synthetic")
    made.add_argument("--noise-px", type=number_in(0), default=0.0)
    return made


def test_underscores_and_earlier_names_are_understood(parser: CommandParser) -> None:
    assert parser.parse_args([]).dataset == "synthetic"
    for words in (["--dataset_name", "a_b"], ["--dataset-name=a_b"], ["--dataset=a_b"]):
        assert parser.parse_args(words).dataset == "a_b"
    assert parser.parse_args(["--noise_px=2"]).noise_px == parser.parse_args(["--noise-px", "2"]).noise_px == 2


def test_an_unknown_option_is_told_near_names(parser: CommandParser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        parser.parse_args(["--datset", "x"])
    assert stop.value.code == 2 and "--datset x. Did you mean '--dataset'?" in capsys.readouterr().err


LONG = "9" * 5000


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (whole_number, LONG, "the largest number is 2,147,483,647"),
        (whole_number, "1" * 30, "the largest number is 2,147,483,647"),
        (whole_number, "-1", "expected a whole number from 0 on"),
        (whole_number, "1e3", "expected a whole number from 0 on"),
        (processes, "-2", "expected a whole number from 0 on"),
        (number, "nan", "expected a number"),
        (number, "1e400", "expected a number"),
        (number, LONG, "expected a number"),
        (number_in(0), "-0.1", "expected a number from 0 on"),
        (number_in(0), "inf", "expected a number"),
        (number_in(0, above=True), "0", "expected a number above 0"),
        (number_in(0, 1, above=True), "1.5", "expected a number above 0 to 1"),
        (path, "~nouser/x", "there is no user 'nouser'"),
        (path, "x" * 5000, "longer than 255 bytes"),
        (path, "", "expected a path"),
    ],
)
def test_what_is_no_such_value_is_one_short_line(
    kind: object, text: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    parser = argparse_with(kind)
    with pytest.raises(SystemExit) as stop:
        parser.parse_args([f"--value={text}"])
    line = capsys.readouterr().err.splitlines()[-1]
    assert stop.value.code == 2 and said in line and len(line) < 300


def argparse_with(kind: object) -> CommandParser:
    made = CommandParser("made")
    made.add_argument("--value", type=kind)  # type: ignore[arg-type]
    return made


def test_values_are_read() -> None:
    assert whole_number("2147483647") == 2**31 - 1 and processes("-1") == local_cores() and processes("0") == 0
    assert number("-1.5") == -1.5 and number_in(0)("0") == 0 and number_in(0, 1, above=True)("1") == 1
    assert path("~/x") == Path.home() / "x" and path("a/b") == Path("a/b")


def test_a_long_word_is_shortened_in_every_message(parser: CommandParser, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["w" * 5000], [f"--{'w' * 5000}"], ["--dataset", "x", "y" * 5000]):
        with pytest.raises(SystemExit):
            parser.parse_args(words)
        assert len(capsys.readouterr().err.splitlines()[-1]) < 300


def test_an_option_that_commands_share_is_named_once(capsys: pytest.CaptureFixture[str]) -> None:
    parser = CommandParser("program")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "check"):
        commands.add_parser(name).add_argument("--frames")
    with pytest.raises(SystemExit):
        parser.parse_args(["build", "--frame_s", "1"])
    assert "Did you mean '--frames'?" in capsys.readouterr().err


def test_help_shows_no_markup_of_docstrings() -> None:
    from ltr.admin.command_line import CommandParser

    parser = CommandParser("program", description="reads ``file``")
    parser.add_argument("--where", help="a ``path``")
    assert "``" not in parser.format_help() and "a path" in parser.format_help()
