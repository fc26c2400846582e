"""Boxes that a machine makes of sparse boxes and clicks: by a tracker between them, or from TOP maps.

What lives here: how they are made, the store that says of each frame where its box comes from, how good they are, and
the data set that shows them. What people give, and what it costs, lives in ``socl_plugins.clicks``.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
