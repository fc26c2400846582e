"""Benchmark data sets by name, and one's own videos by their path."""

from __future__ import annotations

import os
from pathlib import Path

from ltr.registry import near_names
from pytracking.evaluation.sequence import SequenceList
from pytracking.registry import BENCHMARKS


def get_dataset(*names: str) -> SequenceList:
    """Returns the sequences of the named benchmarks, one after the other, such as ``get_dataset("otb", "synthetic")``.

    A name that is no benchmark but the path of a folder of frames, or of a video file, with a ground truth stands for
    that; see :func:`pytracking.evaluation.own_videos.own_videos`.

    Raises:
        RegistryError: a name is unknown, and no path.
        FileNotFoundError: there is no such folder or file.
        EnvironmentError_: the directory of a benchmark is not configured.
        SequenceError, FileNotFoundError: files of a benchmark are missing, or do not fit together.
    """
    if not names:
        raise ValueError(f"name at least one data set: {', '.join(BENCHMARKS.names())}")
    sequences = SequenceList()
    for name in names:
        if name in BENCHMARKS:
            sequences = sequences + BENCHMARKS[name]()
        else:
            from pytracking.evaluation.own_videos import own_videos

            sequences = sequences + own_videos(_existing(name))
    return sequences


def videos_with_boxes(name: str) -> SequenceList:
    """Returns the videos of a folder, a training data set such as ``got10k_train``, or else a benchmark of that name.

    Raises:
        ValueError: the folder of the data set is not configured.
        RegistryError, FileNotFoundError: there is no such data set, and no such folder.
        SequenceError: the data set has no boxes.
    """
    from ltr.admin.environment import load_environment
    from ltr.dataset.named import open_dataset
    from ltr.registry import RegistryError
    from pytracking.evaluation.sequence import from_video_dataset

    if not os.path.exists(os.path.expanduser(name)):
        try:
            return from_video_dataset(open_dataset(name, load_environment()))
        except RegistryError:
            pass
    return get_dataset(name)


def _existing(name: str) -> Path:
    """Returns the path that a name stands for; what is there decides, and how it is written says what was meant."""
    path = Path(os.path.expanduser(name))
    if os.path.exists(path):
        return path
    if name == path.name and not path.suffix:
        BENCHMARKS[name]  # raises, with near names
    near = near_names(path.name, os.listdir(path.parent)) if os.path.isdir(path.parent) else ""
    raise FileNotFoundError(f"there is no folder or video {path}, and no benchmark of this name.{near}")
