"""The networks that a recipe can learn. A recipe's configuration inherits from one of these, before all others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, cast

from ltr.admin.settings import SettingsError
from ltr.models.builder import build_network
from ltr.models.tracking import SiamFCNet
from ltr.training.pairs import PairConfig


@dataclass
class ResNet18Options(PairConfig):
    """A ResNet-18 to learn; ``pretrained`` can be ``imagenet``, too.

    Attributes:
        output_layer: the layer whose features are learned and compared.
        stride: image pixels for one feature cell.
        border: feature cells dropped on each side.
    """

    paper_weights: ClassVar[str | None] = "imagenet"
    output_layer: str = "layer2"
    stride: int = 8
    border: int = 3

    def build_network(self, *, projection: bool = False, calibrated: bool = False) -> SiamFCNet:
        """Returns the network; the arguments are those of :class:`SiamFCNet`."""
        net = build_network(
            "siamfc_resnet18",
            output_layer=self.output_layer,
            stride=self.stride,
            border=self.border,
            projection=projection,
            calibrated=calibrated,
            pretrained=self.pretrained,
        )
        return cast(SiamFCNet, net)


@dataclass
class AlexNetOptions(PairConfig):
    """SiamFC's AlexNet to learn; ``pretrained`` is a file with siamfc-pytorch's state_dict.

    It has no padding, so no border is dropped. Features are compared by cosine similarity, as those of ResNet-18 are.
    """

    def build_network(self, *, projection: bool = False, calibrated: bool = False) -> SiamFCNet:
        """Returns the network; the arguments are those of :class:`SiamFCNet`."""
        net = build_network(
            "siamfc_alexnet", normalise=True, projection=projection, calibrated=calibrated, weights=self.pretrained
        )
        return cast(SiamFCNet, net)


@dataclass
class ResNet22Options(PairConfig):
    """SiamDW's ResNet-22 to learn; ``pretrained`` is a file with the state_dict of its CIResNet22.

    It crops what its padding reaches, so no border is dropped. Features are compared by cosine similarity.
    """

    def build_network(self, *, projection: bool = False, calibrated: bool = False) -> SiamFCNet:
        """Returns the network; the arguments are those of :class:`SiamFCNet`.

        Raises:
            SettingsError: a projection head is asked for, which it does not have.
        """
        if projection:
            raise SettingsError("projection: the ResNet-22 has no projection head")
        net = build_network("siamfc_resnet22", normalise=True, calibrated=calibrated, weights=self.pretrained)
        return cast(SiamFCNet, net)
