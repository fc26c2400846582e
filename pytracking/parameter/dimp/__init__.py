"""Parameter sets of the DiMP tracker. What never lives here: the tracker itself (``pytracking.tracker.dimp``)."""
