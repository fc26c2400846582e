"""From boxes to insight: metrics, tables, plots, pictures and pages.

What lives here: which metric scores a benchmark, and what presents the numbers. What never does: running trackers.
"""

from __future__ import annotations

from pytracking.analysis.plots import plot_results
from pytracking.analysis.report import Report, make_report
from pytracking.analysis.tables import TrackerScores, evaluate, print_results

__all__ = [
    "Report",
    "TrackerScores",
    "evaluate",
    "make_report",
    "plot_results",
    "print_results",
]
