"""A tracker as a package of its own: ``pip install ./examples/plugin_package``, then ``run_tracker.py still default``.

Only names are registered here; what they stand for is imported when it is used.
"""

from pytracking.registry import PARAMETERS, TRACKERS

TRACKERS.refer("still", "my_tracker.still:StillTracker")
PARAMETERS.refer("still/default", "my_tracker.still:parameters")
