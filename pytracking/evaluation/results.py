"""Result files: ``<results_dir>/<tracker>/<parameters>[_<run id>]/<sequence>.txt`` and what lies beside them.

* ``<sequence>.txt``: a box a line, x, y, w, h separated by tabs, rounded to 1/10000 of a pixel.
* ``<sequence>_time.txt``: seconds a frame; ``<sequence>_score.txt``: the tracker's confidence, where it has one.
* ``<sequence>_error.txt``: the traceback, if the last attempt failed.
* ``run.json``: the parameters that made the results, and a key of them and of the checkpoint's content.

Each file is written whole or not at all, the boxes last: a result that has its boxes is complete.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from ltr.admin.files import write_bytes_atomically
from ltr.dataset.text import DatasetError, read_table
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import SequenceResult, Tracker
from pytracking.parameter.params import TrackerParams

RUN_FILE = "run.json"


class ResultError(ValueError):
    """Results that are missing, broken, or of another length than their sequence."""


def save_result(directory: Path, sequence: Sequence, result: SequenceResult) -> None:
    """Writes the result's files, and removes the traceback of an earlier failure."""
    write_lines(directory / f"{sequence.name}_time.txt", (f"{seconds:.6f}" for seconds in result.times))
    if result.scores is not None:
        write_lines(directory / f"{sequence.name}_score.txt", (f"{score:.6g}" for score in result.scores))
    write_boxes(directory / f"{sequence.name}.txt", result.boxes)
    error_file(directory, sequence).unlink(missing_ok=True)


def load_result(tracker: Tracker, sequence: Sequence) -> SequenceResult:
    """Returns the saved result.

    Raises:
        ResultError: there is none, or it has another number of frames or another first box than the sequence, or a
            line cannot be read.
    """
    directory = tracker.results_dir
    names = (sequence.name, *sequence.aliases)  # other programs have written their results under these
    name = next((name for name in names if (directory / f"{name}.txt").is_file()), sequence.name)
    file = directory / f"{name}.txt"
    if not file.is_file():
        failed = error_file(directory, sequence)
        why = f"its last run failed, see {failed}" if failed.is_file() else f"there is no {file}; run it first"
        raise ResultError(f"no result of {tracker.run_name} on {sequence.name}: {why}")
    boxes = read_numbers(file, 4)
    times = read_numbers(directory / f"{name}_time.txt", 1)[:, 0]
    score_file = directory / f"{name}_score.txt"
    scores = read_numbers(score_file, 1, missing=True)[:, 0] if score_file.is_file() else None
    for what, values in (("boxes", boxes), ("times", times), ("scores", scores)):
        if values is not None and len(values) != len(sequence):
            frames = f"{sequence.name} has {len(sequence)} frames"
            raise ResultError(f"{file} has {len(values)} {what}, but {frames}; delete it and run again")
    if not np.allclose(boxes[0], sequence.ground_truth_rect[0], atol=1e-3):
        truth = sequence.ground_truth_rect[0].tolist()
        raise ResultError(
            f"{file} starts with {boxes[0].tolist()}, but {sequence.name} of {sequence.dataset!r} with {truth}: "
            "it is the result of another sequence; delete it and run again"
        )
    return SequenceResult(boxes, times, scores)


def has_result(tracker: Tracker, sequence: Sequence) -> bool:
    """Returns whether a complete result of this sequence is saved."""
    try:
        load_result(tracker, sequence)
    except (ResultError, OSError):
        return False
    return True


def error_file(directory: Path, sequence: Sequence) -> Path:
    """Returns the file of the sequence's traceback."""
    return directory / f"{sequence.name}_error.txt"


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Writes the lines, whole or not at all."""
    write_bytes_atomically(file, "".join(f"{line}\n" for line in lines).encode())


def write_boxes(file: Path, boxes: np.ndarray) -> None:
    """Writes boxes (T, 4), one a line, whole or not at all."""
    write_lines(file, ("\t".join(map(_short, box)) for box in boxes))


def read_numbers(file: Path, columns: int, missing: bool = False) -> np.ndarray:
    """Returns the numbers (lines, columns) of a file; with ``missing``, lines may be NaN.

    Raises ResultError that names the line which does not have them.
    """
    try:
        return read_table(file, columns, missing=missing)
    except (DatasetError, FileNotFoundError) as error:
        raise ResultError(f"{error}; delete it and run the tracker again") from error


def content_key(tracker: Tracker, params: TrackerParams) -> tuple[str, dict[str, Any]]:
    """Returns a key that changes with the parameters or a checkpoint's content, and the parameters as plain data.

    The device is not part of it. A parameter whose value has no stable text form counts by its type alone.
    """
    plain = {
        field.name: _plain(field.name, getattr(params, field.name))
        for field in dataclasses.fields(params)
        if field.name != "device"
    }
    text = json.dumps([tracker.name, type(params).__name__, plain], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16], plain


def claim_directory(tracker: Tracker, key: str, parameters: dict[str, Any]) -> Path | None:
    """Makes the results directory one of results with this key.

    Results there that were made with other parameters or another checkpoint are moved to a directory beside it.

    Returns:
        The directory that the older results were moved to, if any.
    """
    directory = tracker.results_dir
    file = directory / RUN_FILE
    moved = None
    if directory.is_dir():
        earlier = _earlier_key(file)
        if earlier != key and any(directory.iterdir()):
            moved = directory.with_name(f"{directory.name}.{earlier}")
            _merge_into(directory, moved)
    if not file.is_file():
        names = {"tracker": tracker.name, "parameter_set": tracker.parameter_name}
        content = {**names, "key": key, "parameters": parameters}
        write_bytes_atomically(file, (json.dumps(content, indent=1) + "\n").encode())
    return moved


def _earlier_key(file: Path) -> str:
    try:
        return str(json.loads(file.read_text(encoding="utf-8"))["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return "unknown"  # made by another program, or by hand


def _merge_into(source: Path, target: Path) -> None:
    """Moves every file of ``source`` into ``target``."""
    target.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir(), key=lambda path: path.name == RUN_FILE):  # the key goes last
        path.replace(target / path.name)


def _plain(name: str, value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, nn.Module):
        return {"module": type(value).__name__, "digest": _weights_digest(value)}
    if name == "network" and isinstance(value, (str, Path)):
        from ltr.admin.checkpoint import find_checkpoint

        file = find_checkpoint(value)
        return {"checkpoint": str(value), "digest": hashlib.sha256(file.read_bytes()).hexdigest()[:16]}
    if isinstance(value, (str, Path, torch.device, torch.dtype)):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain("", item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain("", item) for key, item in value.items()}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(field.name, getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return hashlib.sha256(np.ascontiguousarray(torch.as_tensor(value).cpu().numpy()).tobytes()).hexdigest()[:16]
    return type(value).__name__


def _weights_digest(module: nn.Module) -> str:
    digest = hashlib.sha256(repr(getattr(module, "constructor", "")).encode())
    for key, tensor in module.state_dict().items():
        digest.update(key.encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:16]


def _short(number: float) -> str:
    """Returns the number with at most four decimals, without trailing zeros.

    >>> _short(12.5), _short(70.0), _short(1 / 3), _short(-0.00001)
    ('12.5', '70', '0.3333', '0')
    """
    return f"{round(number, 4) + 0.0:.4f}".rstrip("0").rstrip(".")
