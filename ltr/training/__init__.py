"""What recipes that learn from pairs of frames share: data, schedule, networks by option, and the run itself.

A recipe (``ltr.train_settings``, or a plugin's) chooses a configuration and calls in here. No loss is written here.
"""
