"""Curves for TensorBoard."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class TensorBoardCurves:
    """Writes numbers by epoch to event files in ``directory``; the first number makes the directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._writer: Any = None

    def add(self, name: str, epoch: int, value: float) -> None:
        """Adds one point to the curve ``name``."""
        if self._writer is None:
            from torch.utils.tensorboard import SummaryWriter  # slow to import, and optional

            self._writer = SummaryWriter(str(self.directory))
        self._writer.add_scalar(name, value, epoch)

    def flush(self) -> None:
        """Forces what was added to the disk."""
        if self._writer is not None:
            self._writer.flush()

    def close(self) -> None:
        """Closes the event file."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
