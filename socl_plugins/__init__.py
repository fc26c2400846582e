"""Learning from weak labels: what a person gives in seconds, and how a tracker learns from it.

Nothing in ``ltr`` or ``pytracking`` knows of this package. It comes in as a plugin, through its entry point, and adds
data set wrappers, a processing, an actor, recipes and parameter sets to their registries.
"""
