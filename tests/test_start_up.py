"""Every command line has the same options, and starts at once: nothing large is imported to print a help."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
COMMANDS = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
    for wing in ("ltr", "pytracking", "socl_plugins")
    for path in (REPOSITORY / wing).rglob("*.py")
    if "\ndef main(" in path.read_text(encoding="utf-8")
)
ALSO_AT_ONCE = [
    ("ltr.run_training", "--list"),
    ("pytracking.run_tracker", "--list"),
    ("pytracking.run_experiment", "--list"),
    ("ltr.admin.environment",),
    ("socl_plugins.studies.__main__", "list"),
    ("socl_plugins.clicks.__main__", "cost"),
]
LARGE = ("torch", "torchvision", "numpy", "scipy", "cv2", "joblib", "matplotlib", "tensorboard", "PIL")
MOST_MODULES = 400
"""Some 300 are imported for argparse, dataclasses and the search for plugins."""

PROGRAM = f"""
import contextlib, importlib, io, json, sys
words = {{}}
for module, *arguments in json.loads(sys.argv[1]):
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.suppress(SystemExit):
        importlib.import_module(module).main(arguments)
    large = [name for name in {LARGE} if name in sys.modules]
    words[" ".join([module, *arguments])] = [len(out.getvalue()) > 100, large, len(sys.modules)]
print(json.dumps(words))
"""


def test_help_and_listings_import_nothing_large(workspace: Path) -> None:
    asked = [*((command, "--help") for command in COMMANDS), *ALSO_AT_ONCE]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps(asked)], cwd=REPOSITORY, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen) == len(asked) >= 18
    assert {command: large for command, (_, large, _) in seen.items() if large} == {}
    assert all(printed for printed, _, _ in seen.values()), seen
    assert max(count for _, _, count in seen.values()) < MOST_MODULES, "all of them, in one process"


TRACKED = """
import json, sys
from pytracking import run_tracker
from pytracking.analysis.__main__ import main as analysis
video, workspace = sys.argv[1:]
words = ["opencv/kcf", "--dataset", video, "--workspace", workspace]
assert run_tracker.main(["opencv", "kcf", *words[1:]]) == 0
assert analysis(words) == 0
print(json.dumps([name for name in ("torch", "torchvision") if name in sys.modules]))
"""


def test_a_tracker_without_a_network_is_run_and_scored_without_torch(workspace: Path, tmp_path: Path) -> None:
    video = tmp_path / "video"
    video.mkdir()
    texture = np.random.default_rng(0).integers(0, 255, (80, 100, 3), dtype=np.uint8)
    for number in range(3):
        cv2.imwrite(str(video / f"{number:08d}.jpg"), texture)
    np.savetxt(video / "groundtruth.txt", [[30, 20, 24, 24]] * 3, delimiter=",")
    words = [sys.executable, "-c", TRACKED, str(video), str(workspace)]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "opencv/kcf" in done.stdout and json.loads(done.stdout.splitlines()[-1]) == []


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A parser, or those of its commands."""
    commands = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [command for action in commands for command in action.choices.values()] or [parser]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_the_common_options(command: str) -> None:
    module = importlib.import_module(command)
    made = module.track_parser() if command == "socl_plugins.command" else module.build_parser()
    for parser in leaves(made):
        assert {"--workspace", "--plugin", "--debug"} <= set(parser._option_string_actions), parser.prog
        shown = [word for action in parser._actions if action.help != "==SUPPRESS==" for word in action.option_strings]
        assert not [word for word in shown if "_" in word], "options are spelled with dashes"
        assert not {"--dataset-name", "--runid", "--threads"} & set(shown), "the earlier names are not shown"
