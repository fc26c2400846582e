"""What tracking adds to training: importing this module registers the held-out tracking score with ``ltr``."""

from __future__ import annotations

from ltr.registry import HELD_OUT_SCORES

HELD_OUT_SCORES.refer("tracking_auc", "pytracking.evaluation.held_out:tracking_auc")
