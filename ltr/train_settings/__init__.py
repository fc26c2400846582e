"""The recipes of fully supervised training: ``<module>/<name>.py`` with a ``RECIPE``.

A recipe is a file of numbers: data, network, crops, learning step, optimizer, schedule, score. No loss, no network and
no sampler is written here; they are looked up by their registered names. A module with a function ``run(settings)`` in
place of a ``RECIPE``, as pytracking has them, is a recipe, too.
"""
