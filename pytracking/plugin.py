"""What tracking adds to training: importing this module registers the held-out tracking score with ``ltr``."""

from __future__ import annotations

from pytracking.evaluation import held_out

__all__ = ["held_out"]
