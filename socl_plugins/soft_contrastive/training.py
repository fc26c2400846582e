"""What every SoCL recipe does: clicks, TOP maps, pairs of crops, the loss, and a held-out tracking score."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings
from ltr.data.loader import LTRLoader
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine import TrainingResult
from ltr.models.tracking import FeatureGrid
from ltr.training.networks import AlexNetOptions, ResNet18Options
from ltr.training.pairs import augmentation, pair_loader, scheduled, train_pairs
from socl_plugins.soft_contrastive.actor import SoCLActor
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.pictures_hook import SamplePictures
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm
from socl_plugins.top_map.training_clicks import ClickOptions, training_clicks


@dataclass
class SoCLConfig(ClickOptions):
    """Hyper-parameters of a SoCL recipe.

    Attributes:
        projection: learn through a projection head, which tracking leaves out (section J).
        loss: what the loss is made of.
        response: the term on the tracker's response beside it.
        crop: what the network sees of a frame.
    """

    projection: bool = False
    loss: SoftContrastiveSettings = field(default_factory=SoftContrastiveSettings)
    response: ResponseSettings = field(default_factory=ResponseSettings)
    crop: TopMapCropSettings = field(default_factory=TopMapCropSettings)


@dataclass
class SoCLRes18Config(ResNet18Options, SoCLConfig):
    """SoCL on ResNet-18."""


@dataclass
class SoCLAlexNetConfig(AlexNetOptions, SoCLConfig):
    """SoCL on SiamFC's AlexNet."""


C = TypeVar("C", bound=SoCLConfig)


def default_config(config: C, env: Environment) -> C:
    """Returns ``config`` with the schedule of :func:`ltr.training.pairs.scheduled`.

    The frames of a pair share their augmentation among the embedded videos, where often only its colour tells a target
    from others of its kind; on real video, where light changes, they do not. Which is better there is not settled.
    """
    return replace(scheduled(config, env), augment_apart=0.0 if env.got10k_dir is None else 1.0)


def train_with(settings: Settings, **loss: Any) -> TrainingResult:
    """Trains ResNet-18 with :func:`default_config` and these changes of the loss; what ``--set`` says comes last."""
    config = SoCLRes18Config(loss=SoftContrastiveSettings(**loss))
    return train(settings, settings.configure(default_config(config, settings.env)))


def train(settings: Settings, config: SoCLConfig) -> TrainingResult:
    """Trains a network from clicks and returns how it tracks held-out videos before and after."""
    net = config.build_network(projection=config.projection)
    grid = net.grid(config.crop.size)
    response = ResponseTerm.of(net, config.crop.size, config.response) if config.response.weight else None
    dataset = training_clicks(settings.env, config, settings.seed)
    loader = training_loader(dataset, config, grid, settings.seed)
    pictures = SamplePictures(dataset, config.crop, grid, config.loss, config.score_interval)
    actor = SoCLActor(net, config.loss, response, frozen_norm=config.pretrained is not None)
    return train_pairs(settings, config, actor, loader, [pictures])


def training_loader(dataset: BaseVideoDataset, config: SoCLConfig, grid: FeatureGrid, seed: int = 0) -> LTRLoader:
    """Returns batches of augmented pairs of crops with their TOP maps.

    Args:
        dataset: shows ``point`` and ``proposals``.
        config: of the run.
        grid: where the network's feature cells lie in the crops.
        seed: of everything that is drawn.
    """
    processing = SoftContrastiveProcessing(config.crop, grid, augmentation(config))
    return pair_loader(dataset, processing, config, seed)
