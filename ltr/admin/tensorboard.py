"""Curves and pictures for TensorBoard."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np


class TensorBoardCurves:
    """Writes numbers and pictures by epoch to event files in ``directory``; the first one makes the directory.

    Curves are a comfort: where TensorBoard is not installed, or its files cannot be written, training goes on.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._writer: Any = None
        self._failed = False

    def add(self, points: Iterable[tuple[str, int, float]]) -> str | None:
        """Adds points (curve, epoch, value) and forces them to the disk; returns a warning, once, if that fails."""

        def write(writer: Any) -> None:
            for name, epoch, value in points:
                writer.add_scalar(name, value, epoch)

        return self._write(write)

    def add_picture(self, name: str, epoch: int, picture: np.ndarray) -> str | None:
        """Adds a picture (H, W, 3) uint8, RGB; returns a warning if it could not be written, or none."""
        return self._write(lambda writer: writer.add_image(name, picture, epoch, dataformats="HWC"))

    def _write(self, write: Callable[[Any], None]) -> str | None:
        if self._failed:
            return None
        try:
            if self._writer is None:
                from torch.utils.tensorboard import SummaryWriter  # slow to import, and optional

                self._writer = SummaryWriter(str(self.directory))
            write(self._writer)
            self._writer.flush()
        except (ImportError, OSError) as error:
            self._failed = True
            return f"no curves for TensorBoard in {self.directory}: {error}"
        return None

    def close(self) -> None:
        """Closes the event file."""
        if self._writer is not None:
            with contextlib.suppress(OSError):  # what could not be written was told already
                self._writer.close()
            self._writer = None
