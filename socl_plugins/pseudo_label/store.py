"""Pseudo boxes on disk: a store for each data set and way to make them, a record of text lines for each video.

A record names the kind of every box, so that boxes which people drew, a tracker found or a click corrected are never
taken for each other. The store says how they were made; boxes made in another way are refused.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.tracks import SparseLabels
from socl_plugins.stores import SUFFIX, RecordStore, StoreError
from socl_plugins.top_map.store import store_name

HEAD = "# labels "
STORES = "pseudo_boxes"  # the folder in the workspace where they lie


def store_file(dataset: SparseBoxAnnotated, method: str) -> str:
    """Returns what the file of a data set's pseudo boxes is called, such as ``got10k_train.T10.fused.sqlite``."""
    noise = f".{dataset.noise_px:g}px" if dataset.noise_px else ""
    return f"{store_name(dataset)}.T{dataset.period}{noise}.{method}{SUFFIX}"


def build_command(dataset: SparseBoxAnnotated, method: str) -> str:
    """Returns the command line that makes a data set's pseudo boxes."""
    noise = f" --noise-px {dataset.noise_px:g}" if dataset.noise_px else ""
    words = f"--dataset {store_name(dataset)} --method {method} --period {dataset.period}{noise}"
    return f"python -m socl_plugins.pseudo_label build {words}"


def rebuild_command(store: RecordStore) -> str:
    """Returns the command line that makes the boxes of a store, from the store's name; settings are not in it."""
    named = re.fullmatch(r"(.+)\.T(\d+)(?:\.([\d.]+)px)?\.(\w+)", store.path.stem)
    if named is None:
        return "python -m socl_plugins.pseudo_label build, as it was built"
    noise = f" --noise-px {named[3]}" if named[3] else ""
    words = f"--dataset {named[1]} --method {named[4]} --period {named[2]}{noise}"
    return f"python -m socl_plugins.pseudo_label build {words} --store {store.path.parent}"


class PseudoBoxStore:
    """Pseudo boxes of a data set's videos.

    Args:
        path: of the store, see :func:`store_file`.
        command: what makes it, said where it is missing.
        about: if given, the store can be written to, and is made if need be, for boxes made as it says (plain data).

    Raises:
        StoreError: there is none; it is damaged; or its boxes were made in another way than ``about`` says.
    """

    def __init__(
        self,
        path: Path,
        command: str = "python -m socl_plugins.pseudo_label build --dataset NAME",
        about: Mapping[str, Any] | None = None,
    ) -> None:
        if about is None and not path.is_file():
            raise StoreError(f"there are no pseudo boxes in {path}; make them with: {command}")
        self.records = RecordStore(path, about)
        if about is not None:
            asked, there = json.loads(json.dumps(about)), self.records.about
            differences = [
                f"{name} {there.get(name)}, not {asked.get(name)}"
                for name in sorted(asked.keys() | there.keys())
                if asked.get(name) != there.get(name)
            ]
            if differences:
                raise StoreError(
                    f"the pseudo boxes in {path} were made with {'; '.join(differences)}: name another folder with "
                    "--store, or delete that file"
                )

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.records.path

    def read(self, video: str, labels: SparseLabels | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns a video's boxes (T, 4), nan where there is none, and their kinds (T,).

        Args:
            video: its name.
            labels: if given, the boxes must have been made from these.

        Raises:
            StoreError: they are not there, are damaged, or were made from other labels.
        """
        content = self.records.get(video)
        if content is None:
            raise StoreError(f"{self.path} has no boxes of {video}; run the build again, it goes on")
        digest, boxes, kinds = unpack(content)
        if labels is not None and digest != _digest(labels):
            raise StoreError(
                f"{self.path}, {video}: made from other boxes or clicks than the data set now shows: delete the store "
                "and build it again"
            )
        return boxes, kinds


def pack(boxes: np.ndarray, kinds: np.ndarray, labels: SparseLabels) -> bytes:
    """Returns a video's boxes as lines of text, ``x,y,w,h,kind``, below one that changes with the labels.

    Args:
        boxes: (T, 4) of all its frames; nan where there is none.
        kinds: (T,), see :class:`Kind`.
        labels: that they were made from.
    """
    rows = [f"{','.join(f'{value:.3f}' for value in box)},{Kind(kind).name.lower()}" for box, kind in zip(boxes, kinds)]
    return "\n".join([f"{HEAD}{_digest(labels)}", *rows]).encode()


def unpack(content: bytes) -> tuple[str, np.ndarray, np.ndarray]:
    """Returns what changes with the labels, boxes (T, 4) and kinds (T,), as :func:`pack` packed them."""
    head, *lines = content.decode().split("\n")
    rows = [line.split(",") for line in lines]
    boxes = np.array([[float(word) for word in row[:4]] for row in rows]).reshape(len(rows), 4)
    return head.removeprefix(HEAD), boxes, np.array([Kind[row[4].upper()] for row in rows], int)


def _digest(labels: SparseLabels) -> str:
    """Returns eight letters that change with the labels, to a thousandth of a pixel."""
    numbers = np.concatenate([labels.frames[:, None], labels.boxes, labels.points], axis=1)
    rounded = np.where(np.isfinite(numbers), np.rint(numbers * 1000), -(2**40)).astype("<i8")
    return f"{zlib.crc32(rounded.tobytes()):08x}"
