"""Tracking that is watched while it goes on: video files, cameras, windows, visdom.

What lives here: where frames come from, how the first box is chosen, what shows each frame, and pause and step. What
never does: benchmarks, saved results' scores.
"""
