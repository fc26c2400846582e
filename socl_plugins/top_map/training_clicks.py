"""The clicks and proposals that a recipe learns from, as its hyper-parameters say."""

from __future__ import annotations

from ltr.admin.environment import Environment
from ltr.config.errors import SettingsError
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine import distributed
from ltr.registry import LABELS
from socl_plugins.clicks import PointAnnotated
from socl_plugins.clicks.budget import Budget
from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.propose import ProposalSettings
from socl_plugins.top_map.store import open_reader, store_name

DEFAULT_STORE = "top_maps"


@LABELS.register("clicks")
def training_clicks(
    dataset: BaseVideoDataset,
    env: Environment,
    seed: int,
    noise_px: float = 0.0,
    budget: Budget = Budget(),
    proposals: ProposalSettings = ProposalSettings(),
    store: str = DEFAULT_STORE,
    prepare_frames: int = 20_000,
    told_sizes: int = 0,
) -> ObjectnessAnnotated:
    """Single clicks with the proposals that TOP maps are made of, stored ones where there is a store of them.

    Args:
        dataset: the training videos.
        env: where stores lie.
        seed: of the run.
        noise_px: shift of the clicks in pixels; the same for every seed of a run, since clicks are made once.
        budget: how many clicks are paid for.
        proposals: what TOP maps are made of.
        store: folder of stored proposals, as ``python -m socl_plugins.top_map build`` writes them; by default
            ``top_maps`` in the workspace; ``none``: no store is read, whatever is there.
        prepare_frames: in a data set of so many frames at most, the proposals that are not stored are computed before
            training and kept in memory.
        told_sizes: frames of each video on which a second click, on a corner, tells the target's size.
    """
    clicks = budget.of(PointAnnotated(dataset, noise_px, told_sizes=told_sizes), seed)
    return with_proposals(clicks, env, proposals, noise_px, store, prepare_frames)


def with_proposals(
    clicks: BaseVideoDataset,
    env: Environment,
    settings: ProposalSettings,
    noise_px: float,
    store: str = DEFAULT_STORE,
    prepare_frames: int = 20_000,
) -> ObjectnessAnnotated:
    """Returns clicks with proposals, from a store or computed here, as :func:`training_clicks` says.

    Raises:
        SettingsError: ``store`` names no folder, or ``prepare_frames`` is negative.
    """
    if prepare_frames < 0:
        raise SettingsError(f"prepare_frames is {prepare_frames}, but must not be negative")
    reader = None
    if store != "none":
        folder = env.workspace_dir / store
        if store != DEFAULT_STORE and not folder.is_dir():
            raise SettingsError(f"store is {store}, but there is no folder {folder}; none: read no store")
        reader = open_reader(folder, store_name(clicks), settings, noise_px)
        if reader is not None and distributed.is_main():
            print(f"TOP maps: {len(reader)} frames are stored in {reader.path}")
    dataset = ObjectnessAnnotated(clicks, settings, reader)
    if has_at_most(dataset, prepare_frames):
        dataset.prepare(progress=distributed.is_main())
    return dataset


def has_at_most(dataset: BaseVideoDataset, frames: int) -> bool:
    """Returns whether a data set has no more frames than that, without looking further than it must."""
    total = 0
    for video in range(len(dataset)):
        total += len(dataset.get_sequence_info(video)["visible"])
        if total > frames:
            return False
    return True
