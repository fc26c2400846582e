"""The store of proposals: exact, small, safe to kill, read by many, and what training does with it."""

from __future__ import annotations

import dataclasses
import multiprocessing
import pickle
import signal
import time
from itertools import count
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from ltr.data.loader import LTRLoader
from ltr.data.processing import PairAugmentation
from ltr.data.sampler import TrackingSampler
from ltr.data.transforms import ColorJitter, Compose, HorizontalFlip
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.tracking import FeatureGrid
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings
from socl_plugins.stores import StoreError
from socl_plugins.top_map import Proposals, ProposalSettings, annotated, propose_target
from socl_plugins.top_map.objectness import DEFAULT_TABLE
from socl_plugins.top_map.store import ProposalReader, open_reader, pack, proposal_writer, store_path, unpack
from tests.socl_plugins.top_map.small_store import CLICK, TINY, built, records, same, some, videos

FORK = multiprocessing.get_context("fork")


# --------------------------------------------------------------------------------------------------- records
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 9999),
    number=st.integers(0, 64),
    x=st.floats(0, 4096, width=32),
    kind=st.sampled_from([np.float32, np.float64]),
)
def test_what_was_packed_is_unpacked_bit_for_bit(seed: int, number: int, x: float, kind: type) -> None:
    proposals = some(seed, number, 4095, kind)
    content = pack(proposals, (x, 7.5))
    unpacked, point = unpack(content)
    assert len(content) == 8 + 10 * number and same(unpacked, proposals) and point == (x, 7.5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), kind=st.sampled_from([np.float32, np.float64]))
def test_what_was_rounded_once_stays_as_it_is(seed: int, kind: type) -> None:
    once = some(seed, kind=kind)
    assert same(once.rounded(), once)


def test_proposals_of_a_frame_are_packed_without_loss() -> None:
    frame = SyntheticVideo(1, num_frames=1, size=(96, 128), seed=7).load_frame(0, 0)
    for side in (512, 64):  # also those of a frame that was reduced first
        found = propose_target(frame, CLICK, dataclasses.replace(TINY, frame_side=side), 3)
        assert len(found) > 4 and same(unpack(pack(found, CLICK))[0], found)


@pytest.mark.parametrize("length", [0, 7, 9, 17, 8 + 639])
def test_a_truncated_record_is_refused(length: int) -> None:
    with pytest.raises(StoreError, match=f"a record of {length} bytes"):
        unpack(pack(some(0), CLICK)[:length])


@pytest.mark.parametrize("side", [4096.0, 1e9, float("nan"), float("inf")])
def test_a_box_that_the_numbers_cannot_hold_is_refused(side: float) -> None:
    boxes = np.array([[0, 0, 10, side]], np.float32)
    with pytest.raises(StoreError, match="too large for the store"):
        pack(Proposals(boxes, np.ones(1, np.float32)), CLICK)


def test_a_frame_with_64_proposals_takes_less_than_a_kilobyte_on_disk(tmp_path: Path) -> None:
    names = [f"GOT-10k_Train_{1 + i // 100:06d}/{1 + i % 100:08d}" for i in range(600)]
    path = store_path(tmp_path, "got10k", TINY)
    with proposal_writer(path, "got10k", TINY) as writer:
        for first in range(0, 600, 50):
            writer.add({name: pack(some(first), CLICK) for name in names[first : first + 50]})
    assert len(ProposalReader(path)) == 600
    assert path.stat().st_size / 600 < 1000


# ---------------------------------------------------------------------------------------------------- keying
def test_a_whole_number_and_the_same_one_with_a_point_are_one_setting() -> None:
    whole = ProposalSettings(edge_radius=30, max_aspect=3, side_range=(1, 2))
    assert whole.digest() == ProposalSettings(edge_radius=30.0, max_aspect=3.0, side_range=(1.0, 2.0)).digest()


def test_every_setting_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text(DEFAULT_TABLE.read_text() + " ")
    (tmp_path / "model.yml").write_text("any content")
    others = {
        "random_count": 201,
        "side_range": (0.05, 0.7),
        "max_aspect": 2.0,
        "edge_count": 51,
        "edge_radius": 29.0,
        "edge_overlap": 0.4,
        "edge_model": tmp_path / "model.yml",
        "saliency": False,
        "contrast": False,
        "edges": False,
        "nms_threshold": 0.6,
        "keep": 17,
        "frame_side": 500,
        "likelihoods": tmp_path / "table.json",
        "seed": 1,
    }
    assert set(others) == {field.name for field in dataclasses.fields(ProposalSettings)}
    digests = [dataclasses.replace(TINY, **{name: value}).digest() for name, value in others.items()]
    assert len({TINY.digest(), *digests}) == len(others) + 1


def test_the_digest_depends_on_the_content_of_a_file_and_not_on_its_name(tmp_path: Path) -> None:
    for name in ("one.json", "same.json"):
        (tmp_path / name).write_bytes(DEFAULT_TABLE.read_bytes())
    one, same_content = (dataclasses.replace(TINY, likelihoods=tmp_path / name) for name in ("one.json", "same.json"))
    assert one.digest() == same_content.digest() == TINY.digest()
    (tmp_path / "same.json").write_bytes(DEFAULT_TABLE.read_bytes() + b" ")
    assert one.digest() != same_content.digest()


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [("keep", 8, "keep 16, not 8"), ("edge_radius", 9.0, "edge_radius 30.0, not 9.0"), ("edges", False, "edges True")],
)
def test_a_store_made_with_other_settings_is_refused_by_name(
    tmp_path: Path, field: str, value: object, message: str
) -> None:
    path = store_path(tmp_path, "synthetic", TINY)
    proposal_writer(path, "synthetic", TINY).close()
    with pytest.raises(StoreError) as caught:
        open_reader(tmp_path, "synthetic", dataclasses.replace(TINY, **{field: value}))
    assert path.name in str(caught.value) and message in str(caught.value)
    assert "random_count" not in str(caught.value), "what is the same is not named"


def test_a_table_that_was_fitted_anew_makes_the_store_another_one(tmp_path: Path) -> None:
    table = tmp_path / "table.json"
    table.write_text(DEFAULT_TABLE.read_text())
    fitted = dataclasses.replace(TINY, likelihoods=table)
    proposal_writer(store_path(tmp_path, "synthetic", fitted), "synthetic", fitted).close()
    assert open_reader(tmp_path, "synthetic", fitted) is not None
    table.write_text(DEFAULT_TABLE.read_text() + " ")
    with pytest.raises(StoreError, match="with other files"):
        open_reader(tmp_path, "synthetic", fitted)


def test_where_there_is_no_store_there_is_no_reader(tmp_path: Path) -> None:
    proposal_writer(store_path(tmp_path, "other", TINY), "other", TINY).close()
    assert open_reader(tmp_path, "synthetic", TINY) is None
    assert open_reader(tmp_path / "nowhere", "synthetic", TINY) is None


def test_another_click_at_the_same_frame_is_refused(tmp_path: Path) -> None:
    built(tmp_path, videos())
    reader = open_reader(tmp_path, "synthetic", TINY)
    assert reader is not None and reader.get("synthetic_7_00000/none", CLICK) is None
    with pytest.raises(StoreError, match=r"frame synthetic_7_00001/00000003: .* made for a click at"):
        videos(store=reader, noise_px=5.0).get_frames(1, [2])


@pytest.mark.parametrize("content", [b"", b"no database" * 999])
def test_a_file_that_is_no_store_is_named(tmp_path: Path, content: bytes) -> None:
    path = store_path(tmp_path, "synthetic", TINY)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=path.name):
        open_reader(tmp_path, "synthetic", TINY)


# --------------------------------------------------------------------------------------------------- killing
def test_a_store_whose_writer_was_killed_at_its_first_word_is_empty_and_can_be_filled(tmp_path: Path) -> None:
    store_path(tmp_path, "synthetic", TINY).touch()
    assert built(tmp_path, videos()).made == 6


def _write_for_ever(path: Path, first: int) -> None:
    with proposal_writer(path, "synthetic", TINY) as writer:
        for batch in count(first):
            writer.add({f"video/{10 * batch + i:08d}": pack(some(batch), CLICK) for i in range(10)})


def test_a_writer_killed_at_any_moment_leaves_whole_batches(tmp_path: Path) -> None:
    path = store_path(tmp_path, "synthetic", TINY)
    proposal_writer(path, "synthetic", TINY).close()
    before = 0
    for _ in range(4):
        process = FORK.Process(target=_write_for_ever, args=(path, before // 10), daemon=True)
        process.start()
        reader = ProposalReader(path)  # a reader beside the writer
        while reader.get(f"video/{before + 29:08d}", CLICK) is None:
            assert process.is_alive()
            time.sleep(0.001)
        process.kill()
        process.join()
        assert process.exitcode == -signal.SIGKILL
        del reader
        found = records(tmp_path)
        assert len(found) >= before + 30 and len(found) % 10 == 0
        assert found == {f"video/{i:08d}".encode(): pack(some(i // 10), CLICK) for i in range(len(found))}
        before = len(found)


def test_a_full_disk_leaves_what_was_stored_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = store_path(tmp_path, "synthetic", TINY)
    with proposal_writer(path, "synthetic", TINY) as writer:
        writer.add({f"a/{i}": pack(some(i), CLICK) for i in range(50)})
        writer._open().execute("PRAGMA max_page_count = 12")
        with pytest.raises(StoreError, match="disk is full; what was stored before is safe"):
            writer.add({f"b/{i}": pack(some(i), CLICK) for i in range(999)})
    assert set(records(tmp_path)) == {f"a/{i}".encode() for i in range(50)}


# ------------------------------------------------------------------------------------------ loaders, training
def test_a_reader_can_be_pickled(tmp_path: Path) -> None:
    built(tmp_path, videos())
    reader = open_reader(tmp_path, "synthetic", TINY)
    expected = videos().propose_frame(0, 0)
    content = pickle.dumps(reader)
    del reader
    found = pickle.loads(content).get("synthetic_7_00000/00000001", expected[1])
    assert found is not None and same(found, expected[0])


# A spawned process imports everything anew, which takes longer than all else here; so it is one only.
@pytest.mark.parametrize(("method", "workers"), [("fork", 2), ("spawn", 1)])
@pytest.mark.long
def test_workers_of_a_loader_read_the_store(tmp_path: Path, method: str, workers: int) -> None:
    # Other proposals than would be computed, so that it shows where they came from.
    dataset = videos()
    names = [dataset.frame_name(video, frame) for video in range(2) for frame in range(3)]
    points = [dataset.dataset.get_frames(video, [frame])[1]["point"][0] for video in range(2) for frame in range(3)]
    path = store_path(tmp_path, "synthetic", TINY)
    with proposal_writer(path, "synthetic", TINY) as writer:
        writer.add({name: pack(some(i), tuple(points[i].tolist())) for i, name in enumerate(names)})
    dataset.store = open_reader(tmp_path, "synthetic", TINY)
    assert same(dataset.get_frames(0, [0])[1]["proposals"][0], some(0)), "read here before the workers start"
    sampler = TrackingSampler([dataset], samples_per_epoch=8, max_gap=2, frame_sample_mode="interval")
    loader = DataLoader(sampler, batch_size=None, num_workers=workers, multiprocessing_context=method, timeout=120)
    seen = 0
    for sample in loader:
        for part in ("train", "test"):
            assert same(sample[f"{part}_proposals"][0], some(names.index(sample[f"{part}_frame_names"][0])))
            seen += 1
    assert seen == 16
    assert same(dataset.get_frames(1, [2])[1]["proposals"][0], some(5)), "and here after they ended"


def batches(store: ProposalReader | None) -> list[dict[str, torch.Tensor]]:
    processing = SoftContrastiveProcessing(
        TopMapCropSettings(size=96),
        FeatureGrid(10, 8, 8),
        PairAugmentation(ColorJitter(0.2), Compose(HorizontalFlip(), ColorJitter(0.2)), apart=0.5),
    )
    sampler = TrackingSampler([videos(store)], None, 8, 2, processing=processing, frame_sample_mode="interval", seed=3)
    return [
        {key: value for key, value in batch.items() if isinstance(value, torch.Tensor)}
        for batch in LTRLoader("train", sampler, batch_size=4)
    ]


def test_training_sees_the_same_with_a_store_without_one_and_with_a_part_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, part = tmp_path / "whole", tmp_path / "part"
    built(whole, videos())
    path = store_path(part, "synthetic", TINY)
    with proposal_writer(path, "synthetic", TINY) as writer:
        writer.add({key.decode(): content for key, content in list(records(whole).items())[::2]})
    computed: list[object] = []

    def counted(*arguments: object) -> Proposals:
        computed.append(arguments[1])
        return propose_target(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(annotated, "propose_target", counted)
    numbers, results = [], []
    for folder in (tmp_path / "none", whole, part):
        computed.clear()
        results.append(batches(open_reader(folder, "synthetic", TINY)))
        numbers.append(len(computed))
    assert numbers[0] == 16 and numbers[1] == 0 and 0 < numbers[2] < 16
    for result in results[1:]:
        for batch, expected in zip(result, results[0], strict=True):
            assert {"train_images", "train_top", "test_top", "test_point"} <= batch.keys() == expected.keys()
            assert all(torch.equal(batch[key], expected[key]) for key in batch)


def test_what_a_part_of_a_store_lacks_is_computed_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(tmp_path, videos())
    dataset = videos(open_reader(tmp_path, "synthetic", TINY))
    assert dataset.store is not None
    lacking = dataset.frame_name(1, 2)
    monkeypatch.setattr(ProposalReader, "__contains__", lambda self, frame: frame != lacking)
    dataset.prepare(jobs=1, progress=False)
    assert list(dataset._prepared) == [(1, 2)]
    assert same(dataset._prepared[1, 2], dataset.get_frames(1, [2])[1]["proposals"][0])
