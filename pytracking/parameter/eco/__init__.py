"""Parameter sets of the ECO tracker. What never lives here: the tracker itself (``pytracking.tracker.eco``)."""
