"""How benchmark sequences lie on a disk, and the one reader of them all.

A benchmark says where each of its sequences lies (:class:`SequenceEntry`); what is wrong with the files is named here.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from pytracking.evaluation.ground_truth import POLYGON, read_flags, read_regions
from pytracking.evaluation.sequence import COVER, FIRST_BOX_ONLY, POLYGONS, Sequence, SequenceError, SequenceList
from pytracking.metrics.regions import bounding_boxes

IMAGE_SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp")
_said: set[tuple[str, Path]] = set()


@dataclass(frozen=True)
class SequenceEntry:
    """Where a sequence lies; paths are relative to the benchmark's directory.

    Attributes:
        name: of the sequence.
        images: the folder of its images, numbered from ``first`` on.
        boxes: its ground-truth file.
        first: number of its first image; None: the smallest there is.
        last: number of its last image; None: the largest there is, or with ``first``, what the boxes make it.
        omit: leading frames that are not evaluated.
        hidden: files of flags; a frame where one of them is not 0 does not show the target.
        cover: a file of how much of the target shows, 0 to 8.
        target: what it is, if known.
    """

    name: str
    images: str
    boxes: str
    first: int | None = None
    last: int | None = None
    omit: int = 0
    hidden: tuple[str, ...] = ()
    cover: str | None = None
    target: str | None = None


@dataclass(frozen=True)
class Rules:
    """What the ground truth of a benchmark may hold; see :func:`read_regions`. ``first_box_only``: one box a file."""

    polygons: bool = False
    missing: bool = False
    first_box_only: bool = False


def benchmark_root(root: Path | None, path_name: str, *inside: str) -> Path:
    """Returns the benchmark's directory: ``root``, or the path of this name in the environment.

    Where it has a folder ``inside/...``, that is returned; so both the directory and its part may be named.

    Raises:
        EnvironmentError_: the path is not set, or no directory.
        FileNotFoundError: ``root`` is no directory.
    """
    if root is None:
        from ltr.admin.environment import load_environment

        root = load_environment().require(path_name)
    if not root.is_dir():
        raise FileNotFoundError(f"the directory {root} does not exist; set {path_name} to the folder of its sequences")
    deeper = root.joinpath(*inside)
    return deeper if deeper.is_dir() else root


def read_entries(
    title: str, root: Path, entries: Iterable[SequenceEntry], path_name: str, rules: Rules = Rules()
) -> SequenceList:
    """Returns those of the sequences that ``root`` holds; a note on standard error says if some are not there.

    Raises:
        FileNotFoundError: none is there, or a file of one.
        SequenceError: images and boxes of a sequence do not fit together, or a file is broken.
    """
    wanted = list(entries)
    present = [entry for entry in wanted if (root / entry.images).is_dir()]
    if not present:
        example = f"{wanted[0].images}/00000001.jpg" if wanted else "any"
        raise FileNotFoundError(f"{root} holds no {title} sequence, such as {example}; check {path_name}")
    if len(present) < len(wanted) and (title, root) not in _said:
        _said.add((title, root))
        print(f"note: {root} holds {len(present)} of the {len(wanted)} runs of {title}; they are used", file=sys.stderr)
    return SequenceList(_read(root, title, entry, rules) for entry in present)


def listed_names(folder: Path, path_name: str, marker: str = "groundtruth.txt") -> list[str]:
    """Returns the names in ``folder/list.txt``, or without it the sub-folders that hold a file ``marker``.

    Raises:
        FileNotFoundError: there are none.
        SequenceError: the list has a name twice.
    """
    file = folder / "list.txt"
    if file.is_file():
        names = file.read_text(encoding="utf-8-sig").split()
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise SequenceError(f"{file} has {twice[0]!r} twice; remove one of the lines")
    else:
        names = sorted(path.parent.name for path in folder.glob(f"*/{marker}"))
    if not names:
        raise FileNotFoundError(
            f"{folder} holds neither a list.txt with the names of sequences, one a line, nor a folder with a {marker}; "
            f"check {path_name}, or write the list"
        )
    return names


def numbered_images(folder: Path) -> dict[int, Path]:
    """Returns the images of a folder by the number that their name ends in.

    Raises:
        FileNotFoundError: there is no such image.
        SequenceError: two of them have one number.
    """
    images: dict[int, Path] = {}
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        number = re.search(r"(\d+)$", path.stem)
        if path.suffix.lower() not in IMAGE_SUFFIXES or not number:
            continue
        if int(number[1]) in images:
            raise SequenceError(f"{folder}: {images[int(number[1])].name} and {path.name} are one frame; remove one")
        images[int(number[1])] = path
    if not images:
        raise FileNotFoundError(f"{folder} holds no image such as 0001.jpg")
    return images


def make_sequence(
    name: str, title: str, frames: list[Any], regions: np.ndarray, source: Path, rules: Rules = Rules(), **more: Any
) -> Sequence:
    """Returns the sequence of these frames and regions (T, 4 or 8), read from ``source``.

    Polygons are kept in ``meta``; the boxes are the smallest around them.

    Raises:
        SequenceError: the numbers of frames and regions differ.
    """
    meta: dict[str, Any] = {}
    if rules.first_box_only and len(regions) == 1:
        meta[FIRST_BOX_ONLY] = True
        regions = np.concatenate([regions, np.full((len(frames) - 1, regions.shape[1]), np.nan)])
    if len(regions) != len(frames):
        where = f"{len(frames)} images of {name}" if isinstance(frames[0], str) else f"{len(frames)} frames of {name}"
        raise SequenceError(f"{source} has {len(regions)} boxes for the {where}; one of the two is not whole")
    if regions.shape[1] == POLYGON:
        meta[POLYGONS] = regions
        regions = bounding_boxes(regions)
    return Sequence(name, frames, title, regions, meta={**meta, **more.pop("meta", {})}, **more)


def _read(root: Path, title: str, entry: SequenceEntry, rules: Rules) -> Sequence:
    file, folder = root / entry.boxes, root / entry.images
    regions = read_regions(file, rules.polygons, rules.missing)
    images = numbered_images(folder)
    first = min(images) if entry.first is None else entry.first
    last = entry.last
    if last is None:
        last = max(images) if entry.first is None else first + len(regions) - 1
    missing = [number for number in range(first, last + 1) if number not in images]
    if missing:
        raise FileNotFoundError(
            f"{folder}: {len(missing)} of the images {first} to {last} are missing, first number {missing[0]}"
        )
    frames = [str(images[number]) for number in range(first, last + 1)]
    visible, meta = None, {}
    if entry.hidden:
        visible = np.ones(len(frames), bool)
        for name in entry.hidden:
            visible &= _flags(root / name, len(frames)) == 0
    if entry.cover and (root / entry.cover).is_file():
        meta[COVER] = _flags(root / entry.cover, len(frames))
    sequence = make_sequence(
        entry.name, title, frames, regions, file, rules, object_class=entry.target, target_visible=visible, meta=meta
    )
    return sequence.without_first(entry.omit)


def _flags(file: Path, frames: int) -> np.ndarray:
    flags = read_flags(file)
    if len(flags) != frames:
        raise SequenceError(f"{file} has {len(flags)} numbers for {frames} images; one of the two is not whole")
    return flags
