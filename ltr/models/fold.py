"""Batch norm folded into the layer before it, for networks that do not learn any more: fewer passes over the maps."""

from __future__ import annotations

import copy
from typing import TypeVar

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

M = TypeVar("M", bound=nn.Module)


def folded(module: M) -> M:
    """Returns a copy of a module in evaluation mode that gives the same, with its batch norms inside other weights.

    A batch norm is folded where a module registers it right after a plain convolution or linear layer, which must mean
    that it follows it, as it does in this project and in torchvision; one that keeps no statistics stays. The module
    itself is not changed; the copy cannot be trained.
    """
    found = copy.deepcopy(module).eval().requires_grad_(False)
    for parent in list(found.modules()):
        children = list(parent.named_children())
        for (name, layer), (norm_name, norm) in zip(children, children[1:]):
            if not isinstance(norm, nn.BatchNorm2d) or norm.running_mean is None:
                continue
            if type(layer) is nn.Conv2d and layer.out_channels == norm.num_features:
                setattr(parent, name, fuse_conv_bn_eval(layer, norm))
            elif type(layer) is nn.Linear and layer.out_features == norm.num_features:
                setattr(parent, name, fuse_linear_bn_eval(layer, norm))
            else:
                continue
            setattr(parent, norm_name, nn.Identity())
    return found
