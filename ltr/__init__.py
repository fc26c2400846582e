"""Offline learning, from annotated video to a checkpoint: data sets, samplers, networks, actors, trainers, recipes.

What tracks a video or scores a tracker never lives here: that is ``pytracking``, which builds on this package.
"""
