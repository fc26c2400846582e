"""Videos that are computed, not filmed: the data set that is always at hand.

``textures`` paints surfaces, ``scene`` says what moves where and when, ``render`` draws a frame of a scene, ``video``
makes a data set of scenes. Nothing here reads a file or the network, or depends on anything but its arguments.
"""

from ltr.dataset.synthetic.video import SyntheticVideo

__all__ = ["SyntheticVideo"]
