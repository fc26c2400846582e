"""Results as others take them, in one zip file: the evaluation servers of GOT-10k and TrackingNet, and pytracking."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from ltr.admin.files import write_bytes_atomically
from ltr.registry import near_names
from pytracking.evaluation.results import ResultError, box_lines, load_result
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import SequenceResult, Tracker

EPOCH = (1980, 1, 1, 0, 0, 0)  # of every file inside, so that equal results give equal zip files


def pack_got10k(tracker: Tracker, dataset: Iterable[Sequence], file: Path) -> Path:
    """Writes the zip file for GOT-10k's server, and returns its path.

    Layout: ``<sequence>/<sequence>_001.txt`` with x,y,w,h a line, and ``<sequence>/<sequence>_time.txt`` with seconds a
    line. Each repetition would be another number; the server asks for one at least.

    Raises:
        ResultError: as :func:`pack_results`.
    """

    def files(sequence: Sequence, result: SequenceResult) -> dict[str, str]:
        name = sequence.name
        if np.isnan(result.times).any():
            raise ResultError(
                f"the times of {tracker.run_name} on {name} are unknown, and GOT-10k's server asks for them"
            )
        times = "".join(f"{seconds:.8f}\n" for seconds in result.times)
        return {f"{name}/{name}_001.txt": _lines(result.boxes), f"{name}/{name}_time.txt": times}

    return _pack(tracker, dataset, file, files)


def pack_trackingnet(tracker: Tracker, dataset: Iterable[Sequence], file: Path) -> Path:
    """Writes the zip file for TrackingNet's server, and returns its path.

    Layout: ``<sequence>.txt`` with x,y,w,h a line, all at the top.

    Raises:
        ResultError: as :func:`pack_results`.
    """
    return _pack(tracker, dataset, file, lambda sequence, result: {f"{sequence.name}.txt": _lines(result.boxes)})


def pack_pytracking(tracker: Tracker, dataset: Iterable[Sequence], file: Path) -> Path:
    """Writes the results in pytracking's layout, to be unpacked in its folder of results, and returns the zip file.

    Layout: ``<tracker>/<parameters>[_<run id>]/<sequence>.txt`` with x, y, w, h separated by tabs, and
    ``<sequence>_time.txt`` with seconds a line, where they are known.

    Raises:
        ResultError: a result is missing or damaged, or two sequences would be one file, such as ``a`` and ``a_time``.
    """
    sequences = list(dataset)
    names = {sequence.name for sequence in sequences}
    for name in sorted(names):
        if f"{name}_time" in names:
            raise ResultError(f"pytracking's layout cannot hold both {name} and {name}_time: each would be the other")

    def files(sequence: Sequence, result: SequenceResult) -> dict[str, str]:
        start = f"{tracker.run_name}/{sequence.name}"
        times = "".join(f"{seconds:.8f}\n" for seconds in result.times)
        boxes = {f"{start}.txt": "".join(f"{line}\n" for line in box_lines(result.boxes))}
        return boxes if np.isnan(result.times).any() else {**boxes, f"{start}_time.txt": times}

    return _pack(tracker, sequences, file, files)


PACKERS: dict[str, Callable[[Tracker, Iterable[Sequence], Path], Path]] = {
    "got10k_test": pack_got10k,
    "got10k_val": pack_got10k,
    "trackingnet": pack_trackingnet,
}


def pack_results(tracker: Tracker, dataset: Iterable[Sequence], file: Path) -> Path:
    """Writes the zip file for the server of the data set that the sequences are of, and returns its path.

    The file is written whole or not at all.

    Raises:
        ResultError: a result is missing or broken, or no server takes results of this data set.
    """
    sequences = list(dataset)
    titles = {sequence.dataset for sequence in sequences}
    if len(titles) != 1 or not titles <= set(PACKERS):
        name = ", ".join(sorted(titles))
        raise ResultError(
            f"no server takes results of {name!r}.{near_names(name, PACKERS)} Known: {', '.join(PACKERS)}"
        )
    return PACKERS[titles.pop()](tracker, sequences, file)


def _pack(
    tracker: Tracker,
    dataset: Iterable[Sequence],
    file: Path,
    files: Callable[[Sequence, SequenceResult], dict[str, str]],
) -> Path:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for sequence in dataset:
            for name, text in files(sequence, load_result(tracker, sequence)).items():
                entry = zipfile.ZipInfo(name, EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, text)
    write_bytes_atomically(file, content.getvalue())
    return file


def _lines(boxes: np.ndarray) -> str:
    return "".join(",".join(f"{number:.4f}" for number in box) + "\n" for box in boxes)
