"""Whether mixed precision makes training faster on a device."""

from __future__ import annotations

import torch


def mixed_precision_is_fast(device: torch.device) -> bool:
    """Returns whether a device multiplies half-precision matrices in hardware: every GPU, and CPUs with AMX.

    Elsewhere bfloat16 is emulated and slower than float32.
    """
    if device.type == "cuda":
        return True
    supported = getattr(torch.cpu, "_is_amx_tile_supported", None)  # torch has no public name for it
    return device.type == "cpu" and supported is not None and bool(supported())
