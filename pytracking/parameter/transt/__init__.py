"""Parameter sets of the TransT tracker. What never lives here: the tracker itself (``pytracking.tracker.transt``)."""
