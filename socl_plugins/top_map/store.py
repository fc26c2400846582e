"""Proposals on disk: a store for each data set and settings, some 800 bytes a frame, read by many at once."""

from __future__ import annotations

from pathlib import Path
from struct import Struct
from typing import Any

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from socl_plugins.stores import SUFFIX, RecordStore, StoreError
from socl_plugins.top_map.proposals import BOX_UNIT, SCORE_UNIT, Proposals
from socl_plugins.top_map.propose import ProposalSettings

POINT = Struct("<2f")


def store_name(dataset: BaseVideoDataset) -> str:
    """Returns what a data set's store is called: its name and, where it has one, its folder's, such as ``train``."""
    return dataset.name if dataset.root is None else f"{dataset.name}_{dataset.root.name}"


def store_path(folder: Path, dataset: str, settings: ProposalSettings) -> Path:
    """Returns where the proposals of a data set made with these settings lie: ``<data set>.<digest>.sqlite``."""
    return folder / f"{dataset}.{settings.digest()}{SUFFIX}"


def pack(proposals: Proposals, point: tuple[float, float]) -> bytes:
    """Returns a click and the proposals made for it as bytes: 8, and 10 for each proposal.

    Raises:
        StoreError: a box reaches beyond the 4096 pixels that its numbers can hold.
    """
    boxes = np.rint(proposals.boxes / BOX_UNIT)
    if boxes.size and not -32768 <= boxes.min() <= boxes.max() <= 32767:
        raise StoreError(f"a box of {proposals.boxes.max():g} pixels is too large for the store; reduce the frames")
    scores = np.rint(proposals.scores / SCORE_UNIT).astype("<u2")
    return POINT.pack(*point) + boxes.astype("<i2").tobytes() + scores.tobytes()


def unpack(content: bytes) -> tuple[Proposals, tuple[float, float]]:
    """Returns what :func:`pack` packed.

    Raises:
        StoreError: the content has another length than that of any record.
    """
    count, rest = divmod(len(content) - 8, 10)
    if rest or count < 0:
        raise StoreError(f"a record of {len(content)} bytes is not one of proposals")
    boxes = np.frombuffer(content, "<i2", 4 * count, 8).reshape(count, 4).astype(np.float32) * np.float32(BOX_UNIT)
    # In float64 and rounded once, as ``Proposals.rounded`` does it.
    scores = (np.frombuffer(content, "<u2", count, 8 + 8 * count) * SCORE_UNIT).astype(np.float32)
    return Proposals(boxes, scores), POINT.unpack_from(content)


class ProposalReader:
    """Reads a store; copies in other processes (workers of a loader) open it for themselves.

    Args:
        path: of the store, see :func:`store_path`.

    Raises:
        StoreError: there is no such store, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.records = RecordStore(path)

    @property
    def path(self) -> Path:
        """The store's file."""
        return self.records.path

    @property
    def about(self) -> dict[str, Any]:
        """What the store says of itself: ``dataset``, ``noise_px`` and ``settings``."""
        return self.records.about

    def get(self, frame: str, point: tuple[float, float]) -> Proposals | None:
        """Returns the proposals of a frame, or None if they are not stored.

        Raises:
            StoreError: they were made for another click, or the record is damaged.
        """
        content = self.records.get(frame)
        if content is None:
            return None
        proposals, stored = unpack(content)
        if POINT.pack(*point) != content[: POINT.size]:
            raise StoreError(
                f"{self.path}, frame {frame}: the proposals were made for a click at ({stored[0]:g}, {stored[1]:g}), "
                f"not at ({point[0]:g}, {point[1]:g}): the clicks, their noise or the videos have changed; delete the "
                "store and build it again"
            )
        return proposals

    def __contains__(self, frame: str) -> bool:
        return frame in self.records

    def __len__(self) -> int:
        return len(self.records)


def proposal_writer(path: Path, dataset: str, settings: ProposalSettings, noise_px: float = 0.0) -> RecordStore:
    """Returns a store to fill, a new one or one that is there.

    Args:
        path: of the store, see :func:`store_path`.
        dataset: name of the data set.
        settings: of the proposals.
        noise_px: of the clicks.

    Raises:
        StoreError: what is there cannot be written, or was made for clicks with other noise.
    """
    described = {name: str(value) for name, value in vars(settings).items()}
    store = RecordStore(path, {"dataset": dataset, "noise_px": noise_px, "settings": described})
    _check_noise(store, noise_px)
    return store


def open_reader(folder: Path, dataset: str, settings: ProposalSettings, noise_px: float = 0.0) -> ProposalReader | None:
    """Returns the store of a data set, or None if there is none.

    Raises:
        StoreError: there are stores of the data set, but made with other settings, or for clicks with other noise.
    """
    path = store_path(folder, dataset, settings)
    if path.exists():
        reader = ProposalReader(path)
        _check_noise(reader.records, noise_px)
        return reader
    others = sorted(folder.glob(f"{dataset}.*{SUFFIX}"))
    if others:
        stored = ProposalReader(others[0]).about.get("settings", {})
        differences = [
            f"{name} {stored.get(name)}, not {value}"
            for name, value in vars(settings).items()
            if stored.get(name) != str(value)
        ]
        raise StoreError(
            f"{others[0]} holds TOP maps of {dataset} made with other settings "
            f"({'; '.join(differences) or 'by another version, or with other files'}): build them anew, or delete it"
        )
    return None


def build_command(store: RecordStore) -> str:
    """Returns the command line that fills a store, from what it says of itself."""
    about = store.about
    noise = f" --noise-px {about['noise_px']:g}" if about.get("noise_px") else ""
    usual = vars(ProposalSettings())
    changed = {name: value for name, value in about.get("settings", {}).items() if value != str(usual.get(name))}
    words = "".join(f" --set {name}={value}".replace(", ", ",") for name, value in changed.items())
    words += f" --store {store.path.parent}"
    return f"python -m socl_plugins.top_map build --dataset {about.get('dataset')}{noise}{words}"


def _check_noise(store: RecordStore, noise_px: float) -> None:
    stored = store.about.get("noise_px", noise_px)
    if stored != noise_px:
        raise StoreError(
            f"{store.path} was made for clicks with {stored:g} px of noise, not {noise_px:g}: delete it, or name "
            "another folder with --store"
        )
