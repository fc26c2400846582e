"""The pseudo boxes that a recipe learns from."""

from __future__ import annotations

from ltr.admin.environment import Environment
from ltr.engine import distributed
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.annotated import PseudoBoxAnnotated
from socl_plugins.pseudo_label.build import build_store
from socl_plugins.pseudo_label.settings import describe, method_settings
from socl_plugins.pseudo_label.store import STORES, PseudoBoxStore, build_command, store_file


def training_boxes(env: Environment, sparse: SparseBoxAnnotated, method: str) -> PseudoBoxAnnotated:
    """Returns the videos with the pseudo boxes of their store; what it lacks of embedded videos is made first.

    Args:
        env: says where stores lie, and whether the videos are embedded ones.
        sparse: the sparse boxes and clicks of the training videos.
        method: how pseudo boxes are made.

    Raises:
        StoreError: the store is not there or not complete; the message says which command makes it.
    """
    path = env.workspace_dir / STORES / store_file(sparse, method)
    if env.got10k_dir is None and distributed.is_main():
        boxes = method_settings(method)
        store = PseudoBoxStore(path, about=describe(boxes, sparse.period, sparse.noise_px, sparse.seed))
        build_store(sparse, store, boxes, jobs=1, progress=False)
    distributed.barrier()
    return PseudoBoxAnnotated(sparse, PseudoBoxStore(path, build_command(sparse, method)))
