"""Parameter sets of the SiamFC tracker. What never lives here: the tracker itself (``pytracking.tracker.siamfc``)."""
