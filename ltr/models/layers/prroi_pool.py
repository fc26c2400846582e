"""Precise RoI pooling (Jiang et al., Acquisition of Localization Confidence, ECCV 2018), exact and in plain torch.

Features are taken as a continuous surface: bilinear between cell centres, zero outside. A bin's value is the surface's
integral over it, divided by its area. The bilinear surface is a sum of hat functions, whose integral over an interval
has a closed form, and it is separable. So pooling is one small matrix for each axis, and the gradient in the box comes
from these matrices.
"""

from __future__ import annotations

import torch
from torch import Tensor


def prroi_pool2d(features: Tensor, rois: Tensor, output_size: int | tuple[int, int], spatial_scale: float) -> Tensor:
    """Returns the mean of the features over each bin of each box, (K, C, ph, pw); differentiable in both.

    Boxes of one image share its features, which are not copied. An empty box gives zeros, and no gradient.

    Args:
        features: (N, C, H, W), on any device.
        rois: (K, 5): number of the image, then x1, y1, x2, y2 in image coordinates; K may be 0.
        output_size: bins along y and x, or one number for both.
        spatial_scale: feature cells for one unit of image coordinates, such as 1 / 16.

    Raises:
        ValueError: a shape is wrong, or an image's number is out of range.
    """
    if features.ndim != 4 or rois.ndim != 2 or rois.shape[1] != 5:
        raise ValueError(
            f"features must be (N, C, H, W) and rois (K, 5), not {tuple(features.shape)} and {tuple(rois.shape)}"
        )
    images, boxes = rois[:, 0].detach().long(), rois[:, 1:]
    if len(rois) and not bool(((images >= 0) & (images < len(features))).all()):
        raise ValueError(f"rois name images {images.min()} to {images.max()}, but there are {len(features)} images")
    if len(features) == 1 or not len(rois):
        return pool_boxes(features[:1], boxes[None], output_size, spatial_scale)[0]
    order, pooled = [], []
    for image in range(len(features)):
        rows = torch.nonzero(images == image)[:, 0]
        order.append(rows)
        pooled.append(pool_boxes(features[image, None], boxes[None, rows], output_size, spatial_scale)[0])
    back = torch.argsort(torch.cat(order))
    return torch.cat(pooled)[back]


def pool_boxes(features: Tensor, boxes: Tensor, output_size: int | tuple[int, int], spatial_scale: float) -> Tensor:
    """Returns what :func:`prroi_pool2d` does, (N, P, C, ph, pw), for P boxes of every image: (N, P, 4) x1, y1, x2, y2.

    Channels-last features are used as they lie.
    """
    rows, columns = (output_size, output_size) if isinstance(output_size, int) else output_size
    (images, channels, height, width), count = features.shape, boxes.shape[1]
    boxes = boxes * spatial_scale
    # Both axes at once, with as many bins and cells as the longer one has: there are many small operations in it.
    bins = torch.tensor([columns, rows], dtype=boxes.dtype, device=boxes.device)
    weights = _bin_weights(boxes[..., :2], boxes[..., 2:], bins, max(rows, columns), max(height, width))
    weights = weights.to(features.dtype)
    along_x, along_y = weights[..., 0, :columns, :width], weights[..., 1, :rows, :height]
    # First y, for all boxes of an image in one product with its features; what remains is small.
    lines = features.permute(0, 2, 3, 1).reshape(images, height, width * channels)
    sums = along_y.reshape(images, count * rows, height) @ lines
    pooled = along_x[:, :, None] @ sums.reshape(images, count, rows, width, channels)
    return pooled.permute(0, 1, 4, 2, 3)


def _bin_weights(start: Tensor, end: Tensor, bins: Tensor, most: int, cells: int) -> Tensor:
    """Returns how much each cell counts in each bin's mean, (..., most, cells), for intervals of so many bins."""
    length = ((end - start) / bins)[..., None]
    filled = length > 0
    length = torch.where(filled, length, torch.ones_like(length))  # an empty box must not make its gradient NaN
    edges = start[..., None] + length * torch.arange(most + 1, dtype=start.dtype, device=start.device)
    centers = torch.arange(cells, dtype=start.dtype, device=start.device)
    distance = (edges[..., None] - centers).clamp(-1, 1)
    # The integral of max(0, 1 - |t|) up to a distance u in [-1, 1] is 1/2 + u - u |u| / 2.
    integral = distance - 0.5 * distance * distance.abs()
    weights = (integral[..., 1:, :] - integral[..., :-1, :]) / length[..., None]
    return torch.where(filled[..., None], weights, torch.zeros_like(weights))
