"""The target objectness prior (TOP map, SoCL section 3.1): from a frame and a click to where the target may be.

What is kept of a map is what it is made of, the proposals; it is rendered from them at any crop. What is learned from
it lives in ``soft_contrastive``.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
