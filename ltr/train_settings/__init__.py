"""The recipes of fully supervised training: ``<module>/<name>.py`` with a function ``run(settings)``.

A recipe turns settings into explicit arguments: data, network, actor, optimizer, trainer. No loss, no network and no
sampler is written here, and nothing deeper down reads settings.
"""
