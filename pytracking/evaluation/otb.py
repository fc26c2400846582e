"""OTB: Y. Wu, J. Lim, M.-H. Yang, Object Tracking Benchmark, PAMI 2015 (100 runs; 51 of them are OTB-2013).

Layout: ``<otb_dir>/<folder>/img/0001.jpg`` and ``<otb_dir>/<folder>/groundtruth_rect.txt``. What is special about a
sequence (frame range, second target, name of the box file) is data: ``data/otb.json``.
"""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pytracking.evaluation.sequence import Sequence, SequenceError, SequenceList

_LIST = Path(__file__).parent / "data" / "otb.json"
_said: set[tuple[str, Path]] = set()


@dataclass(frozen=True)
class Run:
    """One run of OTB: its folder, box file, first and last image (None: all), and leading frames left out."""

    name: str
    folder: str
    boxes: str
    frames: tuple[int, int] | None
    omit: int
    otb13: bool


def runs() -> list[Run]:
    """Returns the 100 runs of OTB-2015."""
    return [
        Run(
            entry["name"],
            entry.get("folder", entry["name"]),
            entry.get("boxes", "groundtruth_rect.txt"),
            tuple(entry["frames"]) if "frames" in entry else None,
            entry.get("omit", 0),
            entry.get("otb13", False),
        )
        for entry in json.loads(_LIST.read_text(encoding="utf-8"))["runs"]
    ]


def otb(root: Path | None = None) -> SequenceList:
    """Returns OTB-2015, or those of its runs that ``root`` (default: the environment's ``otb_dir``) holds."""
    return _read(root, "otb", runs())


def otb13(root: Path | None = None) -> SequenceList:
    """Returns OTB-2013, or those of its runs that ``root`` (default: the environment's ``otb_dir``) holds."""
    return _read(root, "otb13", [run for run in runs() if run.otb13])


def _read(root: Path | None, title: str, wanted: list[Run]) -> SequenceList:
    if root is None:
        from ltr.admin.environment import load_environment

        root = load_environment().require("otb_dir")
    if not root.is_dir():
        raise FileNotFoundError(f"the OTB directory {root} does not exist; set otb_dir to the folder of its sequences")
    present = [run for run in wanted if (root / run.folder).is_dir()]
    if not present:
        raise FileNotFoundError(f"{root} holds no OTB sequence, such as {wanted[0].folder}/img/0001.jpg; check otb_dir")
    if len(present) < len(wanted) and (title, root) not in _said:
        _said.add((title, root))
        print(f"note: {root} holds {len(present)} of the {len(wanted)} runs of {title}; they are used", file=sys.stderr)
    return SequenceList(_read_run(root, title, run) for run in present)


def _read_run(root: Path, title: str, run: Run) -> Sequence:
    folder = root / run.folder
    file = folder / run.boxes
    boxes = read_boxes(file)
    images = {int(path.stem): path for path in (folder / "img").glob("*.jpg") if path.stem.isdigit()}
    if not images:
        raise FileNotFoundError(f"{folder / 'img'} holds no image such as 0001.jpg")
    first, last = run.frames or (min(images), max(images))
    numbers = range(first, last + 1)
    missing = [number for number in numbers if number not in images]
    if missing:
        raise FileNotFoundError(
            f"{folder / 'img'}: {len(missing)} of the images {first} to {last} are missing, first number {missing[0]}"
        )
    if len(boxes) != len(numbers):
        images_there = f"{len(numbers)} images {first} to {last} of {folder / 'img'}"
        raise SequenceError(f"{file} has {len(boxes)} boxes for the {images_there}")
    frames = [str(images[number]) for number in numbers]
    return Sequence(run.name, frames[run.omit :], title, boxes[run.omit :])


def read_boxes(file: Path) -> np.ndarray:
    """Returns the boxes (T, 4) of a text file, one a line, numbers separated by commas, tabs or spaces.

    Raises:
        FileNotFoundError: there is no such file.
        SequenceError: a line does not hold four finite numbers; the message names it.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise FileNotFoundError(f"the ground truth {file} does not exist") from None
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = [float(value) for value in re.split(r"[,\s]+", line.strip().strip(","))]
        except ValueError:
            row = []
        if len(row) != 4 or not np.isfinite(row).all():
            raise SequenceError(f"{file}, line {number}: expected four finite numbers x, y, w, h, not {line.strip()!r}")
        rows.append(row)
    if not rows:
        raise SequenceError(f"{file} holds no boxes")
    return np.array(rows)
