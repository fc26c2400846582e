"""Parameter sets of the trackers that carry networks learned from weak labels. The trackers live in ``pytracking``."""
