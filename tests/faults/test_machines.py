"""Machines that die while others work: a cluster's nodes, and one of two hosts that train."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.harness import SEED, Counts

REPOSITORY = Path(__file__).resolve().parents[2]
NO_NAMESPACES = sys.platform != "linux" or shutil.which("ip") is None or os.geteuid() != 0


def started(*words: str) -> str:
    """Runs a benchmark, and returns what was wrong with it."""
    command = [sys.executable, *words]
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=1800, env=environment)
    return "" if done.returncode == 0 else f"{done.stdout[-600:]}\n{done.stderr[-600:]}"


@pytest.mark.campaign
@pytest.mark.parametrize("engine", ["ray", "dask"])
def test_a_node_dies_and_another_comes(engine: str, counts: Counts) -> None:
    if importlib.util.find_spec({"ray": "ray", "dask": "distributed"}[engine]) is None:
        pytest.skip(f"{engine} is not installed (pip install 'pytracking-socl[cluster]')")
    what = f"node of a {engine} cluster killed, another added"
    words = ("--frames", "300", "--sequences", "6", "--seed", str(SEED))
    counts.add(what, started("benchmarks/cluster.py", engine, *words) or None, tried=2)
    counts.check(what)


@pytest.mark.campaign
@pytest.mark.skipif(NO_NAMESPACES, reason="needs Linux, root and the command ip")
@pytest.mark.parametrize("how", [("--how", "kill"), ("--how", "cut"), ("--back", "--epochs", "14", "--delay", "0.15")])
def test_one_of_two_hosts_dies_and_the_other_goes_on(how: tuple[str, ...], counts: Counts) -> None:
    what = "one of two training hosts killed, cut off, or back again"
    counts.add(what, started("benchmarks/elastic.py", *how) or None)
    counts.check(what)
