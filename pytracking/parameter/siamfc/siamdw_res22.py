"""SiamFC on SiamDW's ResNet-22, as its authors set it for OTB-2015 (Zhang and Peng, CVPR 2019: SiamFC+)."""

from __future__ import annotations

from pytracking.tracker.siamfc import SiamFCParams


def parameters() -> SiamFCParams:
    """Returns what is different from SiamFC's own, with the file ``CIResNet22.pth`` in ``network_dir``."""
    return SiamFCParams(
        network="CIResNet22.pth",
        scale_step=1.1897,
        scale_penalty=0.9370,
        scale_lr=0.2226,
        window_influence=0.2897,
    )
