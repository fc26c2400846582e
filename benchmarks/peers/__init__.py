"""This project's trackers beside the originals, frame by frame in turns: ``python benchmarks/peers --help``.

``pairs`` says who stands beside whom, ``conversation`` starts a process for each tracker and asks it, ``turns`` shows
the same frames to all, ``table`` makes Markdown of what came back. ``ours`` and ``originals`` are the processes.
"""
