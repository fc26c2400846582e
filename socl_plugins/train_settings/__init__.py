"""The recipes that learn from weak labels, one module each: ``run(settings)``. A recipe is its difference from another.

What recipes share (``socl_plugins.soft_contrastive.training``) does not live here.
"""
