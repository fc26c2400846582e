"""Whether mixed precision makes training faster on a device."""

from __future__ import annotations

import torch

# What a CPU needs to multiply bfloat16 in hardware; torch has no public names for these questions.
CPU_QUESTIONS = ("_is_amx_tile_supported", "_is_avx512_bf16_supported")


def mixed_precision_is_fast(device: torch.device) -> bool:
    """Returns whether a device multiplies half-precision matrices in hardware: GPUs, and CPUs with AMX or AVX512-BF16.

    Elsewhere bfloat16 is emulated and slower than float32.
    """
    if device.type == "cuda":
        return True
    if device.type != "cpu":
        return False
    return any(bool(getattr(torch.cpu, question, bool)()) for question in CPU_QUESTIONS)
