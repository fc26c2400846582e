"""What the recipes of progressive learning share: patches without labels, the stages, and the noise-robust option."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, TypeVar

import torch

from ltr.actors.siamfc import SiamFCActor
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.data.loader import LTRLoader
from ltr.data.processing import CropSettings
from ltr.data.transforms import Compose, Stretch
from ltr.dataset.defaults import training_videos
from ltr.engine import Hook, TrainingResult, distributed
from ltr.models.tracking import SiamFCNet
from ltr.training.pairs import PairConfig, augmentation, scheduled, train_pairs
from ltr.training.siamfc import BoxConfig
from socl_plugins.clicks import LabelCounts
from socl_plugins.clicks.cost_hook import RecordLabelCost
from socl_plugins.progressive.actor import NoiseRobustActor, ProgressiveActor
from socl_plugins.progressive.hooks import MinePairs, RefreshNeighbours
from socl_plugins.progressive.mining import MiningSettings, mine_pairs
from socl_plugins.progressive.noise_robust import USUAL_SCALE, Expansion, LabelNoise
from socl_plugins.progressive.patches import PatchSettings, Unlabelled, embed_patches, find_patches
from socl_plugins.progressive.processing import ProgressiveProcessing
from socl_plugins.progressive.sampler import AnchorSampler, MinedPairs

STRETCH = 0.05  # SiamFC's


@dataclass
class ProgressiveConfig(PairConfig):
    """Hyper-parameters of learning from video without labels; of these, the supplement gives the sizes of the crops.

    Before the first round patches are told apart (background discrimination); from then on the network also learns
    where the mined pairs are (temporal correspondence).

    Attributes:
        rounds: epochs, from 1 and rising, at whose start pairs are mined.
        selection: what a mini-batch is: an anchor and its nearest neighbours (AHM), or an anchor and others at random.
        refresh: epochs between two computations of the features that neighbours are found with.
        tau: temperature of the contrastive loss.
        contrast: weight of the contrastive loss beside that of correspondence.
        template_size: side of the template in pixels.
        radius: see :class:`ltr.training.siamfc.BoxConfig`.
        crop: the search crop; SiamFC's own.
        patches: which patches are learned from.
        mining: how pairs are mined.
        noise: of the places of mined pairs. A square patch is 64 pixels of the crop wide.
    """

    rounds: tuple[int, ...] = (2, 3)
    selection: Literal["neighbours", "random"] = "neighbours"
    refresh: int = 1
    tau: float = 0.1
    contrast: float = 1.0
    template_size: int = 127
    radius: float = 2.0
    crop: CropSettings = field(default_factory=lambda: CropSettings(size=255, search_factor=4.0, shift=0.2))
    patches: PatchSettings = field(default_factory=PatchSettings)
    mining: MiningSettings = field(default_factory=MiningSettings)
    noise: LabelNoise = field(default_factory=lambda: LabelNoise(crop_px=8.0))

    def __post_init__(self) -> None:
        super().__post_init__()
        if list(self.rounds) != sorted({number for number in self.rounds if number > 0}):
            raise SettingsError(f"rounds is {self.rounds}; epochs count from 1, and each is later than the one before")
        for name in ("refresh", "tau"):
            if not getattr(self, name) > 0:
                raise SettingsError(f"{name} is {getattr(self, name)}, but must be positive")
        if not self.contrast >= 0:
            raise SettingsError(f"contrast is {self.contrast}, but must not be negative")


C = TypeVar("C", bound=ProgressiveConfig)


def default_config(config: C, env: Environment) -> C:
    """Returns ``config`` with SoCL's schedule where GOT-10k is set, since PUL's is unknown, else with one of minutes.

    In those minutes the search crop is smaller, at the same magnification.
    """
    config = scheduled(config, env)
    if env.got10k_dir is None:
        crop = replace(config.crop, size=192, search_factor=3.0)
        return replace(config, epochs=4, samples_per_epoch=240, rounds=(2, 3), crop=crop)
    return replace(config, rounds=(251, 501, 751), refresh=10, mining=replace(config.mining, hops=3))


def train_progressively(settings: Settings, config: ProgressiveConfig) -> TrainingResult:
    """Trains a network from video without labels and returns how it tracks held-out videos before and after."""
    net = config.build_network(calibrated=True)
    dataset = Unlabelled(training_videos(settings.env, config.videos))
    patches = find_patches(dataset, config.patches)
    plain = augmentation(config)
    stretched = replace(plain, own=Compose(Stretch(STRETCH), plain.own))
    processing = ProgressiveProcessing(config.crop, config.template_size, stretched)
    group_size = config.batch_size * distributed.world_size()
    sampler = AnchorSampler(dataset, patches, group_size, config.samples_per_epoch, processing, settings.seed)
    actor = ProgressiveActor(
        net, config.noise, config.radius, config.tau, config.contrast, frozen_norm=config.pretrained is not None
    )
    workers = config.num_workers

    def mine(net: SiamFCNet, mining_round: int) -> MinedPairs:
        return mine_pairs(net, dataset, patches, processing, config.mining, mining_round, workers)

    def embed(net: SiamFCNet) -> torch.Tensor:
        return embed_patches(net, dataset, patches, processing, num_workers=workers)

    hooks: list[Hook] = [RecordLabelCost(LabelCounts()), MinePairs(sampler, actor, mine, config.rounds)]
    if config.selection == "neighbours":
        hooks.append(RefreshNeighbours(sampler, embed, config.refresh))
    loader = LTRLoader("train", sampler, batch_size=config.batch_size, num_workers=workers)
    # Telling patches apart uses no calibration.
    return train_pairs(settings, config, actor, loader, hooks, find_unused_parameters=True)


@dataclass
class NoiseRobustOptions(BoxConfig):
    """The noise-robust loss in a recipe that learns from boxes or clicks; inherit from it before all others.

    Attributes:
        noise_robust: how far off labels are believed to be, in pixels of the frame: as much as the clicks' ``noise_px``
            is a fair start. 0: the cross-entropy.
        noise_expansion: see :class:`socl_plugins.progressive.noise_robust.LabelNoise`.
        noise_scale: ``scale`` there; none: 1 for ``taylor``, else 100 for a network that has learned something before,
            and 30 for others.
    """

    noise_robust: float = 0.0
    noise_expansion: Expansion = "exact"
    noise_scale: float | None = None

    def build_actor(self, net: SiamFCNet) -> SiamFCActor:
        """Returns the learning step of the network."""
        if self.noise_robust == 0:
            return super().build_actor(net)
        noise = LabelNoise(frame_px=self.noise_robust, expansion=self.noise_expansion, scale=self.noise_scale)
        noise = replace(noise, scale=noise.factor(USUAL_SCALE if self.pretrained is None else 100.0))
        return NoiseRobustActor(net, noise, self.radius, frozen_norm=self.pretrained is not None)
