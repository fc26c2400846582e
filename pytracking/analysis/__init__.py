"""From boxes to insight: metrics, tables, plots, pictures and pages.

What lives here: which metric scores a benchmark, and what presents the numbers. What never does: running trackers.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
