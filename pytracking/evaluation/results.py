"""Result files: ``<results_dir>/<tracker>/<parameters>[+<settings>][_<run id>]/<sequence>.txt`` and what is beside.

* ``<sequence>.txt``: a box a line, x, y, w, h separated by tabs, rounded to 1/10000 of a pixel.
* ``time/<sequence>.txt``: seconds a frame, unknown where another program wrote none.
* ``score/<sequence>.txt``: the tracker's score, where it has one.
* ``confidence/<sequence>.txt``: of a tracker with a calibration, its confidence, 0 to 1, and 1 where it was lost or 0.
* ``frames/<sequence>.txt``: a digest of the frames, where they are files: a result is not taken for that of others.
* ``sum/<sequence>.sha256``: check sums of these files, as ``sha256sum --check`` reads them.
* ``error/<sequence>.txt``: the traceback, if the last attempt failed.
* ``run.json``: the parameters that made the results, and a key of them and of the checkpoint's content.
* ``damaged/``, ``damaged.2/``, ...: results that could not be read or are of another sequence, set aside.

A folder for each kind, so that no name of a sequence is the file of another. Results in pytracking's layout, which has
``<sequence>_time.txt``, are read as well; :func:`pytracking.evaluation.packing.pack_pytracking` writes it.

Each file is written whole or not at all, the boxes last: a result that has its boxes is complete.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.files import WriteError, write_bytes_atomically
from ltr.admin.ownership import FILES as OWNER_FILES
from ltr.admin.records import RecordError, read_record, write_record
from ltr.dataset.text import DatasetError, read_table
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Judgement, SequenceResult, Tracker

RUN_FILE = "run.json"
DAMAGED = "damaged"
BESIDE = ("time", "score", "confidence", "frames")  # folders of what else is known of a result
FILES_LOOKED_AT = 32  # of a sequence's frames, for the digest
AGAIN = "delete it and run again or, if it came from elsewhere, get it again"
_KEY = re.compile(r"[0-9a-f]{16}")


class ResultError(ValueError):
    """Results that are missing, damaged, or of another length than their sequence."""


class MissingResultError(ResultError):
    """There is no result."""


def save_result(directory: Path, sequence: Sequence, result: SequenceResult) -> None:
    """Writes the result's files, and removes the traceback of an earlier failure."""
    name = f"{sequence.name}.txt"
    others: dict[str, Iterable[str]] = {f"time/{name}": (f"{seconds:.6f}" for seconds in result.times)}
    if result.scores is not None:
        others[f"score/{name}"] = (f"{score:.6g}" for score in result.scores)
    if result.judged is not None:
        pairs = zip(result.judged.confidence, result.judged.lost)
        others[f"confidence/{name}"] = (f"{confidence:.4f}\t{int(lost)}" for confidence, lost in pairs)
    digest = frames_digest(sequence)
    if digest is not None:
        others[f"frames/{name}"] = [digest]
    for kind in BESIDE:
        if f"{kind}/{name}" not in others:
            (directory / kind / name).unlink(missing_ok=True)  # of an earlier run
    write_with_sums(directory, name, box_lines(result.boxes), others)
    error_file(directory, sequence).unlink(missing_ok=True)


def load_result(tracker: Tracker, sequence: Sequence) -> SequenceResult:
    """Returns the saved result.

    Raises:
        MissingResultError: there is none.
        ResultError: it has another number of frames or another first box than the sequence, it is of other frames, a
            line cannot be read or is not finite, or its files do not fit their check sums.
    """
    directory = tracker.results_dir
    names = (sequence.name, *sequence.aliases)  # other programs have written their results under these
    name = next((name for name in names if (directory / f"{name}.txt").is_file()), sequence.name)
    file = directory / f"{name}.txt"
    if not file.is_file():
        failed = error_file(directory, sequence)
        why = f"its last run failed, see {failed}" if failed.is_file() else f"there is no {file}; run it first"
        raise MissingResultError(f"no result of {tracker.run_name} on {sequence.name}: {why}")
    boxes = _finite(file, read_numbers(file, 4))
    time_file = _beside(directory, "time", name)
    if time_file.is_file() or (directory / _sums_name(file.name)).is_file():
        times = _finite(time_file, read_numbers(time_file, 1))[:, 0]
        if (times < 0).any():
            raise ResultError(f"{time_file}, line {int(np.argmax(times < 0)) + 1}: a time is negative; {AGAIN}")
    else:
        times = np.full(len(boxes), np.nan)  # published results often have none
    score_file = _beside(directory, "score", name)
    scores = read_numbers(score_file, 1, missing=True)[:, 0] if score_file.is_file() else None
    sure_file = directory / "confidence" / f"{name}.txt"
    sure = read_numbers(sure_file, 2, missing=True) if sure_file.is_file() else None
    for what, values in (("boxes", boxes), ("times", times), ("scores", scores), ("confidences", sure)):
        if values is not None and len(values) != len(sequence):
            frames = f"{sequence.name} has {len(sequence)} frames"
            raise ResultError(f"{file} has {len(values)} {what}, but {frames}; {AGAIN}")
    if not _starts_on(boxes[0], sequence.ground_truth_rect[0], exactly=(directory / _sums_name(file.name)).is_file()):
        truth = sequence.ground_truth_rect[0].tolist()
        raise ResultError(
            f"{file} starts with {boxes[0].tolist()}, but {sequence.name} of {sequence.dataset!r} with {truth}: "
            f"it is the result of another sequence; {AGAIN}. Two sequences of one name need a --workspace each"
        )
    check_sums(directory, file.name, [f"{kind}/{file.name}" for kind in BESIDE])
    seen = directory / "frames" / f"{name}.txt"
    if seen.is_file() and frames_digest(sequence) not in (None, _read_text(seen).strip()):
        raise ResultError(
            f"{file} is the result of other frames than {sequence.name} of {sequence.dataset!r} has now: they were "
            "changed, or are those of another data set. Give each of two its own --workspace"
        )
    return SequenceResult(boxes, times, scores, None if sure is None else Judgement(sure[:, 0], sure[:, 1] > 0))


def has_result(tracker: Tracker, sequence: Sequence, say: Callable[[str], None]) -> bool:
    """Returns whether a complete result of this sequence is saved. A damaged one is told and set aside."""
    try:
        load_result(tracker, sequence)
    except MissingResultError:
        return False
    except ResultError as error:
        set_aside(tracker.results_dir, f"{sequence.name}.txt", error, say)
        return False
    return True


def frames_digest(sequence: Sequence) -> str | None:
    """Returns a digest that tells a sequence's frames from others, such as a darker copy of them.

    It is made of the first and the last frame's bytes and of the sizes of some files between, wherever they lie. None
    where frames are no files, or cannot be read.
    """
    chosen = np.unique(np.linspace(0, len(sequence) - 1, FILES_LOOKED_AT).astype(int))
    files = [sequence.frames[index] for index in chosen]
    digest = hashlib.sha256()
    try:
        for file in files:
            if not isinstance(file, str | Path):
                return None
            digest.update(f"{Path(file).stat().st_size}\n".encode())
        for file in (files[0], files[-1]):
            digest.update(Path(file).read_bytes())
    except OSError:
        return None
    return digest.hexdigest()


def set_aside(directory: Path, main: str, error: ResultError, say: Callable[[str], None]) -> None:
    """Moves a result that cannot be used, and what lies beside it, into a folder of such results, and says so.

    The folder is ``damaged``, or ``damaged.2`` and so on where an earlier one of that name lies there.
    """
    folders = (directory / (DAMAGED if number < 2 else f"{DAMAGED}.{number}") for number in count(1))
    folder = next(folder for folder in folders if not (folder / main).exists())
    for name in (main, *(f"{kind}/{main}" for kind in BESIDE), _sums_name(main)):
        file, aside = directory / name, folder / name
        if file.is_file():
            try:
                aside.parent.mkdir(parents=True, exist_ok=True)
                file.replace(aside)
            except OSError as problem:
                raise WriteError(
                    problem.errno or 0, f"cannot move the damaged result {file} to {aside}: {problem.strerror}"
                ) from problem
    say(f"made again, and what was there is now in {folder}: {error}")


def error_file(directory: Path, sequence: Sequence) -> Path:
    """Returns the file of the sequence's traceback."""
    return directory / "error" / f"{sequence.name}.txt"


def write_with_sums(directory: Path, main: str, lines: Iterable[str], others: Mapping[str, Iterable[str]]) -> None:
    """Writes text files that belong together, and their check sums.

    Args:
        directory: below which all of them lie.
        main: the file whose presence means that all are there; it is removed first and written last.
        lines: of it.
        others: lines of the other files.
    """
    contents = {name: _text(each) for name, each in {**others, main: lines}.items()}
    (directory / main).unlink(missing_ok=True)
    sums = "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in contents.items())
    for name, content in {_sums_name(main): sums.encode(), **contents}.items():
        write_bytes_atomically(directory / name, content)


def check_sums(directory: Path, main: str, others: Iterable[str]) -> None:
    """Compares files with the check sums that :func:`write_with_sums` wrote; without those, anything is right.

    Raises:
        ResultError: a file is missing or was changed; the message names it.
    """
    file = directory / _sums_name(main)
    if not file.is_file():
        return
    expected = {name: digest for digest, _, name in (line.partition("  ") for line in _read_text(file).splitlines())}
    if main not in expected:
        raise ResultError(f"{file} is damaged: it does not name {main}; {AGAIN}")
    for name in (main, *others):
        path = directory / name
        found = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None
        if name in expected and expected[name] != found:
            what = "is missing" if found is None else f"is not what was written: {file} has another check sum"
            raise ResultError(f"{path} {what}; {AGAIN}")


def _sums_name(main: str) -> str:
    return f"sum/{main.removesuffix('.txt')}.sha256"


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Writes the lines, whole or not at all."""
    write_bytes_atomically(file, _text(lines))


def write_boxes(file: Path, boxes: np.ndarray) -> None:
    """Writes boxes (T, 4), one a line, whole or not at all."""
    write_lines(file, box_lines(boxes))


def box_lines(boxes: np.ndarray) -> list[str]:
    """Returns boxes (T, 4) as the lines of a result file."""
    return ["\t".join(map(_short, box)) for box in boxes]


def read_numbers(file: Path, columns: int, missing: bool = False) -> np.ndarray:
    """Returns the numbers (lines, columns) of a file; with ``missing``, lines may be NaN.

    Raises ResultError that names the line which does not have them.
    """
    try:
        return read_table(file, columns, missing=missing)
    except (DatasetError, FileNotFoundError) as error:
        raise ResultError(f"{error}; {AGAIN}") from error


def claim_directory(tracker: Tracker, key: str, parameters: dict[str, Any], say: Callable[[str], None]) -> None:
    """Makes the results directory, which the caller owns, one of results with this key.

    Results there that were made with other parameters or another checkpoint are moved to a directory beside it; ``say``
    tells where.
    """
    directory = tracker.results_dir
    file = directory / RUN_FILE
    earlier, why = _earlier_key(file)
    there = [path for path in directory.iterdir() if path.name not in OWNER_FILES] if directory.is_dir() else []
    if earlier != key and there:
        moved = directory.with_name(f"{directory.name}.{earlier}")
        moved.mkdir(parents=True, exist_ok=True)
        for path in sorted(there, key=lambda path: path.name == RUN_FILE):  # the key goes last
            _move_into(path, moved)
        say(f"{tracker.run_name}: {why}; earlier results are now in {moved}")
    if not file.is_file():
        names = {"tracker": tracker.name, "parameter_set": tracker.parameter_name, "settings": tracker.changed}
        write_record(file, {**names, "key": key, "parameters": parameters})


def _earlier_key(file: Path) -> tuple[str, str]:
    """Returns the key of the results that lie beside a run file, and why they may not be gone on with."""
    try:
        key = str(read_record(file).get("key"))
    except FileNotFoundError:
        return "unknown", f"there is no {file.name} that says which parameters made what is there"
    except RecordError as error:
        return "unknown", str(error)
    if not _KEY.fullmatch(key):  # it becomes a name
        return "unknown", f"{file} has no key of this project"
    return key, "its parameters or checkpoint have changed"


def _move_into(path: Path, folder: Path) -> None:
    target = folder / path.name
    if path.is_dir() and target.is_dir():
        for inner in path.iterdir():
            _move_into(inner, target)
        path.rmdir()
    else:
        path.replace(target)


def _beside(directory: Path, kind: str, name: str) -> Path:
    """Returns the file of a sequence's times or scores; where it is absent, pytracking's name of it."""
    file = directory / kind / f"{name}.txt"
    return file if file.is_file() else directory / f"{name}_{kind}.txt"


def _starts_on(box: np.ndarray, truth: np.ndarray, exactly: bool) -> bool:
    """Returns whether a result's first box is the true one.

    Other programs' published results begin up to some pixels beside it, rounded or moved to a cell of features: where
    this program did not write them (not ``exactly``), half an overlap is enough, and another sequence's box has less.
    """
    if exactly:
        return np.allclose(box, truth, atol=1e-3)
    low, high = np.maximum(box[:2], truth[:2]), np.minimum(box[:2] + box[2:], truth[:2] + truth[2:])
    both = np.prod(np.maximum(high - low, 0))
    return np.allclose(box, truth, atol=1e-3) or both >= 0.5 * (np.prod(box[2:]) + np.prod(truth[2:]) - both)


def _finite(file: Path, numbers: np.ndarray) -> np.ndarray:
    broken = np.flatnonzero(~np.isfinite(numbers).all(axis=1))
    if len(broken):
        raise ResultError(f"{file}, line {broken[0] + 1}: its numbers are not finite; {AGAIN}")
    return numbers


def _read_text(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise ResultError(f"{file} is damaged: byte {error.start} is no text; {AGAIN}") from error
    except OSError as error:
        raise ResultError(f"{file} cannot be read: {error.strerror or error}") from error


def _text(lines: Iterable[str]) -> bytes:
    return "".join(f"{line}\n" for line in lines).encode()


def _short(number: float) -> str:
    """Returns the number with at most four decimals, without trailing zeros.

    >>> _short(12.5), _short(70.0), _short(1 / 3), _short(-0.00001)
    ('12.5', '70', '0.3333', '0')
    """
    return f"{round(number, 4) + 0.0:.4f}".rstrip("0").rstrip(".")
