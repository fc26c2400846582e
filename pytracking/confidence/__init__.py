"""Confidences that keep their word: from what a tracker says of a frame to how often its box is right.

What lives here: features of a frame, the fit of a calibration and its file, the tracker that carries one, the command
line. What never does: the numbers that trackers give themselves (``pytracking.tracker.quality``), and how good
confidences are (``pytracking.metrics.calibration``).
"""
