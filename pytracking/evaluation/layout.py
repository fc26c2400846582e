"""How benchmark sequences lie on a disk, and the one reader of them all.

A benchmark says where each of its sequences lies (:class:`SequenceEntry`); what is wrong with the files is named here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ltr.dataset.frames import numbered_images
from ltr.dataset.names import path_below, read_names
from ltr.dataset.text import read_flags
from pytracking.evaluation.ground_truth import POLYGON, read_regions
from pytracking.evaluation.sequence import COVER, FIRST_BOX_ONLY, POLYGONS, Sequence, SequenceError, SequenceList
from pytracking.metrics.regions import bounding_boxes

FULLY_VISIBLE = 8  # in files of cover
_said: set[tuple[str, Path]] = set()


@dataclass(frozen=True)
class SequenceEntry:
    """Where a sequence lies; paths are relative to the benchmark's directory.

    Attributes:
        name: of the sequence.
        images: the folder of its images, numbered from ``first`` on.
        boxes: its ground-truth file.
        first: number of its first image; None: the smallest there is.
        last: number of its last image; None: the largest there is.
        omit: leading frames that are not evaluated.
        hidden: files of flags; a frame where one of them is not 0 does not show the target.
        cover: a file of how much of the target shows, 0 to 8.
        target: what it is, if known.
        aliases: other names of the sequence.
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
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rules:
    """What the files of a benchmark may hold.

    Attributes:
        polygons: lines of the ground truth may hold the four corners of a polygon.
        missing: lines of NaN alone are frames without the target.
        first_box_only: a file may have one box, that of the first frame.
        shortened: images may end before the last one of the list, and boxes after the last image are left out.
    """

    polygons: bool = False
    missing: bool = False
    first_box_only: bool = False
    shortened: bool = False


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
        DatasetError: images and boxes of a sequence do not fit together, or a file is broken.
    """
    wanted = list(entries)
    present = [entry for entry in wanted if path_below(root, entry.images, title, folders=True).is_dir()]
    if not present:
        example = f"{wanted[0].images}/00000001.jpg" if wanted else "any"
        raise FileNotFoundError(f"{root} holds no {title} sequence, such as {example}; check {path_name}")
    if len(present) < len(wanted) and (title, root) not in _said:
        _said.add((title, root))
        print(f"note: {root} holds {len(present)} of the {len(wanted)} runs of {title}; they are used", file=sys.stderr)
    read = (_read(root, title, entry, rules) for entry in present)
    return SequenceList(sequence for sequence in read if sequence is not None)


def listed_names(folder: Path, path_name: str, marker: str = "groundtruth.txt") -> list[str]:
    """Returns the names in ``folder/list.txt``, or without it the sub-folders that hold a file ``marker``.

    Raises:
        FileNotFoundError: there are none.
        DatasetError: the list is empty, has a name twice, or one that would lie somewhere else.
    """
    file = folder / "list.txt"
    if file.exists():
        return read_names(file)
    names = sorted(path.parent.name for path in folder.glob(f"[!.]*/{marker}"))
    if not names:
        raise FileNotFoundError(
            f"{folder} holds neither a list.txt with the names of sequences, one a line, nor a folder with a {marker}; "
            f"check {path_name}, or write the list"
        )
    return names


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


def _read(root: Path, title: str, entry: SequenceEntry, rules: Rules) -> Sequence | None:
    """Returns the sequence, or None for one that begins where a shortened copy has ended."""

    def place(name: str) -> Path:
        return path_below(root, name, f"{title}, sequence {entry.name}", folders=True)

    file, folder = place(entry.boxes), place(entry.images)
    regions = read_regions(file, rules.polygons, rules.missing)
    images = numbered_images(folder)
    if not images:
        raise FileNotFoundError(f"{folder} holds no image such as 0001.jpg")
    first = min(images) if entry.first is None else entry.first
    last = max(images) if entry.last is None else entry.last
    if rules.shortened:
        last = min(last, max(images))
        if last < first + entry.omit:
            return None
        regions = regions[: last - first + 1]
    missing = [number for number in range(first, last + 1) if number not in images]
    if missing:
        hint = ""
        if entry.last is not None and missing[0] > max(images):
            hint = f"; a copy that is shortened on purpose is read as the data set {title}_shortened"
        raise FileNotFoundError(
            f"{folder}: {len(missing)} of the images {first} to {last} are missing, first number {missing[0]}{hint}"
        )
    frames = [str(images[number]) for number in range(first, last + 1)]
    visible, meta = None, {}
    if entry.hidden:
        visible = np.ones(len(frames), bool)
        for name in entry.hidden:
            visible &= read_flags(place(name), len(frames)) == 0
    if entry.cover and place(entry.cover).exists():
        meta[COVER] = read_flags(place(entry.cover), len(frames), FULLY_VISIBLE)
    sequence = make_sequence(
        entry.name,
        title,
        frames,
        regions,
        file,
        rules,
        object_class=entry.target,
        target_visible=visible,
        meta=meta,
        aliases=entry.aliases,
    )
    return sequence.without_first(entry.omit)
