"""Experiments with networks learned from weak labels: functions that name trackers and sequences."""
