"""What tests of studies share."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.registry import load_plugins


@pytest.fixture(autouse=True)
def plugins() -> None:
    load_plugins()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Three frames and their boxes, a benchmark of one's own."""
    folder = tmp_path / "video"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for number in range(3):
        cv2.imwrite(str(folder / f"{number:08d}.jpg"), rng.integers(0, 255, (80, 100, 3), dtype=np.uint8))
    np.savetxt(folder / "groundtruth.txt", [[30, 20, 24, 24]] * 3, delimiter=",")
    return folder
