"""Soft contrastive learning (SoCL, section 3.2): soft samples, the loss, the learning step and what feeds it.

Where clicks and TOP maps come from is the business of ``clicks`` and ``top_map``; recipes live in ``train_settings``.
"""

import lazy_loader

# What __init__.pyi names is imported when it is used, so that --help does not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
