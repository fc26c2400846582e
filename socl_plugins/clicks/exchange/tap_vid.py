"""TAP-Vid's points (Doersch et al., NeurIPS 2022): a pickle, read without running what a pickle could hold.

``{video: {"video": (T, H, W, 3), "points": (N, T, 2), "occluded": (N, T)}}``, points x, y in parts of the frame; a list
in place of the outer dict has no names. Where a point is occluded, its place is not known.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from socl_plugins.clicks.exchange.marks import ExchangeError, Format, Mark, Reading, target_name

MULTIARRAY = ("numpy.core.multiarray", "numpy._core.multiarray")
NUMERIC = ("numpy.core.numeric", "numpy._core.numeric")


class ArrayUnpickler(pickle.Unpickler):
    """Reads plain data and NumPy arrays; any other name in the file is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> Any:
        """Returns what a name stands for. Raises UnpicklingError for all but what arrays are made of."""
        if (module, name) in (("numpy", "ndarray"), ("numpy", "dtype")):
            return getattr(np, name)
        if module in MULTIARRAY and name == "_reconstruct":
            return _empty
        if module in MULTIARRAY and name == "scalar":
            return _scalar
        if module in NUMERIC and name == "_frombuffer":
            return _from_buffer
        if (module, name) == ("_codecs", "encode"):  # how old pickles write bytes
            return _bytes
        raise pickle.UnpicklingError(f"it names {module}.{name}, which is neither an array nor plain data")


def _empty(kind: type, shape: tuple[int, ...], code: bytes) -> np.ndarray:
    """An array before its content is set; NumPy writes them without elements, so nothing else is made."""
    if kind is not np.ndarray or shape != (0,):
        raise pickle.UnpicklingError("an array of an unusual kind")
    return np.ndarray(shape, np.uint8)


def _bytes(text: str, coding: str) -> bytes:
    if coding != "latin1":
        raise pickle.UnpicklingError(f"bytes that are coded as {coding!r}")
    return text.encode("latin1")


def _scalar(kind: np.dtype[Any], content: bytes) -> Any:
    return np.frombuffer(content, kind, 1)[0]


def _from_buffer(content: Any, kind: np.dtype[Any], shape: tuple[int, ...], order: str) -> np.ndarray:
    return np.frombuffer(content, kind).reshape(shape, order="F" if order == "F" else "C")


def recognise(path: Path) -> bool:
    """Returns whether a file begins as a pickle does."""
    with open(path, "rb") as file:
        return file.read(1) == b"\x80"


def read(path: Path, base: int) -> Reading:
    """Returns the points of all videos; the numbers of the points are the targets."""
    try:
        with open(path, "rb") as file:
            content = ArrayUnpickler(file).load()
    except pickle.UnpicklingError as error:
        raise ExchangeError(f"{path} is not read: {error}") from error
    except Exception as error:  # a damaged pickle raises nearly anything
        raise ExchangeError(f"{path} is no whole pickle: {error}") from error
    videos = content.items() if isinstance(content, Mapping) else ((None, video) for video in _list(content, path))
    reading = Reading()
    for name, video in videos:
        _read_video(None if name is None else str(name), video, f"{path}, video {name}", reading)
    return reading


def _list(content: Any, path: Path) -> list[Any]:
    if not isinstance(content, list):
        raise ExchangeError(f"{path} holds a {type(content).__name__}, not TAP-Vid's videos")
    if len(content) > 1:
        raise ExchangeError(f"{path} holds {len(content)} videos without names, so it is unknown whose points they are")
    return content


def _read_video(name: str | None, video: Any, where: str, reading: Reading) -> None:
    if not isinstance(video, Mapping) or "points" not in video or "occluded" not in video:
        raise ExchangeError(f"{where}: there are no points and occluded, as TAP-Vid has them")
    try:
        points, occluded = np.asarray(video["points"], np.float64), np.asarray(video["occluded"]).astype(bool)
    except (TypeError, ValueError) as error:
        raise ExchangeError(f"{where}: points or occluded are no numbers: {error}") from error
    if points.ndim != 3 or points.shape[2] != 2 or occluded.shape != points.shape[:2]:
        raise ExchangeError(
            f"{where}: points are {points.shape} and occluded {occluded.shape}; they must be (N, T, 2) and (N, T)"
        )
    for number, (places, hidden) in enumerate(zip(points, occluded), 1):
        target = target_name(number)
        for frame, ((x, y), is_hidden) in enumerate(zip(places.tolist(), hidden)):
            if is_hidden:
                reading.marks.append(Mark(name, frame, target, state="occluded", space="relative"))
            elif np.isfinite([x, y]).all():
                reading.marks.append(Mark(name, frame, target, x, y, space="relative"))
            else:
                reading.dropped["a point without a place"] += 1


FORMAT = Format("TAP-Vid's points", recognise, read, ".pkl", states=("visible", "occluded"))
