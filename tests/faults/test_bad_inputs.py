"""Whatever is wrong with a command line or a file, a command ends in time, with one message and an honest status."""

from __future__ import annotations

from pathlib import Path

import pytest

from ltr.registry import load_plugins
from tests.faults.bad_inputs import Bad, bad_inputs, in_environment
from tests.faults.harness import Counts, rng, run

SECONDS = 60.0
WHAT = "bad input"


def tried(bad: Bad, folder: Path, counts: Counts) -> None:
    outcome = run(in_environment(bad), bad.words, folder / "log", SECONDS)
    fault = outcome.fault([1, 2])
    counts.add(WHAT, f"{bad}: {fault}" if fault else None)


@pytest.fixture
def inputs(folder: Path) -> list[Bad]:
    load_plugins()
    return list(bad_inputs(folder))


@pytest.mark.long
def test_some_bad_inputs(folder: Path, inputs: list[Bad], counts: Counts) -> None:
    for index in rng(2).choice(len(inputs), 40, replace=False):
        tried(inputs[index], folder, counts)
    counts.check(WHAT)


@pytest.mark.campaign
def test_campaign_of_bad_inputs(folder: Path, inputs: list[Bad], counts: Counts) -> None:
    assert len(inputs) > 300
    for bad in inputs:
        tried(bad, folder, counts)
    counts.check(WHAT)
