"""Boxes that a machine makes of sparse boxes and clicks: by a tracker between them, or from TOP maps.

What lives here: how they are made, the store that says of each frame where its box comes from, how good they are, and
the data set that shows them. What people give, and what it costs, lives in ``socl_plugins.clicks``.
"""

from socl_plugins.pseudo_label.annotated import PseudoBoxAnnotated
from socl_plugins.pseudo_label.fuse import Kind
from socl_plugins.pseudo_label.settings import METHODS, PseudoBoxSettings, describe, method_settings
from socl_plugins.pseudo_label.store import PseudoBoxStore

__all__ = [
    "METHODS",
    "Kind",
    "PseudoBoxAnnotated",
    "PseudoBoxSettings",
    "PseudoBoxStore",
    "describe",
    "method_settings",
]
