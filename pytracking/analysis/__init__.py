"""From boxes to insight: metrics, tables and pictures.

What lives here: pure functions on results (``metrics``), and what presents them. What never does: running trackers.
"""

from __future__ import annotations

from pytracking.analysis.tables import TrackerScores, evaluate, print_results

__all__ = ["TrackerScores", "evaluate", "print_results"]
