"""Trackers: what is told the target's box in the first frame and finds it in the frames that follow.

What lives here: one module or package a tracker, each with ``initialize`` and ``track``. What never does: reading of
frames, benchmarks or checkpoints' training, and named sets of parameters (``pytracking.parameter``).
"""
