from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ltr.data.sampler import PATIENCE, TrackingSampler
from ltr.registry import SAMPLERS

videos = st.lists(st.lists(st.booleans(), min_size=1, max_size=12), min_size=1, max_size=4)


def fits(train: tuple[int, ...], test: tuple[int, ...], max_gap: int, mode: str) -> bool:
    """Returns whether the frames are a sample, by the definition in words."""
    if mode == "interval":
        return max(train + test) - min(train + test) <= max_gap
    if mode == "segment":  # some frame parts it into two halves
        middles = range(max(train) + 1, min(test) + 1)
        return any(min(train) >= middle - max_gap and max(test) < middle + max_gap for middle in middles)
    base = max(train)
    return all(0 <= base - t <= max_gap for t in train) and all(0 < t - base <= max_gap for t in test)


def some_sample_exists(visible: list[bool], num_train: int, num_test: int, max_gap: int, mode: str) -> bool:
    frames = [frame for frame, seen in enumerate(visible) if seen]
    return any(
        fits(train, test, max_gap, mode)
        for train in combinations(frames, num_train)
        for test in combinations([frame for frame in frames if frame not in train], num_test)
    )


# The fixture makes a new data set at each call, so examples may share it.
@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    videos, st.integers(1, 2), st.integers(1, 3), st.integers(0, 8), st.sampled_from(["causal", "interval", "segment"])
)
@pytest.mark.long
def test_a_sample_is_of_different_visible_frames_within_the_gap_or_there_is_none(
    make_clips, videos, num_train, num_test, gap, mode
):
    needed = {"causal": max(num_test, num_train - 1), "interval": num_train + num_test - 1}
    max_gap = gap + needed.get(mode, max(num_test, num_train))
    sampler = TrackingSampler(
        [make_clips(*videos)], None, 9, max_gap, num_test, num_train, frame_sample_mode=mode, seed=gap
    )
    possible = [some_sample_exists(visible, num_train, num_test, max_gap, mode) for visible in videos]
    if not any(possible):
        with pytest.raises(ValueError, match="no video of the data set 'clips'"):
            sampler[0]
        return
    for number in range(9):
        data = sampler[number]
        train, test = data.train_frame_ids, data.test_frame_ids
        assert (len(train), len(test)) == (num_train, num_test)
        assert len({*train, *test}) == num_train + num_test, "no frame twice"
        assert possible[data.seq_id]
        assert all(videos[data.seq_id][frame] for frame in train + test)
        assert train == sorted(train) and test == sorted(test)
        assert fits(tuple(train), tuple(test), max_gap, mode)


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(np.array_equal(one[key], other[key]) for key in one)


def test_sample_k_is_a_function_of_the_seed_and_k_alone(make_clips):
    def sampler(seed):
        return TrackingSampler([make_clips(20, 30), make_clips(25)], None, 10, 5, processing=add_draw, seed=seed)

    def add_draw(data, rng):
        data.draw = rng.random()
        return data

    one, other = sampler(3), sampler(3)
    forward = [one[number] for number in range(12)]
    backward = [other[number] for number in reversed(range(12))][::-1]
    assert all(same(a, b) for a, b in zip(forward, backward))
    assert len({data.draw for data in forward}) == 12
    assert not all(same(a, sampler(4)[number]) for number, a in enumerate(forward))


def test_any_sample_number_can_be_asked_for_and_the_length_is_an_epochs(make_clips):
    sampler = TrackingSampler([make_clips(9)], None, samples_per_epoch=7, max_gap=3)
    assert len(sampler) == 7
    assert sampler[10**9].seq_id == 0
    with pytest.raises(IndexError, match="-1 is negative"):
        sampler[-1]


def test_a_sample_holds_frames_and_all_that_is_known_of_them(make_clips):
    data = TrackingSampler([make_clips(20, 20, name="cats")], None, 5, 4, 2, 1)[0]
    assert data.dataset == "cats" and data.seq_id in (0, 1)
    assert [image[0, 0, 1] for image in data.test_images] == data.test_frame_ids
    assert data.train_images[0].shape == (8, 8, 3) and data.train_images[0].dtype == np.uint8
    assert [anno[0] for anno in data.test_anno] == data.test_frame_ids
    assert data.train_valid[0] and data.test_visible[1]
    assert data.train_frame_names == [f"{data.seq_id:06d}/{data.train_frame_ids[0] + 1:08d}"]
    assert "train_point" not in data and "train_bbox" not in data


def test_a_data_set_without_boxes_gives_points_and_no_boxes(make_clips):
    data = TrackingSampler([make_clips(20, point=True)], None, 5, 4)[0]
    assert data.train_point[0].tolist() == [data.train_frame_ids[0], data.train_frame_ids[0] + 0.5]
    assert "train_anno" not in data


def test_every_pair_within_the_gap_is_drawn_in_both_orders(make_clips):
    sampler = TrackingSampler([make_clips(4)], None, 5, 2, frame_sample_mode="interval")
    pairs = {(*sampler[k].train_frame_ids, *sampler[k].test_frame_ids) for k in range(300)}
    assert pairs == {(a, b) for a in range(4) for b in range(4) if 0 < abs(a - b) <= 2}
    sampler = TrackingSampler([make_clips(4)], None, 5, 2)
    pairs = {(*sampler[k].train_frame_ids, *sampler[k].test_frame_ids) for k in range(300)}
    assert pairs == {(a, b) for a in range(4) for b in range(4) if 0 < b - a <= 2}


def test_data_sets_are_drawn_in_proportion_to_their_weights(make_clips):
    sets = [make_clips(5, name="one"), make_clips(5, name="two"), make_clips(5, name="never")]
    sampler = TrackingSampler(sets, [3, 1, 0], 5, 3)
    drawn = [sampler[k].dataset for k in range(2000)]
    assert abs(drawn.count("one") / 2000 - 0.75) < 0.04 and "never" not in drawn


def test_without_weights_every_video_counts_the_same(make_clips):
    sampler = TrackingSampler([make_clips(5, name="one"), make_clips(5, 5, 5, name="three")], None, 5, 3)
    assert abs(np.mean([sampler[k].dataset == "three" for k in range(2000)]) - 0.75) < 0.04


def test_short_videos_are_skipped_and_never_hang_the_sampler(make_clips):
    clips = make_clips(*[1] * 2000, 6)
    sampler = TrackingSampler([clips], None, 5, 3)
    assert all(sampler[k].seq_id == 2000 for k in range(20))
    assert clips.infos_read < 2001 + 20 * (PATIENCE + 2), "all videos are looked through once"


def test_good_videos_are_found_without_looking_through_all(make_clips):
    clips = make_clips(*[10] * 5000)
    sampler = TrackingSampler([clips], None, 5, 3)
    for k in range(10):
        sampler[k]
    assert clips.infos_read == 20


@pytest.mark.parametrize("video", [1, [False] * 9, [True] + [False] * 8, [True] + [False] * 5 + [True]])
def test_videos_without_two_near_visible_frames_are_an_error_that_says_so(make_clips, video):
    sampler = TrackingSampler([make_clips(video, video, name="tiny")], None, 5, 3)
    with pytest.raises(ValueError, match=r"'tiny' \(2 videos.*1 train and 1 test.*max_gap = 3.*longer videos"):
        sampler[0]


def test_a_still_image_stands_for_all_frames(make_clips):
    data = TrackingSampler([make_clips(1, 1, still=True)], None, 5, 3, 2, 1)[0]
    assert data.train_frame_ids == [0] and data.test_frame_ids == [0, 0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"p_datasets": [1, 2]}, "one weight >= 0 for each of 1"),
        ({"p_datasets": [-1]}, "p_datasets is"),
        ({"p_datasets": [0]}, "p_datasets is"),
        ({"p_datasets": [float("nan")]}, "p_datasets is"),
        ({"samples_per_epoch": 0}, "samples_per_epoch is 0"),
        ({"max_gap": 0}, "max_gap is 0.*at least 1"),
        ({"max_gap": 2, "num_test_frames": 3}, "max_gap is 2.*at least 3"),
        ({"max_gap": 3, "num_test_frames": 3, "num_train_frames": 2, "frame_sample_mode": "interval"}, "at least 4"),
        ({"num_test_frames": 0}, "num_test_frames 0"),
        ({"frame_sample_mode": "random"}, "frame_sample_mode is 'random'"),
        ({"seed": -1}, "seed is -1"),
    ],
)
def test_a_wrong_argument_is_an_error_that_names_it(make_clips, arguments, message):
    with pytest.raises(ValueError, match=message):
        TrackingSampler([make_clips(9)], **arguments)


def test_no_data_sets_are_an_error():
    with pytest.raises(ValueError, match="datasets is empty"):
        TrackingSampler([])


def test_it_is_registered():
    assert SAMPLERS["tracking"] is TrackingSampler
