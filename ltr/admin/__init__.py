"""What surrounds a training run: paths, settings, checkpoints, logging, files written whole, processes of one run.

Nothing here knows what a frame, a network or a loss is.
"""
