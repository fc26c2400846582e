"""Pseudo boxes on disk: a folder for each data set and way to make them, a text file for each video.

A file names the kind of every box, so that boxes which people drew, a tracker found or a click corrected are never
taken for each other. ``about.json`` says how they were made; boxes made in another way are refused.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ltr.admin.files import write_bytes_atomically
from ltr.dataset.names import path_below
from ltr.dataset.text import read_lines
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.tracks import SparseLabels
from socl_plugins.top_map.store import store_name

ABOUT = "about.json"
HEAD = "# labels "
STORES = "pseudo_boxes"  # where they lie in the workspace


class LabelStoreError(ValueError):
    """A store of pseudo boxes that does not fit what is asked of it, or cannot be read."""


def store_folder(dataset: SparseBoxAnnotated, method: str) -> str:
    """Returns what the folder of a data set's pseudo boxes is called, such as ``got10k_train.T10.fused``."""
    noise = f".{dataset.noise_px:g}px" if dataset.noise_px else ""
    return f"{store_name(dataset)}.T{dataset.period}{noise}.{method}"


def build_command(dataset: SparseBoxAnnotated, method: str) -> str:
    """Returns the command line that makes a data set's pseudo boxes."""
    noise = f" --noise-px {dataset.noise_px:g}" if dataset.noise_px else ""
    words = f"--dataset {store_name(dataset)} --method {method} --period {dataset.period}{noise}"
    return f"python -m socl_plugins.pseudo_label build {words}"


class PseudoBoxStore:
    """Pseudo boxes of a data set's videos.

    Args:
        folder: of the store.
        command: what makes it, said where it is missing.

    Raises:
        LabelStoreError: there is none.
    """

    def __init__(self, folder: Path, command: str = "python -m socl_plugins.pseudo_label build --dataset NAME") -> None:
        self.folder = folder
        try:
            self.about: dict[str, Any] = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        except OSError as error:
            raise LabelStoreError(
                f"there are no pseudo boxes in {folder} ({error.strerror}); make them with: {command}"
            ) from error
        except ValueError as error:
            raise LabelStoreError(
                f"{folder / ABOUT} is damaged ({error}); delete the folder and build it again"
            ) from error

    @classmethod
    def create(cls, folder: Path, about: Mapping[str, Any]) -> PseudoBoxStore:
        """Returns the store in a folder, made if need be, for boxes made as ``about`` says (plain data).

        Raises:
            LabelStoreError: what is there was made in another way.
            WriteError: nothing can be written there.
        """
        asked = json.loads(json.dumps(about))
        if not (folder / ABOUT).is_file():
            write_bytes_atomically(folder / ABOUT, json.dumps(asked, indent=1).encode())
        store = cls(folder)
        differences = [
            f"{name} {store.about.get(name)}, not {asked.get(name)}"
            for name in sorted(asked.keys() | store.about.keys())
            if asked.get(name) != store.about.get(name)
        ]
        if differences:
            raise LabelStoreError(
                f"the pseudo boxes in {folder} were made with {'; '.join(differences)}: name another folder with "
                "--store, or delete that one"
            )
        return store

    def has(self, video: str) -> bool:
        """Returns whether the boxes of a video are there."""
        return self._file(video).is_file()

    def write(self, video: str, boxes: np.ndarray, kinds: np.ndarray, labels: SparseLabels) -> None:
        """Writes a video's boxes, whole or not at all.

        Args:
            video: its name.
            boxes: (T, 4) of all its frames; nan where there is none.
            kinds: (T,), see :class:`Kind`.
            labels: that they were made from.
        """
        lines = [f"{HEAD}{_digest(labels)}"]
        lines += [
            f"{','.join(f'{value:.3f}' for value in box)},{Kind(kind).name.lower()}" for box, kind in zip(boxes, kinds)
        ]
        write_bytes_atomically(self._file(video), ("\n".join(lines) + "\n").encode())

    def read(self, video: str, labels: SparseLabels | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Returns a video's boxes (T, 4), nan where there is none, and their kinds (T,).

        Args:
            video: its name.
            labels: if given, the boxes must have been made from these.

        Raises:
            LabelStoreError: they are not there, cannot be read, or were made from other labels.
        """
        path = self._file(video)
        try:
            head, *lines = read_lines(path)
            digest = head.removeprefix(HEAD)
            rows = [line.split(",") for line in lines]
            boxes = np.array([[float(word) for word in row[:4]] for row in rows]).reshape(len(rows), 4)
            kinds = np.array([Kind[row[4].upper()] for row in rows], int)
        except OSError as error:
            raise LabelStoreError(f"{self.folder} has no boxes of {video}; run the build again, it goes on") from error
        except (ValueError, KeyError, IndexError) as error:
            raise LabelStoreError(f"{path} is damaged ({error}); delete it and run the build again") from error
        if labels is not None and digest != _digest(labels):
            raise LabelStoreError(
                f"{path} was made from other boxes or clicks than the data set now shows: delete the store and "
                "build it again"
            )
        return boxes, kinds

    def _file(self, video: str) -> Path:
        return path_below(self.folder, f"{video}.csv", f"the pseudo boxes in {self.folder}")


def _digest(labels: SparseLabels) -> str:
    """Returns eight letters that change with the labels, to a thousandth of a pixel."""
    numbers = np.concatenate([labels.frames[:, None], labels.boxes, labels.points], axis=1)
    rounded = np.where(np.isfinite(numbers), np.rint(numbers * 1000), -(2**40)).astype("<i8")
    return f"{zlib.crc32(rounded.tobytes()):08x}"
