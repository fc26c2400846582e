from .params import DiMPParams
from .tracker import DiMPTracker

__all__ = [
    "DiMPParams",
    "DiMPTracker",
]
