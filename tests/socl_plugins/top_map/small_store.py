"""A store of two small videos, for tests."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np

from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import PointAnnotated
from socl_plugins.top_map import ObjectnessAnnotated, Proposals, ProposalSettings
from socl_plugins.top_map.build import BuildReport, store_proposals
from socl_plugins.top_map.store import ProposalReader, proposal_writer, store_path

TINY = ProposalSettings(random_count=200, edge_count=50, keep=16)
CLICK = (64.25, 41.0)


def videos(store: ProposalReader | None = None, noise_px: float = 0.0) -> ObjectnessAnnotated:
    clicks = PointAnnotated(SyntheticVideo(2, num_frames=3, size=(96, 128), seed=7), noise_px)
    return ObjectnessAnnotated(clicks, TINY, store)


def built(folder: Path, dataset: ObjectnessAnnotated, backend: str | None = None, jobs: int = 1) -> BuildReport:
    with proposal_writer(store_path(folder, "synthetic", TINY), "synthetic", TINY) as writer:
        return store_proposals(dataset, writer, jobs, backend, progress=False)


def records(folder: Path) -> dict[bytes, bytes]:
    """Returns what the only store in a folder holds of frames, read with SQLite alone."""
    (path,) = folder.glob("*.sqlite")
    with closing(sqlite3.connect(path)) as connection:
        return dict(connection.execute("SELECT name, content FROM records WHERE name <> x'' ORDER BY name"))


def some(seed: int, number: int = 64, side: float = 1000.0, kind: type = np.float64) -> Proposals:
    rng = np.random.default_rng(seed)
    boxes, scores = rng.uniform(0, side, (number, 4)), rng.random(number)
    return Proposals(boxes.astype(kind), scores.astype(kind)).rounded()


def same(one: Proposals, other: Proposals) -> bool:
    return all(
        a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        for a, b in ((one.boxes, other.boxes), (one.scores, other.scores))
    )
