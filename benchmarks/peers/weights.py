"""Weights that a name and a seed determine, so that two implementations of one network get the same ones.

Nothing of this project is imported here: the originals' processes use it, too, beside packages of the same names.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

OPTIMIZER = "filter_optimizer."
"""Part of the names whose values stay as they were built: DiMP's optimizer has published starting values. They are
rounded, since the two compute them in other orders."""
PIXELS = ("backbone.conv1.0.weight",)
"""First convolutions of networks that see 0..255 as it is."""
COUNTER = "num_batches_tracked"


def drawn(name: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Returns the float32 values of one entry of a state_dict: uniform, with a spread that keeps activations in range.

    Weights of convolutions and linear layers have a standard deviation of 1 / sqrt(inputs); those of norms are near 1,
    as are their variances; means and biases are near 0.
    """
    generator = np.random.Generator(np.random.Philox(key=[zlib.crc32(name.encode()), seed]))
    values = generator.uniform(-1, 1, shape)
    kind = name.rsplit(".", 1)[-1]
    if kind == "running_var":
        values = 1 + 0.3 * values
    elif len(shape) >= 2:
        values *= math.sqrt(3 / math.prod(shape[1:])) * (0.01 if name in PIXELS else 1)
    elif kind == "weight":
        values = 1 + 0.1 * values
    else:
        values *= 0.1
    return values.astype(np.float32)


def fill(network: nn.Module, seed: int) -> None:
    """Gives a network the weights that its names and a seed determine."""
    with torch.no_grad():
        for name, value in network.state_dict().items():
            if OPTIMIZER in name:
                value.copy_(torch.round(value, decimals=4))
            elif not name.endswith(COUNTER):
                value.copy_(torch.from_numpy(drawn(name, tuple(value.shape), seed)))


def load_published(network: nn.Module, path: Path) -> None:
    """Loads a file of weights, as the original's authors publish it, into the original's own network.

    Their files are pickles that may run code when they are read: only for the originals' processes.
    """
    content: Any = torch.load(path, map_location="cpu", weights_only=False)
    network.load_state_dict(content["net"] if isinstance(content, Mapping) and "net" in content else content)


def checksums(network: nn.Module) -> dict[str, int]:
    """Returns a number for each entry of the state_dict, which is the same for the same values."""
    return {
        name: zlib.crc32(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes())
        for name, value in network.state_dict().items()
        if not name.endswith(COUNTER)
    }
