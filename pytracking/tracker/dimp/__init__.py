"""DiMP: a target classifier that is learned and updated online, and boxes refined by a predicted overlap.

What lives here: what happens from frame to frame (samples, memory, localization, refinement). The network, its
optimizer module included, is ``ltr``'s.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
