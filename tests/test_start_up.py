"""Every command line has the same options, and starts at once: nothing large is imported to print a help."""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
COMMANDS = sorted(
    ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)
    for wing in ("ltr", "pytracking", "socl_plugins")
    for path in (REPOSITORY / wing).rglob("*.py")
    if "\ndef main(" in path.read_text(encoding="utf-8")
)
ALSO_AT_ONCE = [
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


def leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """A parser, or those of its commands."""
    commands = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    return [command for action in commands for command in action.choices.values()] or [parser]


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "ltr.run_training"])
def test_every_command_has_the_common_options(command: str) -> None:
    for parser in leaves(importlib.import_module(command).build_parser()):
        assert {"--workspace", "--plugin", "--debug"} <= set(parser._option_string_actions), parser.prog
        shown = [word for action in parser._actions if action.help != "==SUPPRESS==" for word in action.option_strings]
        assert not [word for word in shown if "_" in word], "options are spelled with dashes"
        assert not {"--dataset-name", "--runid", "--threads"} & set(shown), "the earlier names are not shown"
