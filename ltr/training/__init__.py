"""What recipes share: the run that is scored by tracking, and, on pairs of frames, data, schedule and networks.

A recipe (``ltr.train_settings``, or a plugin's) chooses a configuration and calls in here. No loss is written here.
"""
