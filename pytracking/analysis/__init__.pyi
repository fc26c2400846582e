from .plots import plot_results
from .report import Report, make_report
from .tables import TrackerScores, evaluate, print_results

__all__ = [
    "Report",
    "TrackerScores",
    "evaluate",
    "make_report",
    "plot_results",
    "print_results",
]
