"""DiMP's learning step where boxes are known of some frames only."""

from __future__ import annotations

import torch

from ltr.actors.dimp import DiMPActor
from ltr.data.tensordict import TensorDict
from ltr.registry import ACTORS


@ACTORS.register("weak_dimp")
class WeakDiMPActor(DiMPActor):
    """Learns the classifier from boxes known of clicks, and the box branch from frames that have a box of their own."""

    def answers(self, data: TensorDict) -> tuple[list[torch.Tensor], torch.Tensor]:
        train, test = data["train_images"].float(), data["test_images"].float()
        answers: tuple[list[torch.Tensor], torch.Tensor]
        answers = self.net(train, test, data["train_anno"], data["test_proposals"], data["train_box"])
        return answers

    def iou_loss(self, iou: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the squared error of predicted overlaps (J, N, P) on the frames with a box; 0 where none has one."""
        error = (iou - data["proposal_iou"]).square().mean(dim=-1)
        known = data["test_has_box"].to(error.dtype)
        return (error * known).sum() / known.sum().clamp(min=1)
