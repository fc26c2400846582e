"""Proposals on disk: an LMDB file for each data set and settings, some 800 bytes a frame, read by many at once."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from struct import Struct
from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from ltr.dataset.base_video_dataset import BaseVideoDataset
from socl_plugins.top_map.proposals import BOX_UNIT, SCORE_UNIT, Proposals
from socl_plugins.top_map.propose import ProposalSettings

ABOUT = b"\0about"  # sorts before every frame's name
MAP_SIZE = 1 << 36  # bytes of address space, an upper bound of the file; disk is taken as it is needed
MOST_BYTES = 480  # of a frame's name; LMDB takes keys of up to 511
SUFFIX = ".lmdb"
POINT = Struct("<2f")


class StoreError(ValueError):
    """A store that does not fit what is asked of it, or cannot be read."""


def store_name(dataset: BaseVideoDataset) -> str:
    """Returns what a data set's store is called: its name and, where it has one, its folder's, such as ``train``."""
    return dataset.name if dataset.root is None else f"{dataset.name}_{dataset.root.name}"


def store_path(folder: Path, dataset: str, settings: ProposalSettings) -> Path:
    """Returns where the proposals of a data set made with these settings lie: ``<data set>.<digest>.lmdb``."""
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
        self.path = path
        self._opened_by: int | None = None
        self._environment: Any = None
        self._open()

    def get(self, frame: str, point: tuple[float, float]) -> Proposals | None:
        """Returns the proposals of a frame, or None if they are not stored.

        Raises:
            StoreError: they were made for another click.
        """
        with self._open().begin(buffers=False) as transaction:
            content = transaction.get(_key(frame))
        if content is None:
            return None
        try:
            proposals, stored = unpack(content)
        except StoreError as error:
            raise StoreError(f"{self.path}, frame {frame}: {error}; delete the store and build it again") from error
        if POINT.pack(*point) != content[: POINT.size]:
            raise StoreError(
                f"{self.path}, frame {frame}: the proposals were made for a click at ({stored[0]:g}, {stored[1]:g}), "
                f"not at ({point[0]:g}, {point[1]:g}): the clicks, their noise or the videos have changed; delete the "
                "store and build it again"
            )
        return proposals

    def __contains__(self, frame: str) -> bool:
        with self._open().begin() as transaction:
            return transaction.get(_key(frame)) is not None

    def about(self) -> dict[str, Any]:
        """Returns what the store says of itself: ``dataset`` and ``settings``."""
        with self._open().begin() as transaction:
            return json.loads(transaction.get(ABOUT) or b"{}")

    def __len__(self) -> int:
        return max(int(self._open().stat()["entries"]) - 1, 0)  # less what it says of itself

    def __getstate__(self) -> dict[str, Any]:
        return {"path": self.path}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.path = state["path"]
        self._opened_by = self._environment = None

    def _open(self) -> Any:
        if self._opened_by != os.getpid():  # an LMDB environment must not be carried over a fork
            self._environment = _shared_environment(self.path)
            self._opened_by = os.getpid()
        return self._environment


class ProposalWriter:
    """Writes a store, and goes on with one that is there. What was added is on disk when :meth:`add` returns.

    Args:
        path: of the store, see :func:`store_path`.
        dataset: name of the data set.
        settings: of the proposals.
        noise_px: of the clicks.

    Raises:
        StoreError: what is there cannot be written, or was made for clicks with other noise.
    """

    def __init__(self, path: Path, dataset: str, settings: ProposalSettings, noise_px: float = 0.0) -> None:
        self.path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreError(f"{path.parent}: {error.strerror}; name another folder with --store") from error
        self._environment = _environment(path, readonly=False)
        described = {name: str(value) for name, value in vars(settings).items()}
        about = {"dataset": dataset, "noise_px": noise_px, "settings": described}
        with self._environment.begin(write=True) as transaction:
            there = json.loads(transaction.get(ABOUT) or "{}")
            if there.get("noise_px", noise_px) != noise_px:
                raise StoreError(
                    f"{path} was made for clicks with {there['noise_px']:g} px of noise, not {noise_px:g}: delete it, "
                    "or name another folder with --store"
                )
            transaction.put(ABOUT, json.dumps(about).encode())

    def missing(self, frames: Iterable[str]) -> list[bool]:
        """Returns for each frame whether it is not stored yet."""
        with self._environment.begin() as transaction:
            return [transaction.get(_key(frame)) is None for frame in frames]

    def add(self, records: Mapping[str, bytes]) -> None:
        """Adds packed proposals by frame name: all of them, or none if the program is killed or the disk is full.

        Raises:
            StoreError: the disk is full, or the file cannot be written.
        """
        import lmdb

        try:
            with self._environment.begin(write=True) as transaction:
                cursor = transaction.cursor()
                last = cursor.key() if cursor.last() else b""
                for key, content in sorted((_key(frame), content) for frame, content in records.items()):
                    # Appending fills pages; otherwise LMDB leaves half of each free for what may come between.
                    transaction.put(key, content, append=key > last)
                    last = max(last, key)
        except lmdb.Error as error:
            raise StoreError(f"{self.path}: {error}; what was stored before is safe") from error

    def close(self) -> None:
        """Lets go of the file."""
        self._environment.close()

    def __enter__(self) -> ProposalWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_reader(folder: Path, dataset: str, settings: ProposalSettings, noise_px: float = 0.0) -> ProposalReader | None:
    """Returns the store of a data set, or None if there is none.

    Raises:
        StoreError: there are stores of the data set, but made with other settings, or for clicks with other noise.
    """
    path = store_path(folder, dataset, settings)
    if path.exists():
        reader = ProposalReader(path)
        stored = reader.about().get("noise_px", noise_px)
        if stored != noise_px:
            raise StoreError(
                f"{path} was made for clicks with {stored:g} px of noise, not {noise_px:g}: name another folder"
            )
        return reader
    others = sorted(folder.glob(f"{dataset}.*{SUFFIX}"))
    if others:
        stored = ProposalReader(others[0]).about().get("settings", {})
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


def _key(frame: str) -> bytes:
    key = frame.encode()
    if not 0 < len(key) <= MOST_BYTES:
        raise StoreError(f"the frame's name {frame[:40]!r}... is {len(key)} bytes long; the store takes {MOST_BYTES}")
    return key


# Readers by process and file: LMDB refuses to open a file twice in a process.
_readers: WeakValueDictionary[tuple[int, int, int], Any] = WeakValueDictionary()


def _shared_environment(path: Path) -> Any:
    for key, inherited in list(_readers.items()):
        if key[0] != os.getpid():  # opened before a fork
            del _readers[key]
            inherited.close()
    try:
        status = path.stat()
    except OSError as error:
        raise StoreError(f"{path} cannot be read as a store: {error.strerror}") from error
    key = (os.getpid(), status.st_dev, status.st_ino)
    environment = _readers.get(key)
    if environment is None:
        environment = _environment(path, readonly=True)
        needed = (environment.info()["last_pgno"] + 1) * environment.stat()["psize"]
        size = path.stat().st_size  # only now: a build may just have added to it
        if needed > size:
            environment.close()
            raise StoreError(f"{path} is cut off after {size} bytes; copy it again")
        _readers[key] = environment
    return environment


def _environment(path: Path, readonly: bool) -> Any:
    try:
        import lmdb
    except ImportError as error:
        raise StoreError(f"{path}: stores need the package lmdb, which is not installed (pip install lmdb)") from error
    lock = not readonly or os.access(path.parent, os.W_OK)  # beside a file that nobody can write, nobody writes
    try:
        return lmdb.open(
            str(path), map_size=MAP_SIZE, subdir=False, readonly=readonly, lock=lock, readahead=False, max_readers=1024
        )
    except lmdb.Error as error:
        raise StoreError(f"{path} cannot be opened as a store: {error}") from error
