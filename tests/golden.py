"""The golden vectors of public implementations, and how a value is compared with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Golden:
    """The folder of golden vectors, and ``fill.py``, which makes their inputs."""

    folder: Path
    fill: ModuleType

    def arrays(self, name: str) -> Mapping[str, np.ndarray]:
        return np.load(self.folder / f"{name}.npz")

    def close(self, arrays: Mapping[str, np.ndarray], name: str, value: Any, relative: float = 3e-5) -> None:
        """Compares a value with the stored array, or with its stored sample and statistics."""
        whole = name in arrays
        found = {name: np.asarray(value.detach() if hasattr(value, "detach") else value)}
        for key, array in (found if whole else self.fill.summarise(name, value)).items():
            expected = arrays[key]
            if key.endswith("__stats"):
                array, expected = array[1:], expected[1:]  # the plain sum is prone to cancellation
            assert array.shape == expected.shape, f"{key}: {array.shape} instead of {expected.shape}"
            atol = relative * np.abs(expected).max() + 1e-7
            np.testing.assert_allclose(array, expected, rtol=0, atol=atol, err_msg=key)
