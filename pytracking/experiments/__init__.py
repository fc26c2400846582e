"""Experiments: functions that name trackers and the sequences they are run on, found as ``MODULE NAME``.

What lives here: which trackers meet which data sets. What never does: how they are run or scored.
"""
