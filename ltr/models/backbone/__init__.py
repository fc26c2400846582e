"""Backbones: images to feature maps. Each is a function in BACKBONES that returns a module with a ``stride``.

What compares or decodes the features (correlation, heads) does not live here.
"""

from ltr.models.backbone.resnet import ResNetBackbone, resnet18, resnet50

__all__ = ["ResNetBackbone", "resnet18", "resnet50"]
