"""Learning from boxes as SiamFC does, on the crops and the schedule that SoCL has: Box-Siam (SoCL, section 4.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ltr.actors.siamfc import SiamFCActor
from ltr.admin.settings import Settings, SettingsError
from ltr.data.processing import CropSettings, SiamFCProcessing
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import training_videos
from ltr.engine import Hook, TrainingResult
from ltr.models.tracking import SiamFCNet
from ltr.training.networks import AlexNetOptions, ResNet18Options
from ltr.training.pairs import PairConfig, augmentation, pair_loader, train_pairs


@dataclass
class BoxConfig(PairConfig):
    """Hyper-parameters of learning where the target of a template is in a search crop.

    The magnification is the tracker's: a square target is 64 pixels wide in both crops. With ``crop.size=255`` and
    ``crop.search_factor=4`` the search crop is the tracker's own; the default is as large as SoCL's crops.

    Attributes:
        template_size: side of the template crop in pixels.
        radius: L1 distance in cells within which a place counts as the target's centre.
        crop: the search crop. Its ``shift`` is smaller than SoCL's: the response of a 192-pixel crop ends 32 pixels off
            its middle, so a target that is farther off has no cell.
    """

    template_size: int = 127
    radius: float = 2.0
    crop: CropSettings = field(default_factory=lambda: CropSettings(shift=0.15))

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_counts("template_size")
        if not self.radius >= 1:  # a target between four cells is 1 from each of them
            raise SettingsError(f"radius is {self.radius}; below 1 a target can have no cell at all")

    def build_actor(self, net: SiamFCNet) -> SiamFCActor:
        """Returns the learning step of the network."""
        return SiamFCActor(net, self.radius, frozen_norm=self.pretrained is not None)


@dataclass
class BoxRes18Config(ResNet18Options, BoxConfig):
    """Box-Siam on ResNet-18."""


@dataclass
class BoxAlexNetConfig(AlexNetOptions, BoxConfig):
    """Box-Siam on SiamFC's AlexNet."""


def train_on_boxes(
    settings: Settings, config: BoxConfig, dataset: BaseVideoDataset | None = None, hooks: Iterable[Hook] = ()
) -> TrainingResult:
    """Trains a network from boxes and returns how it tracks held-out videos before and after.

    Args:
        settings: of the run.
        config: the recipe's hyper-parameters.
        dataset: shows ``bbox``; by default the training videos with their own boxes.
        hooks: of the run.
    """
    net = config.build_network(calibrated=True)
    processing = SiamFCProcessing(config.crop, config.template_size, augmentation(config))
    loader = pair_loader(dataset or training_videos(settings.env, config.videos), processing, config, settings.seed)
    return train_pairs(settings, config, config.build_actor(net), loader, hooks)
