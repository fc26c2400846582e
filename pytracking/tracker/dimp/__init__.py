"""DiMP: a target classifier that is learned and updated online, and boxes refined by a predicted overlap.

What lives here: what happens from frame to frame (samples, memory, localization, refinement). The network, its
optimizer module included, is ``ltr``'s.
"""

from pytracking.tracker.dimp.params import DiMPParams
from pytracking.tracker.dimp.tracker import DiMPTracker

__all__ = ["DiMPParams", "DiMPTracker"]
