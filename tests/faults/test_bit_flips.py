"""A bit that is the other way on disk is noticed, or changes nothing that is read."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from ltr.admin.checkpoint import CheckpointError, load_checkpoint, load_file, load_network, save_checkpoint
from ltr.admin.weight_files import write_weights
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.backbone import resnet18
from ltr.models.builder import build_network
from ltr.registry import NETWORKS
from pytracking import run_tracker
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label import PseudoBoxStore, method_settings
from socl_plugins.pseudo_label.build import sparse_labels
from socl_plugins.pseudo_label.build import store_pseudo_boxes as build_boxes
from socl_plugins.stores import StoreError
from socl_plugins.top_map.store import ProposalReader, pack, proposal_writer, store_path
from tests.faults.conftest import TOYS
from tests.faults.harness import Counts, flipped, rng, run, tree
from tests.socl_plugins.top_map.small_store import CLICK, TINY, some

Read = Callable[[], Any]
NOTICED = (CheckpointError, StoreError)


def plain(content: Any) -> Any:
    """Returns what can be compared: tensors and arrays as bytes."""
    if isinstance(content, torch.Tensor):
        return str(content.dtype), tuple(content.shape), content.contiguous().numpy().tobytes()
    if isinstance(content, np.ndarray):
        return str(content.dtype), content.shape, content.tobytes()
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    return [plain(value) for value in content] if isinstance(content, (list, tuple)) else content


def flip_bits(what: str, path: Path, read: Read, times: int, counts: Counts) -> None:
    """Flips one bit of a file after the other, and compares what is read with what was; None stands for "not there"."""
    whole, expected = path.read_bytes(), plain(read())
    for bit in rng(zlib.crc32(what.encode())).integers(0, 8 * len(whole), times):
        path.write_bytes(flipped(whole, int(bit)))
        fault = None
        try:
            found = plain(read())
            if isinstance(expected, list):
                same = all(one is None or one == other for one, other in zip(found, expected, strict=True))
            else:
                same = found == expected
            fault = None if same else f"bit {bit}: silently different"
        except NOTICED:
            pass
        except Exception as error:
            fault = f"bit {bit}: {type(error).__name__}: {error}"
        counts.add(what, fault)
    path.write_bytes(whole)
    counts.check(what)


def flip_all(folder: Path, times: int, counts: Counts) -> None:
    net = build_network("tiny", width=20)
    state = {"net": net.state_dict(), "constructor": net.constructor, "epoch": 3, "stats": {"Loss": {1: 0.5, 2: 0.25}}}
    checkpoint = folder / "net.pth.tar"
    save_checkpoint(checkpoint, state)
    flip_bits("flipped bit in a checkpoint", checkpoint, lambda: load_checkpoint(checkpoint), times, counts)
    flip_bits("flipped bit in a checkpoint", checkpoint, lambda: load_network(checkpoint).state_dict(), times, counts)

    weights = {name: value for name, value in resnet18("layer1").state_dict().items() if "layer1" not in name}
    torch.save(weights, folder / "weights.pth")
    write_weights(folder / "weights.safetensors", weights, {})
    for path in (folder / "weights.pth", folder / "weights.safetensors"):
        flip_bits("flipped bit in weights", path, lambda path=path: load_file(path), times, counts)

    path = store_path(folder, "toys", TINY)
    names = [f"video/{n:08d}" for n in range(40)]
    with proposal_writer(path, "toys", TINY) as store:
        store.add({name: pack(some(n), CLICK) for n, name in enumerate(names)})

    def proposals() -> list[Any]:
        reader = ProposalReader(path)
        found = [reader.get(name, CLICK) for name in names]
        return [None if each is None else [each.boxes, each.scores] for each in found]

    flip_bits("flipped bit in a store of TOP maps", path, proposals, times, counts)

    videos = SparseBoxAnnotated(SyntheticVideo(3, num_frames=12, size=(96, 128), seed=7), 4)
    boxes = folder / "boxes.sqlite"
    settings = method_settings("interpolation")
    build_boxes(videos, PseudoBoxStore(boxes, about={}), settings, jobs=1, progress=False)

    def pseudo_boxes() -> list[Any]:
        store = PseudoBoxStore(boxes)
        names = [videos.sequence_name(n) for n in range(3)]
        return [
            store.read(name, sparse_labels(videos, n)) if name in store.records else None
            for n, name in enumerate(names)
        ]

    flip_bits("flipped bit in a store of pseudo boxes", boxes, pseudo_boxes, times, counts)


def flip_results(folder: Path, workspace: Path, times: int, counts: Counts) -> None:
    """What is damaged is named, or tracked again with the same boxes."""
    what, words = "flipped bit in results", ["drift", "plain", "--plugin", TOYS, "--dataset_name", "toys"]
    assert run(run_tracker.main, words, folder / "log").status == 0
    place = workspace / "tracking_results"
    whole = tree(place)
    boxes = {name: content for name, content in whole.items() if name.endswith(".txt") and "time" not in name}
    draw = rng(zlib.crc32(what.encode()))
    for _ in range(times):
        name = str(draw.choice(sorted(whole)))
        if not whole[name]:
            continue
        bit = int(draw.integers(0, 8 * len(whole[name])))
        (place / name).write_bytes(flipped(whole[name], bit))
        outcome = run(run_tracker.main, words, folder / "log", 60)
        fault = outcome.fault([0, 1])
        if (
            fault is None
            and outcome.status == 0
            and any((place / each).read_bytes() != content for each, content in boxes.items())
        ):
            fault = "silently different"
        counts.add(what, f"{name}, bit {bit}: {fault}" if fault else None)
        for each, content in whole.items():
            (place / each).parent.mkdir(parents=True, exist_ok=True)
            (place / each).write_bytes(content)
    counts.check(what)


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network of a few weights, so that many of the bits are those of the file around them."""
    monkeypatch.setitem(NETWORKS._entries, "tiny", lambda width: torch.nn.Linear(width, width))


def test_some_flipped_bits(folder: Path, tiny: None, counts: Counts) -> None:
    flip_all(folder, 20, counts)


@pytest.mark.campaign
def test_campaign_of_flipped_bits(folder: Path, tiny: None, counts: Counts) -> None:
    flip_all(folder, 180, counts)


@pytest.mark.campaign
def test_campaign_of_flipped_bits_in_results(folder: Path, workspace: Path, counts: Counts) -> None:
    flip_results(folder, workspace, 150, counts)
