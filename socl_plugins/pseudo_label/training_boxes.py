"""The boxes that a recipe learns from without anyone drawing them on every frame, and what they are compared with."""

from __future__ import annotations

from ltr.admin.environment import Environment
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.named import is_embedded
from ltr.engine import distributed
from ltr.registry import LABELS
from socl_plugins.clicks import SparseBoxAnnotated, WithinBudget, annotation_cost, dataset_labels
from socl_plugins.clicks.budget import Budget
from socl_plugins.pseudo_label.annotated import PseudoBoxAnnotated
from socl_plugins.pseudo_label.build import store_pseudo_boxes
from socl_plugins.pseudo_label.settings import describe, method_settings
from socl_plugins.pseudo_label.store import STORES, PseudoBoxStore, build_command, store_file
from socl_plugins.pseudo_label.top_map_boxes import TopMapBoxAnnotated
from socl_plugins.top_map.propose import ProposalSettings
from socl_plugins.top_map.training_clicks import DEFAULT_STORE, training_clicks


@LABELS.register("top_map_boxes")
def top_map_boxes(
    dataset: BaseVideoDataset,
    env: Environment,
    seed: int,
    alpha: float = 0.5,
    noise_px: float = 0.0,
    budget: Budget = Budget(),
    proposals: ProposalSettings = ProposalSettings(),
    store: str = DEFAULT_STORE,
    prepare_frames: int = 20_000,
    told_sizes: int = 0,
) -> TopMapBoxAnnotated:
    """A box on each clicked frame, made of the click's TOP map alone (SoCL, figure 8: BCE-Siam).

    In a video with sizes that second clicks told, it is the click with the size between these.

    Args:
        dataset: the training videos.
        env: where stores lie.
        seed: of the run.
        alpha: part of a TOP map's maximum from which on a place belongs to the box, in (0, 1].
        noise_px: shift of the clicks in pixels.
        budget: how many clicks are paid for.
        proposals: what TOP maps are made of.
        store: folder of stored proposals; ``none``: no store is read.
        prepare_frames: in a data set of so many frames at most, proposals are computed before training.
        told_sizes: frames of each video on which a second click, on a corner, tells the target's size.
    """
    clicks = training_clicks(dataset, env, seed, noise_px, budget, proposals, store, prepare_frames, told_sizes)
    boxes = TopMapBoxAnnotated(clicks, alpha)
    boxes.labels_given = dataset_labels(clicks)
    return boxes


@LABELS.register("pseudo_boxes")
def pseudo_boxes(
    dataset: BaseVideoDataset, env: Environment, period: int = 10, noise_px: float = 0.0, method: str = "fused"
) -> PseudoBoxAnnotated:
    """Boxes that a tracker finds between sparse boxes, corrected with clicks (SoCL, section 3.3), from their store.

    Args:
        dataset: the training videos.
        env: where stores lie.
        period: T, the frames from one box that a person draws to the next.
        noise_px: shift of the clicks in pixels.
        method: how the boxes are made, see ``python -m socl_plugins.pseudo_label --help``.
    """
    sparse = SparseBoxAnnotated(dataset, period, noise_px)
    return training_boxes(env, sparse, method)


@LABELS.register("boxes_for_same_hours")
def boxes_for_same_hours(dataset: BaseVideoDataset, seed: int, period: int = 10, noise_px: float = 0.0) -> WithinBudget:
    """Boxes on all frames of whole videos, for the hours that sparse boxes and clicks on all videos cost (Table 7).

    Args:
        dataset: the training videos.
        seed: of the run; it draws the videos.
        period: T of the labels that it is compared with.
        noise_px: of their clicks.
    """
    hours = annotation_cost(dataset_labels(SparseBoxAnnotated(dataset, period, noise_px))).hours
    return WithinBudget(dataset, hours, seed)


def training_boxes(env: Environment, sparse: SparseBoxAnnotated, method: str) -> PseudoBoxAnnotated:
    """Returns the videos with the pseudo boxes of their store; what it lacks of embedded videos is made first.

    Args:
        env: says where stores lie.
        sparse: the sparse boxes and clicks of the training videos.
        method: how pseudo boxes are made.

    Raises:
        StoreError: the store is not there or not complete; the message says which command makes it.
    """
    path = env.workspace_dir / STORES / store_file(sparse, method)
    boxes = method_settings(method)
    if is_embedded(sparse) and distributed.is_main():
        store = PseudoBoxStore(path, about=describe(boxes, sparse.period, sparse.noise_px, sparse.seed))
        store_pseudo_boxes(sparse, store, boxes, jobs=1, progress=False)
    distributed.barrier()
    return PseudoBoxAnnotated(sparse, PseudoBoxStore(path, build_command(sparse, method)))
