"""Clicks: made from boxes or given, moved by noise, and never beside a box."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.dataset.base_video_dataset import BaseVideoDataset, SequenceInfo
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.synthetic import SyntheticVideo
from socl_plugins.clicks import PointAnnotated, write_points
from socl_plugins.clicks.points import PointError


class OneVideo(BaseVideoDataset):
    """A video of grey 60 x 40 frames with the annotation it is given."""

    def __init__(self, **info: list[list[float]]) -> None:
        super().__init__("one")
        self.info: SequenceInfo = {key: torch.tensor(value, dtype=torch.float32) for key, value in info.items()}
        frames = len(next(iter(self.info.values())))
        self.info |= {"valid": torch.ones(frames, dtype=torch.bool), "visible": torch.ones(frames, dtype=torch.bool)}

    def get_num_sequences(self) -> int:
        return 1

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        return self.info

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return np.full((40, 60, 3), 128, np.uint8)


def test_an_exact_click_is_the_centre_of_the_box() -> None:
    clicks = PointAnnotated(OneVideo(bbox=[[10, 20, 8, 4]]))
    assert clicks.get_sequence_info(0)["point"].tolist() == [[14.0, 22.0]]


def test_nothing_of_the_box_passes() -> None:
    clicks = PointAnnotated(SyntheticVideo(1, num_frames=3))
    assert set(clicks.get_sequence_info(0)) == {"point", "valid", "visible"}
    _, annotation, meta = clicks.get_frames(0, [0, 2])
    assert set(annotation) == {"point", "valid", "visible"}
    assert "bbox" not in meta


def test_a_noisy_click_is_off_by_just_that_many_pixels_in_any_direction() -> None:
    boxes = [[100.0, 100.0, 20.0, 20.0]] * 400
    clicks = PointAnnotated(OneVideo(bbox=boxes), noise_px=20, seed=3)
    shift = clicks.get_sequence_info(0)["point"] - 110
    torch.testing.assert_close(shift.norm(dim=1), torch.full((400,), 20.0), atol=1e-4, rtol=0)
    assert shift.mean(dim=0).norm() < 3, "directions are uniform, so the mean shift is near zero"
    again = PointAnnotated(OneVideo(bbox=boxes), noise_px=20, seed=3)
    other = PointAnnotated(OneVideo(bbox=boxes), noise_px=20, seed=4)
    assert torch.equal(shift, again.get_sequence_info(0)["point"] - 110)
    assert not torch.equal(shift, other.get_sequence_info(0)["point"] - 110)


def test_a_click_moved_out_of_the_frame_is_moved_back_to_its_border() -> None:
    clicks = PointAnnotated(OneVideo(bbox=[[55, 10, 30, 10]]))
    _, annotation, _ = clicks.get_frames(0, [0])
    assert annotation["point"][0].tolist() == [60.0, 15.0]


def test_a_given_click_outside_the_frame_is_an_error_that_says_where() -> None:
    clicks = PointAnnotated(OneVideo(point=[[10, 10], [61, 10]]))
    clicks.get_frames(0, [0])
    with pytest.raises(PointError, match=r"frame 2: the click \(61, 10\) lies outside the frame of 60 x 40"):
        clicks.get_frames(0, [1])


def test_given_clicks_are_shown_and_missing_ones_are_not_valid() -> None:
    info = PointAnnotated(OneVideo(point=[[10, 10], [float("nan")] * 2], bbox=[[0, 0, 4, 4]] * 2)).get_sequence_info(0)
    assert info["point"][0].tolist() == [10, 10]
    assert info["valid"].tolist() == info["visible"].tolist() == [True, False]


def test_a_data_set_with_neither_clicks_nor_boxes_is_refused() -> None:
    with pytest.raises(PointError, match="neither clicks nor boxes"):
        PointAnnotated(OneVideo(mask=[[0.0]])).get_sequence_info(0)


def test_noise_on_clicks_that_a_person_gave_is_refused() -> None:
    with pytest.raises(PointError, match="noise_px is 5"):
        PointAnnotated(OneVideo(point=[[10, 10]]), noise_px=5).get_sequence_info(0)


@pytest.mark.parametrize("noise", [-1.0, float("nan"), float("inf")])
def test_a_shift_that_is_no_length_is_refused(noise: float) -> None:
    with pytest.raises(ValueError, match="noise_px"):
        PointAnnotated(OneVideo(bbox=[[0, 0, 4, 4]]), noise_px=noise)


def test_written_clicks_read_back_exactly_with_and_without_the_boxes(tmp_path: Path) -> None:
    export_got10k(SyntheticVideo(2, num_frames=4, seed=5), tmp_path, "train")
    clicks = PointAnnotated(Got10k(tmp_path, "train"), noise_px=7.3, seed=1)
    before = [clicks.get_frames(video, range(4))[1] for video in range(2)]
    write_points(clicks, tmp_path / "train")
    with_boxes = PointAnnotated(Got10k(tmp_path, "train"))
    for path in tmp_path.rglob("groundtruth.txt"):
        path.unlink()
    without = PointAnnotated(Got10k(tmp_path, "train"))
    for video in range(2):
        for dataset in (with_boxes, without):
            info = dataset.get_sequence_info(video)
            usable = clicks.get_sequence_info(video)["visible"]
            assert torch.equal(info["visible"], usable)
            for frame, point in enumerate(dataset.get_frames(video, range(4))[1]["point"]):
                assert not usable[frame] or torch.equal(point, before[video]["point"][frame])


def test_sizes_are_told_on_evenly_spread_frames_and_change_evenly_between_them() -> None:
    boxes = [[0.0, 0.0, 4.0 * 2**frame, 3.0] for frame in range(4)]
    info = PointAnnotated(OneVideo(bbox=boxes), told_sizes=2).get_sequence_info(0)
    assert torch.nonzero(info["size_told"]).flatten().tolist() == [1, 3]
    expected = torch.tensor([[8.0, 3], [8, 3], [16, 3], [32, 3]])
    torch.testing.assert_close(info["size"], expected)


def test_a_told_size_errs_as_clicks_do() -> None:
    boxes = [[100.0, 100.0, 50.0, 40.0]] * 300
    info = PointAnnotated(OneVideo(bbox=boxes), noise_px=2, told_sizes=300).get_sequence_info(0)
    error = (info["size"] - torch.tensor([50.0, 40.0])) / 2
    assert 1 < float(error.norm(dim=1).max()) <= 4.0 + 1e-4, "two clicks, each 2 pixels off in its own direction"
    assert info["size_told"].all()


def test_sizes_are_not_made_up_where_people_clicked() -> None:
    clicks = PointAnnotated(OneVideo(point=[[10, 10]]), told_sizes=1)
    with pytest.raises(PointError, match="told_sizes is 1, but one, video .* holds clicks of its own: set it to 0"):
        clicks.get_sequence_info(0)
    with pytest.raises(ValueError, match="told_sizes is -1"):
        PointAnnotated(OneVideo(point=[[10, 10]]), told_sizes=-1)
