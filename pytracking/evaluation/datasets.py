"""Benchmark data sets by name, and one's own videos by their path."""

from __future__ import annotations

from pathlib import Path

from pytracking.evaluation.sequence import SequenceList
from pytracking.registry import BENCHMARKS


def get_dataset(*names: str) -> SequenceList:
    """Returns the sequences of the named benchmarks, one after the other, such as ``get_dataset("otb", "synthetic")``.

    A name that is no benchmark but the path of a folder of frames, or of a video file, with a ground truth stands for
    that; see :func:`pytracking.evaluation.own_videos.own_videos`.

    Raises:
        RegistryError: a name is unknown, and no path.
        EnvironmentError_: the directory of a benchmark is not configured.
        SequenceError, FileNotFoundError: files of a benchmark are missing, or do not fit together.
    """
    if not names:
        raise ValueError(f"name at least one data set: {', '.join(BENCHMARKS.names())}")
    sequences = SequenceList()
    for name in names:
        if name not in BENCHMARKS and Path(name).expanduser().exists():
            from pytracking.evaluation.own_videos import own_videos

            sequences = sequences + own_videos(Path(name).expanduser())
        else:
            sequences = sequences + BENCHMARKS[name]()
    return sequences
