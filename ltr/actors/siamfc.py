"""The learning step of SiamFC: a template and a search crop of each video to one cross-entropy."""

from __future__ import annotations

import torch

from ltr.actors.base_actor import BaseActor
from ltr.data.tensordict import TensorDict
from ltr.models.loss.balanced_bce import balanced_bce, center_labels
from ltr.models.tracking import SiamFCNet
from ltr.registry import ACTORS


@ACTORS.register("siamfc")
class SiamFCActor(BaseActor):
    """Learns to answer where the target of the template is in the search crop, compared as the tracker compares.

    Args:
        net: the network that learns.
        radius: L1 distance in cells within which a place counts as the target's centre.
        frozen_norm: see :class:`BaseActor`.

    Raises:
        ValueError: the radius is below 1.
    """

    net: SiamFCNet

    def __init__(self, net: SiamFCNet, radius: float = 2.0, frozen_norm: bool = False) -> None:
        super().__init__(net, frozen_norm=frozen_norm)
        if not radius >= 1:  # a target between four cells is 1 from each of them
            raise ValueError(f"radius is {radius}; below 1 a target can have no cell at all")
        self.radius = radius

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss, and it and the share of pairs whose highest response is at the target, as numbers.

        Args:
            data: ``train_images`` (N, 3, Z, Z) and ``test_images`` (N, 3, X, X) uint8, Z < X, and ``train_center`` and
                ``test_center`` (N, 2): x, y of the target in them, in pixels.
        """
        order = torch.channels_last
        template, search = (
            self.net(data[f"{part}_images"].float().contiguous(memory_format=order)) for part in ("train", "test")
        )
        # In mixed precision only the features are computed coarsely.
        with torch.autocast(search.device.type, enabled=False):
            logits = self.net.logits(self.net.correlate(template.float(), search.float()))
            # A template's place in the response counts from the crop's corner, as both are cut off alike.
            centers = (data["test_center"] - data["train_center"]) / self.net.stride
            labels = center_labels(centers, (logits.shape[-2], logits.shape[-1]), self.radius)
            loss = self.loss(logits, centers, data)
        hits = labels.flatten(1).gather(1, logits.flatten(1).argmax(dim=1, keepdim=True))
        return loss, {"Loss/total": loss.item(), "Hits/search": hits.mean().item()}

    def loss(self, logits: torch.Tensor, centers: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the balanced cross-entropy; a subclass may have another loss.

        Args:
            logits: (N, 1, h, w).
            centers: (N, 2), x, y of the targets in cells.
            data: the batch.
        """
        return balanced_bce(logits, center_labels(centers, (logits.shape[-2], logits.shape[-1]), self.radius))
