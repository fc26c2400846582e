"""Backbones: images to feature maps. Each is a function in BACKBONES.

The module that it returns has ``channels``, a ``stride`` in pixels, and a ``first_center``: the place in the image,
along x and y alike, of the middle of what the first feature cell sees.

What compares or decodes the features (correlation, heads) does not live here.
"""

from ltr.models.backbone.alexnet import AlexNetBackbone, alexnet
from ltr.models.backbone.resnet import ResNetBackbone, resnet18, resnet50
from ltr.models.backbone.resnet22 import ResNet22Backbone, resnet22

__all__ = ["AlexNetBackbone", "ResNet22Backbone", "ResNetBackbone", "alexnet", "resnet18", "resnet22", "resnet50"]
