"""TOP maps: proposals around the click, their cues, and the map that is rendered from those kept."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ltr.dataset.synthetic import SyntheticVideo
from pytracking.metrics.boxes import iou
from socl_plugins.clicks import PointAnnotated
from socl_plugins.top_map import ObjectnessAnnotated, Proposals, ProposalSettings, propose_target
from socl_plugins.top_map.cues import WindowSums, color_contrast, edge_density, saliency_map, window_cues
from socl_plugins.top_map.edges import find_edges
from socl_plugins.top_map.map import clip_thresholds, render, render_maps, score_map
from socl_plugins.top_map.objectness import fit_likelihoods, load_likelihoods
from socl_plugins.top_map.proposals import non_maximum_suppression, random_proposals

FEW = ProposalSettings(random_count=400, keep=16)


def disk_image(center: tuple[int, int] = (80, 60), radius: int = 18) -> np.ndarray:
    """A red disk on a noisy green ground, 160 x 120."""
    image = np.random.default_rng(0).integers(0, 40, (120, 160, 3)).astype(np.uint8)
    image[..., 1] += 120
    cv2.circle(image, center, radius, (220, 40, 30), -1)
    return image


def random_kept(seed: int, count: int = 12, size: float = 96) -> Proposals:
    rng = np.random.default_rng(seed)
    side = rng.uniform(8, size / 2, (count, 2))
    return Proposals(np.hstack([rng.uniform(0, size - side), side]).astype(np.float32), rng.random(count, np.float32))


# ------------------------------------------------------------------------------------------------- proposals
def test_random_proposals_are_centred_on_the_click_and_clipped_to_the_frame() -> None:
    boxes = random_proposals((70.0, 50.0), (120, 160), 2000, np.random.default_rng(0))
    assert (boxes[:, :2] >= 0).all() and (boxes[:, :2] + boxes[:, 2:] <= [160, 120]).all()
    whole = (boxes[:, :2] > 0).all(axis=1) & (boxes[:, :2] + boxes[:, 2:] < [160, 120]).all(axis=1)
    np.testing.assert_allclose((boxes[:, :2] + boxes[:, 2:] / 2)[whole], np.tile([70.0, 50.0], (whole.sum(), 1)))
    aspect = boxes[whole, 2] / boxes[whole, 3]
    assert aspect.min() < 0.4 and aspect.max() > 2.5


def test_no_two_kept_boxes_overlap_more_than_the_threshold_and_the_best_is_kept() -> None:
    rng = np.random.default_rng(1)
    boxes = random_proposals((80, 60), (120, 160), 500, rng)
    scores = rng.random(len(boxes))
    kept = non_maximum_suppression(boxes, scores, 0.7, keep=20)
    assert kept[0] == scores.argmax() and (np.diff(scores[kept]) <= 0).all()
    for position, index in enumerate(kept):
        assert (iou(boxes[index], boxes[kept[:position]]) <= 0.7).all()


def test_the_same_seed_gives_the_same_proposals() -> None:
    one, same, other = (propose_target(disk_image(), (80, 60), FEW, seed) for seed in (1, 1, 2))
    assert np.array_equal(one.boxes, same.boxes) and np.array_equal(one.scores, same.scores)
    assert not np.array_equal(one.boxes, other.boxes)


def test_a_clear_target_is_found_from_a_click_alone() -> None:
    found = propose_target(disk_image(), (80, 60))
    target = np.array([62, 42, 36, 36])
    assert len(found) <= 64 and iou(target, found.boxes).max() > 0.7
    assert (found.scores >= 0).all() and (found.scores <= 1).all()


@pytest.mark.parametrize("point", [(0.0, 0.0), (160.0, 120.0), (0.5, 60.0)])
def test_a_click_at_the_border_gives_a_proper_map(point: tuple[float, float]) -> None:
    found = propose_target(disk_image(), point, FEW)
    assert len(found) > 0 and render(found, (15, 20), 8).sum() == pytest.approx(1)


@pytest.mark.parametrize("point", [(-1.0, 5.0), (161.0, 5.0), (5.0, 121.0), (float("nan"), 5.0)])
def test_a_click_outside_the_image_is_refused(point: tuple[float, float]) -> None:
    with pytest.raises(ValueError, match="outside the image of 160 x 120"):
        propose_target(disk_image(), point, FEW)


def test_an_image_of_another_type_is_refused() -> None:
    with pytest.raises(ValueError, match="uint8 RGB"):
        propose_target(disk_image().astype(np.float32), (80, 60), FEW)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_an_image_without_any_structure_gives_finite_proposals(value: int) -> None:
    found = propose_target(np.full((120, 160, 3), value, np.uint8), (80, 60), FEW)
    assert np.isfinite(found.scores).all() and render(found, (15, 20), 8).sum() == pytest.approx(1)


# ------------------------------------------------------------------------------------------------------ cues
@settings(max_examples=30, deadline=None)
@given(x=st.floats(-5, 30), y=st.floats(-5, 20), w=st.floats(0, 30), h=st.floats(0, 20), seed=st.integers(0, 99))
def test_window_sums_are_exact_at_fractions_of_a_pixel(x: float, y: float, w: float, h: float, seed: int) -> None:
    image = np.random.default_rng(seed).random((17, 23))
    cover_x = [max(min(x + w, i + 1) - max(x, i), 0) for i in range(23)]
    cover_y = [max(min(y + h, i + 1) - max(y, i), 0) for i in range(17)]
    expected = np.array(cover_y) @ image @ np.array(cover_x)
    sums = WindowSums(np.array([[x, y, w, h]]), (17, 23))
    assert sums(image, 2 * image) == pytest.approx(np.array([[expected], [2 * expected]]), abs=1e-9)
    fine = np.repeat(np.repeat(image, 3, axis=0), 2, axis=1)  # the same boxes in an image of more pixels
    assert sums(fine)[0, 0] == pytest.approx(6 * expected, abs=1e-8)


def test_saliency_lies_between_0_and_1_and_peaks_on_what_is_rare() -> None:
    saliency = saliency_map(disk_image(center=(120, 30)), 32)
    assert saliency.min() == 0 and saliency.max() == 1
    row, column = np.unravel_index(saliency.argmax(), saliency.shape)
    assert abs(column * 5 - 120) < 30 and abs(row * 3.75 - 30) < 30


def test_colour_contrast_is_highest_where_the_window_fits() -> None:
    fitting, inner, larger = np.array([[62, 42, 36, 36], [72, 52, 16, 16], [30, 10, 100, 100]], np.float64)
    contrast = color_contrast(disk_image(), np.array([fitting, inner, larger]))
    assert ((contrast >= 0) & (contrast <= 1)).all()
    assert contrast[0] > contrast[1] and contrast[0] > contrast[2]


def test_edge_density_is_higher_for_a_window_that_fits_than_inside_the_target() -> None:
    image = np.full((120, 160, 3), 90, np.uint8)
    image[40:80, 60:100] = 200
    fitting, inside = edge_density(find_edges(image), np.array([[59, 39, 42, 42], [70, 50, 20, 20]], np.float64))
    assert fitting > 0 and inside == 0


def test_cues_follow_a_mirrored_image() -> None:
    image = disk_image(center=(64, 56))
    boxes = np.array([[40, 32, 48, 48], [20, 20, 80, 60]], np.float64)
    mirrored = boxes.copy()
    mirrored[:, 0] = 160 - boxes[:, 0] - boxes[:, 2]
    flipped = np.ascontiguousarray(image[:, ::-1])
    one = window_cues(image, find_edges(image), boxes)
    other = window_cues(flipped, find_edges(flipped), mirrored)
    np.testing.assert_allclose(one.saliency, other.saliency, rtol=0.01)  # resized to 8 bit: half a grey level
    np.testing.assert_allclose(one.contrast, other.contrast, atol=1e-6)
    np.testing.assert_allclose(one.edges, other.edges, rtol=0.05)  # Canny breaks ties between pixels by direction


# ------------------------------------------------------------------------------------------------ objectness
def test_fitted_likelihoods_prefer_windows_on_objects(tmp_path: Path) -> None:
    samples = []
    for seed in range(6):
        image = disk_image(center=(60 + 8 * seed, 60))
        boxes = random_proposals((60 + 8 * seed, 60), (120, 160), 400, np.random.default_rng(seed))
        samples.append((window_cues(image, find_edges(image), boxes), boxes, np.array([42.0 + 8 * seed, 42, 36, 36])))
    table = fit_likelihoods(samples[:5], "disks")
    cues, boxes, target = samples[5]
    scores, positive = table.objectness(cues), iou(target, boxes) >= 0.5
    assert scores[positive].mean() > 2 * scores[~positive].mean()
    table.save(tmp_path / "table.json")
    np.testing.assert_allclose(load_likelihoods(tmp_path / "table.json").objectness(cues), scores)


def test_the_shipped_table_says_how_it_was_made() -> None:
    assert "fitted on" in load_likelihoods().source


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"edges": [[1]], "log_ratio": [[1, 2]], "source": "x"})])
def test_a_file_that_is_no_table_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "table.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"table\.json"):
        load_likelihoods(path)


# -------------------------------------------------------------------------------------------------- rendering
@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), height=st.integers(1, 30), width=st.integers(1, 30), cell=st.floats(1, 16))
def test_a_top_map_sums_to_one(seed: int, height: int, width: int, cell: float) -> None:
    top = render(random_kept(seed), (height, width), cell)
    assert top.shape == (height, width) and (top >= 0).all() and top.sum() == pytest.approx(1, abs=1e-5)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999))
def test_a_flipped_image_gives_the_flipped_map(seed: int) -> None:
    kept = random_kept(seed)
    flipped = kept.boxes.copy()
    flipped[:, 0] = 96 - kept.boxes[:, 0] - kept.boxes[:, 2]
    one, other = render(kept, (12, 12), 8), render(Proposals(flipped, kept.scores), (12, 12), 8)
    np.testing.assert_allclose(one[:, ::-1], other, rtol=1e-3, atol=1e-7)


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 999), row=st.integers(0, 6), column=st.integers(0, 6))
def test_the_map_of_a_crop_is_the_crop_of_the_map(seed: int, row: int, column: int) -> None:
    kept = random_kept(seed)
    inside = Proposals(kept.boxes - np.array([8 * column, 8 * row, 0, 0], np.float32), kept.scores)
    whole = render(kept, (12, 12), 8)[row : row + 5, column : column + 5]
    np.testing.assert_allclose(render(inside, (5, 5), 8), whole / whole.sum(), rtol=1e-3, atol=1e-7)


def test_a_coarse_score_map_is_the_cell_mean_of_a_fine_one() -> None:
    kept = random_kept(4)
    fine = score_map(kept, (96, 96), 1)
    np.testing.assert_allclose(score_map(kept, (12, 12), 8), fine.reshape(12, 8, 12, 8).mean(axis=(1, 3)), atol=1e-9)


def test_clipping_makes_the_top_of_the_map_flat() -> None:
    # One large box and one small one in it: without the clip the small one would take nearly all of the map.
    kept = Proposals(np.array([[24, 24, 48, 48], [44, 44, 8, 8]], np.float32), np.array([1, 1], np.float32))
    all_of_it, top = (clip_thresholds(kept.boxes.T.astype(float), kept.scores, eta) for eta in (1.0, 0.01))
    assert all_of_it < top <= 2
    peaked, flat = render(kept, (12, 12), 8, eta=1e-4), render(kept, (12, 12), 8, eta=0.2)
    assert flat.max() < peaked.max()


# ------------------------------------------------------------------------------------------------- annotated
@pytest.mark.long
def test_prepared_proposals_are_those_computed_on_demand() -> None:
    clicks = PointAnnotated(SyntheticVideo(2, num_frames=3, seed=7))
    on_demand, prepared = ObjectnessAnnotated(clicks, FEW), ObjectnessAnnotated(clicks, FEW)
    prepared.prepare(jobs=2, progress=False)
    for video in range(2):
        one, other = (dataset.get_frames(video, [2, 0])[1]["proposals"] for dataset in (on_demand, prepared))
        for expected, stored in zip(one, other):
            assert np.array_equal(expected.boxes, stored.boxes) and np.array_equal(expected.scores, stored.scores)


def test_most_of_the_map_lies_on_real_targets(shared_data: Path) -> None:
    from ltr.dataset.got10k import Got10k

    # The shipped table was fitted on other videos, those of val.
    videos = Got10k(shared_data / "real_got10k", "train")
    clicks = ObjectnessAnnotated(PointAnnotated(videos))
    mass, recall = [], []
    for video in range(0, len(videos), 4):
        kept = clicks.get_frames(video, [0])[1]["proposals"][0]
        truth = videos.get_sequence_info(video)["bbox"][0].numpy()
        recall.append(iou(truth, kept.boxes).max() >= 0.5)
        corner = truth[:2] + truth[2:] / 2 - 2 * np.sqrt(truth[2] * truth[3])
        cell = 4 * np.sqrt(truth[2] * truth[3]) / 24
        shift = np.array([*corner, 0, 0], np.float32)
        top = render(Proposals(kept.boxes - shift, kept.scores), (24, 24), cell)
        inside = score_map(Proposals((truth - shift)[None], np.ones(1, np.float32)), (24, 24), cell)
        mass.append((top * inside).sum())
    assert np.mean(recall) >= 0.95
    assert np.mean(mass) > 0.5, "a sixteenth of the region holds most of the map"


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 9999), numbers=st.lists(st.integers(1, 12), min_size=1, max_size=4))
def test_maps_of_several_images_are_those_of_each_alone(seed: int, numbers: list[int]) -> None:
    kept = [random_kept(seed + number, count) for number, count in enumerate(numbers)]
    maps = render_maps(kept, (9, 13), 8)
    for alone, found in zip(kept, maps, strict=True):
        np.testing.assert_allclose(found, render(alone, (9, 13), 8), rtol=1e-5, atol=1e-9)
