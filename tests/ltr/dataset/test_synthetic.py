from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import pytest
import torch

from ltr.data.sampler import TrackingSampler
from ltr.dataset.synthetic import SyntheticVideo
from ltr.dataset.synthetic.render import render, target_boxes
from ltr.dataset.synthetic.scene import Scene, Wave, draw_scene
from ltr.dataset.synthetic.textures import FAMILIES, draw_palette, draw_texture

STILL = Wave(np.zeros((1, 3)))
SIZE = (240, 320)


def scene_of(number: int, difficulty: float = 1.0, size: tuple[int, int] = SIZE) -> Scene:
    return draw_scene(np.random.default_rng(number), size, difficulty)


def target_alone(scene: Scene, time: int) -> np.ndarray:
    """How much of each pixel the target covers, (H, W) from 0 to 1: where a change of background does not show."""
    bare = replace(
        scene, distractors=(), bar=None, gain=STILL, tint=STILL, offset=STILL, focus=STILL, exposure=0.0, noise=0.0
    )
    black, white = (
        render(replace(bare, background=np.full_like(scene.background, level)), time, np.random.default_rng(0))
        for level in (0, 255)
    )
    return 1 - (white[..., 0].astype(float) - black[..., 0]) / 255


def test_a_frame_depends_on_seed_video_and_time_alone():
    one = SyntheticVideo(3, 20, seed=5)
    other = SyntheticVideo(40, 60, seed=5)
    forward = [one.load_frame(seq_id, frame_id) for seq_id in range(3) for frame_id in (0, 7, 19)]
    backward = [other.load_frame(seq_id, frame_id) for seq_id in (2, 1, 0) for frame_id in (19, 7, 0)][::-1]
    assert all(np.array_equal(a, b) for a, b in zip(forward, backward))
    assert torch.equal(one.get_sequence_info(2)["bbox"], other.get_sequence_info(2)["bbox"][:20])


def test_a_frame_is_the_same_after_the_scene_was_forgotten_and_drawn_again():
    dataset = SyntheticVideo(60, 3, (64, 64))
    before = dataset.load_frame(0, 1)
    for seq_id in range(60):
        dataset.load_frame(seq_id, 0)
    assert 0 not in dataset._scenes and np.array_equal(dataset.load_frame(0, 1), before)


def test_other_seeds_videos_and_times_give_other_frames():
    dataset = SyntheticVideo(3, 20, (64, 64), seed=0)
    frames = [dataset.load_frame(seq_id, frame_id) for seq_id in range(3) for frame_id in (0, 1, 19)]
    frames += [SyntheticVideo(1, 20, (64, 64), seed=seed).load_frame(0, 0) for seed in (1, 2, 2**40)]
    frames += [SyntheticVideo(1, 20, (64, 64), seed=0, difficulty=0.1).load_frame(0, 0)]
    assert len({frame.tobytes() for frame in frames}) == len(frames)


@pytest.mark.parametrize("number", range(12))
def test_the_box_is_tight_around_the_target(number):
    scene = scene_of(number)
    boxes, _ = target_boxes(scene, 40)
    for frame_id in (0, 13, 39):
        covered = target_alone(scene, frame_id) > 0.5
        rows, columns = np.flatnonzero(covered.any(axis=1)), np.flatnonzero(covered.any(axis=0))
        seen = np.array([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1])
        box = boxes[frame_id]
        assert np.abs(np.concatenate([box[:2], box[:2] + box[2:]]) - seen).max() <= 1.5


def test_the_box_does_not_depend_on_what_hides_the_target():
    scene = next(scene for scene in map(scene_of, range(20)) if scene.bar is not None)
    assert np.array_equal(target_boxes(scene, 60)[0], target_boxes(replace(scene, bar=None), 60)[0])


def test_boxes_stay_inside_the_frame_and_have_a_size():
    for seed in range(3):
        dataset = SyntheticVideo(8, 60, seed=seed, difficulty=1.0)
        for seq_id in range(8):
            info = dataset.get_sequence_info(seq_id)
            x, y, w, h = info["bbox"][info["visible"]].T
            assert (x >= 0).all() and (y >= 0).all() and (x + w <= 320).all() and (y + h <= 240).all()
            assert (w > 8).all() and (h > 8).all() and info["visible"].float().mean() > 0.6


def test_the_share_seen_is_the_share_not_behind_the_bar():
    scenes = [scene for scene in map(scene_of, range(40)) if scene.bar is not None][:6]
    lowest = 1.0
    for scene in scenes:
        boxes, seen = target_boxes(scene, 70)
        for frame_id in (int(seen.argmin()), 30, 60):
            alone = target_alone(scene, frame_id)
            corners = scene.bar.outline(frame_id)
            direction, half = scene.bar.direction, scene.bar.width / 2
            rows, columns = np.mgrid[: SIZE[0], : SIZE[1]] + 0.5
            across = (np.stack([columns, rows], axis=-1) - corners.mean(axis=0)) @ direction
            whole = alone.sum()
            inside = boxes[frame_id, 0] > 0 and boxes[frame_id, 1] > 0
            if inside and (boxes[frame_id, :2] + boxes[frame_id, 2:] < (SIZE[1], SIZE[0])).all():
                assert abs(seen[frame_id] - alone[np.abs(across) > half].sum() / whole) < 0.06
        lowest = min(lowest, float(seen.min()))
    assert lowest < 0.5, "some bar hides most of a target"


def test_a_target_that_is_mostly_hidden_is_not_visible_but_keeps_its_box():
    dataset = SyntheticVideo(30, 60, (120, 160), difficulty=1.0)
    infos = [dataset.get_sequence_info(seq_id) for seq_id in range(30)]
    hidden = torch.cat([~info["visible"] for info in infos])
    assert 0.005 < hidden.float().mean() < 0.2
    assert torch.cat([info["valid"] for info in infos])[hidden].any()
    assert all(torch.equal(info["visible"], info["valid"] & info["in_view"]) for info in infos)


@pytest.mark.parametrize("difficulty", [0.0, 0.5, 1.0])
def test_every_target_is_visible_in_the_first_frame(difficulty):
    dataset = SyntheticVideo(60, 1, (120, 160), seed=1, difficulty=difficulty)
    assert all(dataset.get_sequence_info(seq_id)["visible"][0] for seq_id in range(60))


def measured(difficulty: float) -> tuple[float, float, float, float]:
    """Mean speed (pixels a frame), fastest step, spread of log area and mean number of distractors over 40 videos."""
    scenes = [scene_of(number, difficulty) for number in range(40)]
    boxes = np.stack([target_boxes(scene, 40)[0] for scene in scenes])
    steps = np.linalg.norm(np.diff(boxes[..., :2] + boxes[..., 2:] / 2, axis=1), axis=-1)
    spread = np.log(boxes[..., 2:].prod(axis=-1)).std(axis=1).mean()
    return steps.mean(), steps.max(), spread, np.mean([len(scene.distractors) for scene in scenes])


def test_difficulty_makes_targets_faster_less_rigid_and_less_alone():
    easy, middle, hard = (measured(difficulty) for difficulty in (0.0, 0.5, 1.0))
    for index in (0, 2, 3):
        assert easy[index] < middle[index] < hard[index]
    assert hard[1] < 0.13 * 277, "even a jerk stays within what a search region shows"
    assert easy[3] == 0 and 2 <= hard[3] <= 5


def test_distractors_are_of_the_targets_own_texture_family_but_not_the_same():
    scene = scene_of(3)
    assert all(body.texture.shape == scene.target.texture.shape for body in scene.distractors)
    assert all(not np.array_equal(body.texture, scene.target.texture) for body in scene.distractors)
    near = [
        np.linalg.norm(body.path(0.0) - scene.target.path(0.0)) for s in range(30) for body in scene_of(s).distractors
    ]
    assert len(near) > 60 and np.median(near) < 320, "they are where the target is"


def test_classes_are_the_texture_families_and_all_of_them_come():
    dataset = SyntheticVideo(80, 1, (32, 32))
    assert dataset.get_class_list() == sorted(FAMILIES) and dataset.has_class_info()
    assert {dataset.get_class_name(seq_id) for seq_id in range(80)} == set(FAMILIES)
    assert dataset.is_synthetic_video_dataset() and dataset.get_name() == "synthetic"


@pytest.mark.parametrize("family", FAMILIES)
def test_textures_of_a_family_have_contrast_and_differ(family):
    rng = np.random.default_rng(0)
    palette = draw_palette(rng)
    one, other = (draw_texture(rng, family, palette, 96) for _ in range(2))
    assert one.shape == (96, 96, 3) and one.dtype == np.uint8
    assert one.std(axis=(0, 1)).max() > 10 and np.abs(one.astype(int) - other).mean() > 5


@pytest.mark.parametrize("size", [(32, 32), (33, 97), (240, 320), (480, 640), (700, 40)])
def test_frames_of_any_size_are_rgb_arrays(size):
    dataset = SyntheticVideo(2, 5, size, difficulty=1.0)
    frames, anno, _ = dataset.get_frames(1, [0, 4])
    assert all(frame.shape == (*size, 3) and frame.dtype == np.uint8 for frame in frames)
    assert all(frame.std() > 3 for frame in frames)
    assert len(anno["bbox"]) == 2 and anno["bbox"][0].dtype == torch.float32


def test_names_tell_seeds_apart():
    assert SyntheticVideo(9, seed=1).frame_name(3, 0) != SyntheticVideo(9, seed=2).frame_name(3, 0)


def test_pairs_are_drawn_from_it():
    data = TrackingSampler([SyntheticVideo(5, 12, (64, 64))], None, 5, 10, frame_sample_mode="interval")[3]
    assert data.train_visible[0] and data.test_visible[0] and data.train_anno[0].shape == (4,)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_sequences": 0}, "num_sequences is 0"),
        ({"num_frames": 0}, "num_frames 0"),
        ({"size": (20, 320)}, r"size is \(20, 320\)"),
        ({"difficulty": 1.5}, "difficulty is 1.5"),
        ({"difficulty": float("nan")}, "difficulty is nan"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_wrong_argument_is_an_error_that_names_it(arguments, message):
    with pytest.raises(ValueError, match=message):
        SyntheticVideo(**{"num_sequences": 3, **arguments})


def test_a_video_or_frame_that_is_not_there_is_an_error():
    dataset = SyntheticVideo(2, 3)
    with pytest.raises(IndexError, match="videos 0 to 1, but not 2"):
        dataset.get_sequence_info(2)
    with pytest.raises(IndexError, match="frames 0 to 2, but not 3"):
        dataset.load_frame(0, 3)


def test_a_frame_takes_milliseconds():
    dataset = SyntheticVideo(4, 20)
    dataset.load_frame(0, 0)
    started = time.process_time()
    for seq_id in range(4):
        for frame_id in range(0, 20, 2):
            dataset.load_frame(seq_id, frame_id)
    assert (time.process_time() - started) / 40 < 0.04, "some 5 ms on one core, with room for a slow machine"
