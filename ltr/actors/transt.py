"""The learning step of TransT: a template and a search region to one loss."""

from __future__ import annotations

import torch

from ltr.actors.base_actor import BaseActor
from ltr.data.tensordict import TensorDict
from ltr.models.loss.transt import TransTLossWeights, transt_loss
from ltr.models.tracking import TransT
from ltr.registry import ACTORS


@ACTORS.register("transt")
class TransTActor(BaseActor):
    """Learns to tell which cells of a search region lie on the target, and its box.

    Args:
        net: template and search images, 0..255, to predictions for each cell.
        objective: weights of the loss's parts.
        frozen_norm: keep batch-norm statistics as they are, for pre-trained weights.
    """

    objective: TransTLossWeights

    def __init__(
        self, net: TransT, objective: TransTLossWeights = TransTLossWeights(), frozen_norm: bool = False
    ) -> None:
        super().__init__(net, objective, frozen_norm=frozen_norm)

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss, and it, its parts and the mean IoU of the positive cells' boxes as numbers.

        Args:
            data: ``train_images`` (N, 3, Sz, Sz), ``test_images`` (N, 3, S, S) uint8, and ``test_anno`` (N, 4), the
                target's box in the search region, x, y, w, h in its pixels.
        """
        template, search = (
            data[name].float().contiguous(memory_format=torch.channels_last) for name in ("train_images", "test_images")
        )
        predictions = self.net(template, search)
        box = data["test_anno"] / search.shape[-1]
        with torch.autocast(box.device.type, enabled=False):
            loss = transt_loss(predictions, torch.cat([box[:, :2] + box[:, 2:] / 2, box[:, 2:]], 1), self.objective)
        stats = {"Loss/total": loss.total.item(), "Loss/ce": loss.classification.item()}
        stats |= {"Loss/l1": loss.l1.item(), "Loss/giou": loss.giou.item(), "IoU": loss.iou.item()}
        return loss.total, stats
