"""Parameter sets of OpenCV's trackers, by their names. What never lives here: the trackers (OpenCV)."""
