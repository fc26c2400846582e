"""Benchmark data sets by name."""

from __future__ import annotations

from pytracking.evaluation.sequence import SequenceList
from pytracking.registry import BENCHMARKS


def get_dataset(*names: str) -> SequenceList:
    """Returns the sequences of the named benchmarks, one after the other, such as ``get_dataset("otb", "synthetic")``.

    Raises:
        RegistryError: a name is unknown.
        EnvironmentError_: the directory of a benchmark is not configured.
    """
    if not names:
        raise ValueError(f"name at least one data set: {', '.join(BENCHMARKS.names())}")
    sequences = SequenceList()
    for name in names:
        sequences = sequences + BENCHMARKS[name]()
    return sequences
