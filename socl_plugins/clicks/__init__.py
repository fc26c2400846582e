"""What a person gives (clicks, with or without noise, sparse boxes, up to a budget), how it is made, and what it costs.

Whatever is computed from labels lives elsewhere.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
