"""The learning step of SoCL: two crops of each video to one contrastive loss."""

from __future__ import annotations

import zlib

import torch

from ltr.actors.base_actor import BaseActor
from ltr.data.tensordict import TensorDict
from ltr.models.tracking import SiamFCNet
from ltr.registry import ACTORS
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings, draw_samples, soft_contrastive_loss
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm


@ACTORS.register("socl")
class SoCLActor(BaseActor):
    """Learns features from pairs of frames and their TOP maps.

    Args:
        net: its ``features_and_embedding`` makes of images (N, 3, H, W) in 0..255 the features (N, C, h, w) that are
            tracked with, and those to contrast.
        objective: what the loss is made of.
        response: the term on the tracker's response, if there is to be one.
        frozen_norm: see :class:`BaseActor`.
    """

    net: SiamFCNet
    objective: SoftContrastiveSettings

    def __init__(
        self,
        net: SiamFCNet,
        objective: SoftContrastiveSettings = SoftContrastiveSettings(),
        response: ResponseTerm | None = None,
        frozen_norm: bool = False,
    ) -> None:
        super().__init__(net, objective, frozen_norm=frozen_norm)
        self.response = response

    @classmethod
    def from_recipe(
        cls,
        net: SiamFCNet,
        processing: SoftContrastiveProcessing,
        objective: SoftContrastiveSettings = SoftContrastiveSettings(),
        response: ResponseSettings = ResponseSettings(),
        frozen_norm: bool = False,
    ) -> SoCLActor:
        """Returns the learning step for what a processing cuts out.

        Args:
            net: the network that learns.
            processing: says how large its crops are.
            objective: what the loss is made of.
            response: the term on the tracker's response; a weight of 0 leaves it out.
            frozen_norm: see :class:`BaseActor`.
        """
        term = ResponseTerm.of(net, processing.crop.size, response) if response.weight else None
        return cls(net, objective, term, frozen_norm)

    def __call__(self, data: TensorDict) -> tuple[torch.Tensor, dict[str, float]]:
        """Returns the loss (equation 10, and the term on the response), and it and its parts as numbers.

        Args:
            data: ``train_images``, ``test_images`` (N, 3, S, S) uint8, ``train_top``, ``test_top`` (N, h, w),
                ``dataset`` (N names) and ``seq_id`` (N,), which say what video each pair is of, and, for the term on
                the response, ``train_point`` and ``test_point`` (N, 2).

        Raises:
            ValueError: the TOP maps do not lie on the network's feature cells.
        """
        images = torch.cat([data["train_images"], data["test_images"]])
        top_maps = torch.cat([data["train_top"], data["test_top"]])
        images = images.float().contiguous(memory_format=torch.channels_last)
        features, embedding = self.net.features_and_embedding(images)
        if embedding.shape[-2:] != top_maps.shape[-2:]:
            raise ValueError(
                f"the network gives {tuple(embedding.shape[-2:])} feature cells, but the TOP maps have "
                f"{tuple(top_maps.shape[-2:])}: give the processing the network's grid"
            )
        # In mixed precision only the network is computed coarsely: a contrastive loss is a difference of large numbers.
        with torch.autocast(embedding.device.type, enabled=False):
            samples = draw_samples(embedding.float(), top_maps, self.objective)
            loss, parts = soft_contrastive_loss(
                samples, self.objective.tau, self.objective.include_positive, number_videos(data)
            )
            if self.response is not None:
                points = torch.cat([data["train_point"], data["test_point"]])
                parts["response"] = self.response(features.float(), points)
                loss = loss + self.response.settings.weight * parts["response"]
        # All numbers at once: for each reading the processor waits for the device.
        numbers = torch.stack([loss, *parts.values()]).detach().tolist()
        return loss, dict(zip(("Loss/total", *(f"Loss/{name}" for name in parts)), numbers))


def number_videos(data: TensorDict) -> torch.Tensor:
    """Returns a number (N,) for each pair of a batch, equal for pairs of the same video of the same data set.

    In a distributed run all processes give a video the same number.
    """
    datasets = torch.tensor([zlib.crc32(name.encode()) for name in data["dataset"]])
    videos = data["seq_id"].long()
    return (datasets << 31).to(videos.device, non_blocking=True) + videos
