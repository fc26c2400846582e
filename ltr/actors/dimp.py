"""The learning step of DiMP: sets of train and test frames to one loss."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn

from ltr.actors.base_actor import BaseActor
from ltr.data.tensordict import TensorDict
from ltr.models.loss.density import density_loss
from ltr.models.loss.lb_hinge import lb_hinge
from ltr.models.tracking import DiMPNet
from ltr.registry import ACTORS


@dataclass(frozen=True)
class DiMPLossSettings:
    """What DiMP's loss is made of (section 3.6).

    Attributes:
        iou: weight of the box branch's loss: the predicted overlaps' squared error, or the density's divergence.
        test_clf: weight of the classification loss of the last filter.
        test_init_clf: of the initial filter, if it is not the last one as well.
        test_iter_clf: of each filter between them. The defaults weigh each filter alike, by beta = 100.
        hinge_threshold: cells with a label below it are background, T in equation 8.
    """

    iou: float = 1.0
    test_clf: float = 100.0
    test_init_clf: float = 100.0
    test_iter_clf: float = 100.0
    hinge_threshold: float = 0.05


@ACTORS.register("dimp")
class DiMPActor(BaseActor):
    """Learns to predict filters that find the target in later frames, and how well boxes fit it.

    Args:
        net: the network that learns.
        objective: weights of the loss's parts.
    """

    leaves_parameters_unused = True  # the backbone's last layer and its ImageNet classifier
    objective: DiMPLossSettings

    def __init__(self, net: DiMPNet, objective: DiMPLossSettings = DiMPLossSettings()) -> None:
        super().__init__(net, objective)

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss, and it and its parts as numbers.

        Args:
            data: with a dimension of frames before that of samples (``stack_dim=1`` of the loader): ``train_images``
                (I, N, 3, S, S), ``test_images`` (J, N, 3, S, S) uint8, ``train_anno`` (I, N, 4), ``test_label``
                (J, N, H, W), ``test_proposals`` (J, N, P, 4), and either ``proposal_iou`` (J, N, P), of which the box
                branch learns overlaps, or ``proposal_density`` and ``true_density`` (J, N, P), of which it learns a
                density.

        Raises:
            ValueError: the labels do not lie on the network's scores.
        """
        scores, iou = self.answers(data)
        label = data["test_label"]
        if scores[-1].shape != label.shape:
            raise ValueError(
                f"the network's scores are {tuple(scores[-1].shape)}, but the labels {tuple(label.shape)}: "
                "give the processing the network's filter size and number of feature cells"
            )
        weights = self.objective
        with torch.autocast(label.device.type, enabled=False):
            losses = self.classification_losses([each.float() for each in scores], data)
            iou_loss = self.iou_loss(iou.float(), data)
        parts = {
            "Loss/iou": weights.iou * iou_loss,
            "Loss/target_clf": weights.test_clf * losses[-1],
        }
        if len(losses) > 1:
            parts["Loss/test_init_clf"] = weights.test_init_clf * losses[0]
        if len(losses) > 2:
            parts["Loss/test_iter_clf"] = weights.test_iter_clf * torch.stack(losses[1:-1]).sum()
        total = torch.stack(list(parts.values())).sum()
        stats = {"Loss/total": total.item(), **{name: part.item() for name, part in parts.items()}}
        stats |= {"ClfTrain/init_loss": losses[0].item(), "ClfTrain/test_loss": losses[-1].item()}
        return total, stats

    def answers(self, data: TensorDict) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Returns the network's scores and overlaps, see :meth:`ltr.models.tracking.DiMPNet.forward`."""
        train, test = data["train_images"].float(), data["test_images"].float()
        answers: tuple[list[torch.Tensor], torch.Tensor]
        answers = self.net(train, test, data["train_anno"], data["test_proposals"])
        return answers

    def classification_losses(self, scores: list[torch.Tensor], data: TensorDict) -> list[torch.Tensor]:
        """Returns the loss of each filter by its scores (J, N, H, W)."""
        return [lb_hinge(each, data["test_label"], self.objective.hinge_threshold) for each in scores]

    def iou_loss(self, iou: torch.Tensor, data: TensorDict) -> torch.Tensor:
        """Returns the loss of the box branch's answers (J, N, P): for overlaps, the squared error."""
        if "proposal_density" in data:
            return density_loss(iou, data["proposal_density"], data["true_density"])
        return nn.functional.mse_loss(iou, data["proposal_iou"])
