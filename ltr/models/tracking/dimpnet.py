"""DiMP (Bhat et al., Learning Discriminative Model Prediction for Tracking, ICCV 2019): the whole network.

Modules have the names of the published weights, and arguments the names that published checkpoints are built with.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from inspect import Signature, signature
from typing import Any, Literal

from torch import Tensor, nn

from ltr.models.backbone import ResNetBackbone
from ltr.models.bbreg import AtomIoUNet
from ltr.models.target_classifier import (
    FilterInitializer,
    GradientDescent,
    NoInitializer,
    SteepestDescent,
    TargetClassifier,
    classification_features,
)
from ltr.models.target_classifier.residual import ScoreActivation
from ltr.registry import BACKBONES, NETWORKS, near_names

BOX_LAYERS = ("layer2", "layer3")
CLASSIFICATION_LAYER = "layer3"
LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4")
STRIDE = 16
FIRST_GRADIENT_STEP = 0.01  # on random features the loss falls; at 0.05 it swings
OptimizerKind = Literal["steepest", "gradient"]
OnlineLoss = Literal["learned", "hinge", "l2"]
BoxBranch = Literal["overlap", "density"]
"""What a box branch answers for a box: its predicted overlap with the target (ATOM, DiMP), or the log of a density, up
to a constant, of where the target's box is (SuperDiMP, after Danelljan et al., PrDiMP, CVPR 2020)."""


class DiMPNet(nn.Module):
    """A backbone, a target classification branch and a box estimation branch.

    Args:
        feature_extractor: the backbone, with all four layers.
        classifier: where the target is, roughly.
        bb_regressor: how well a box fits it.
        frozen_backbone_layers: the backbone's layers that do not learn; their batch norm keeps its statistics.
        box_branch: what the box branch answers for a box.

    Raises:
        ValueError: the backbone has no such layer.
    """

    stride = STRIDE

    def __init__(
        self,
        feature_extractor: ResNetBackbone,
        classifier: TargetClassifier,
        bb_regressor: AtomIoUNet,
        frozen_backbone_layers: Sequence[str] = (),
        box_branch: BoxBranch = "overlap",
    ) -> None:
        super().__init__()
        self.feature_extractor = feature_extractor
        self.classifier = classifier
        self.bb_regressor = bb_regressor
        self.box_branch = box_branch
        for name in frozen_backbone_layers:
            if name not in LAYERS:
                hint = f"{near_names(name, LAYERS)} Known: {', '.join(LAYERS)}."
                raise ValueError(f"frozen_backbone_layers names {name!r}, which is no layer of the backbone.{hint}")
        self.frozen = [feature_extractor.get_submodule(name) for name in frozen_backbone_layers]
        for layer in self.frozen:
            layer.requires_grad_(False)

    def train(self, mode: bool = True) -> DiMPNet:
        """Sets training or evaluation mode; frozen layers stay in evaluation mode."""
        super().train(mode)
        for layer in self.frozen:
            layer.eval()
        return self

    def extract_backbone(self, images: Tensor) -> dict[str, Tensor]:
        """Returns the features ``layer2`` (..., C, H / 8, W / 8) and ``layer3`` (..., C, H / 16, W / 16).

        Args:
            images: RGB (..., 3, H, W) in 0..255, floating-point or uint8.
        """
        outputs = self.feature_extractor.extract(images.flatten(0, -4), BOX_LAYERS)
        return {name: output.view(*images.shape[:-3], *output.shape[1:]) for name, output in zip(BOX_LAYERS, outputs)}

    def forward(
        self,
        train_images: Tensor,
        test_images: Tensor,
        train_boxes: Tensor,
        test_proposals: Tensor,
        reference_boxes: Tensor | None = None,
    ) -> tuple[list[Tensor], Tensor]:
        """Returns the scores (J, S, H', W') of the initial filter and of each iterate, and the overlaps (J, S, P).

        Args:
            train_images: RGB (I, S, 3, H, W) in 0..255: I images of each of S sequences.
            test_images: RGB (J, S, 3, H, W) in 0..255: J images of each of the same sequences.
            train_boxes: (I, S, 4) x, y, w, h in crop pixels.
            test_proposals: (J, S, P, 4): boxes whose overlap with the target is predicted.
            reference_boxes: (I, S, 4): what the box branch takes the target to be, if not the classifier's boxes.
        """
        train, test = self.extract_backbone(train_images), self.extract_backbone(test_images)
        scores = self.classifier(train[CLASSIFICATION_LAYER], test[CLASSIFICATION_LAYER], train_boxes)
        seen, sought = ((part[BOX_LAYERS[0]], part[BOX_LAYERS[1]]) for part in (train, test))
        return scores, self.bb_regressor(
            seen, sought, train_boxes if reference_boxes is None else reference_boxes, test_proposals
        )


@NETWORKS.register("dimpnet18")
def dimpnet18(
    filter_size: int = 4,
    optim_iter: int = 5,
    optim_init_step: float = 0.9,
    optim_init_reg: float = 0.1,
    clf_feat_blocks: int | None = 1,
    out_feature_dim: int = 256,
    init_gauss_sigma: float = 0.9,
    num_dist_bins: int = 100,
    bin_displacement: float = 0.1,
    mask_init_factor: float = 3.0,
    score_act: ScoreActivation = "relu",
    act_param: float | None = None,
    iou_input_dim: Sequence[int] = (256, 256),
    iou_inter_dim: Sequence[int] = (256, 256),
    frozen_backbone_layers: Sequence[str] = (),
    pretrained: str | None = None,
    backbone: Literal["resnet18", "resnet50"] = "resnet18",
    initializer: bool = True,
    optimizer: OptimizerKind = "steepest",
    online_loss: OnlineLoss = "learned",
    box_branch: BoxBranch = "overlap",
) -> DiMPNet:
    """Returns DiMP on ResNet-18; the defaults are those of the paper's DiMP-18.

    Args:
        filter_size: cells of the target model along each side.
        optim_iter: recursions of the optimizer module.
        optim_init_step: factor on its step length, at the start of training.
        optim_init_reg: factor on the filter in its loss, at the start of training.
        clf_feat_blocks: residual blocks before the last convolution of the classification features; None: neither, so
            that the classifier works on the backbone's features.
        out_feature_dim: channels of the classification features.
        init_gauss_sigma: standard deviation of the first label in cells: 1/4 of the target, which is 18/5 cells.
        num_dist_bins: radial basis functions of the learned loss.
        bin_displacement: distance of their knots in cells.
        mask_init_factor: scale of the first target mask.
        score_act: activation of scores in the loss.
        act_param: its bend, for ``bentpar``.
        iou_input_dim: channels of the IoU features at stride 8 and 16.
        iou_inter_dim: channels of the IoU predictor's hidden layers for stride 8 and 16.
        frozen_backbone_layers: the backbone's layers that do not learn.
        pretrained: weights of the backbone: none, ``imagenet`` or a file; see :func:`ltr.models.backbone.resnet18`.
        backbone: torchvision's name of the backbone.
        initializer: whether the first filter is predicted, or zero (table 2).
        optimizer: steepest descent, or the gradient descent of table 1.
        online_loss: what the optimizer minimises: the learned loss, equation 8, or least squares.
        box_branch: what the box branch learns and answers; it has the same weights for all.
    """
    resnet = BACKBONES[backbone](output_layer="layer4", stride=32, pretrained=pretrained)
    channels = {name: _channels(resnet, name) for name in (*BOX_LAYERS, "layer4")}
    # ImageNet's own classifier: nothing uses it, but the published weights carry it.
    resnet.fc = nn.Linear(channels["layer4"], 1000)
    if clf_feat_blocks is None:
        out_feature_dim = channels[CLASSIFICATION_LAYER]
    loss = (
        optim_iter,
        STRIDE,
        optim_init_step,
        optim_init_reg,
        init_gauss_sigma,
        num_dist_bins,
        bin_displacement,
        mask_init_factor,
        score_act,
        1.0 if act_param is None else act_param,
    )
    if optimizer == "steepest":
        descent = SteepestDescent(*loss)
    else:
        descent = GradientDescent(out_feature_dim, filter_size, FIRST_GRADIENT_STEP, *loss)
    if online_loss != "learned":
        descent.fix_loss(online_loss)
    classifier = TargetClassifier(
        FilterInitializer(out_feature_dim, filter_size, STRIDE) if initializer else NoInitializer(filter_size),
        descent,
        classification_features(channels[CLASSIFICATION_LAYER], clf_feat_blocks, out_feature_dim, filter_size),
    )
    box = AtomIoUNet(
        (channels[BOX_LAYERS[0]], channels[BOX_LAYERS[1]]),
        (iou_input_dim[0], iou_input_dim[1]),
        (iou_inter_dim[0], iou_inter_dim[1]),
    )
    return DiMPNet(resnet, classifier, box, frozen_backbone_layers, box_branch)


@NETWORKS.register("dimpnet50")
def dimpnet50(**changes: Any) -> DiMPNet:
    """Returns DiMP on ResNet-50, the paper's DiMP-50: :func:`dimpnet18` with another backbone and wider features.

    Args:
        changes: arguments of :func:`dimpnet18`.
    """
    return dimpnet18(**{**DIMP50, **changes})


DIMP50: Mapping[str, Any] = {"backbone": "resnet50", "clf_feat_blocks": 0, "out_feature_dim": 512}
"""What DiMP-50 has otherwise than DiMP-18."""

# Its arguments are those of dimpnet18, with these defaults: whoever asks for its signature sees them.
_arguments = signature(dimpnet18, eval_str=True).parameters.values()
dimpnet50.__signature__ = Signature(  # type: ignore[attr-defined]
    [argument.replace(default=DIMP50.get(argument.name, argument.default)) for argument in _arguments]
)
dimpnet50.__wrapped__ = dimpnet18  # type: ignore[attr-defined]


def _channels(resnet: nn.Module, layer: str) -> int:
    convolutions = [module for module in resnet.get_submodule(layer)[-1].modules() if isinstance(module, nn.Conv2d)]  # type: ignore[index]
    return convolutions[-1].out_channels
