"""Video sources: what a frame is, and what is known about it.

A data set numbers its videos and frames, reads a frame when asked, and tells the annotation as its files have it. It
never crops, augments or draws at random (that is ``ltr.data``), and never hides an annotation (that is for wrappers).
"""

import lazy_loader

# What __init__.pyi names is imported when it is used: data sets give tensors, and who only reads files by the modules
# here, such as a benchmark, need not wait for torch.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
