from __future__ import annotations

import numpy as np
import pytest
import torch

from ltr.dataset import DatasetError, Got10k, SyntheticVideo, export_got10k
from ltr.dataset.annotation_wrapper import AnnotationWrapper
from ltr.dataset.base_video_dataset import SequenceInfo


@pytest.fixture(scope="module")
def videos() -> SyntheticVideo:
    return SyntheticVideo(3, 30, (64, 80), seed=4, difficulty=1.0)


class Clicks(AnnotationWrapper):
    """Shows the middle of the box, but in the first frame, and no box."""

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        info = self.dataset.get_sequence_info(seq_id)
        boxes = info.pop("bbox")
        info["point"] = boxes[:, :2] + boxes[:, 2:] / 2
        info["point"][0] = torch.nan
        return info


def test_what_is_exported_is_read_again(tmp_path, videos):
    assert export_got10k(videos, tmp_path, "val") == tmp_path / "val"
    read = Got10k(tmp_path, "val")
    assert [read.sequence_name(i) for i in range(3)] == [videos.sequence_name(i) for i in range(3)]
    for seq_id in range(3):
        info, other = videos.get_sequence_info(seq_id), read.get_sequence_info(seq_id)
        assert torch.allclose(info["bbox"], other["bbox"], atol=1e-4)
        assert all(torch.equal(info[key], other[key]) for key in ("valid", "visible", "in_view"))
        assert read.get_class_name(seq_id) == videos.get_class_name(seq_id)
        assert read.frame_name(seq_id, 7) == videos.frame_name(seq_id, 7)
        frame, again = videos.load_frame(seq_id, 7), read.load_frame(seq_id, 7)
        assert np.abs(frame.astype(int) - again).mean() < 8, "JPEG keeps what is seen"
    assert not read.get_sequence_info(0)["visible"].all() or not read.get_sequence_info(1)["visible"].all()


def test_clicks_are_exported_without_boxes(tmp_path, videos):
    folder = export_got10k(Clicks(videos), tmp_path)
    assert not list(folder.glob("*/groundtruth.txt"))
    info = Got10k(tmp_path).get_sequence_info(1)
    assert "bbox" not in info and info["point"][0].isnan().all() and not info["valid"][0]
    assert torch.allclose(info["point"][1:], Clicks(videos).get_sequence_info(1)["point"][1:], atol=1e-4)


def test_an_export_is_never_written_over(tmp_path, videos):
    export_got10k(videos, tmp_path)
    with pytest.raises(FileExistsError, match="train holds a data set already"):
        export_got10k(videos, tmp_path)


def test_an_export_that_was_broken_off_is_not_taken_for_a_whole_one(tmp_path, videos, monkeypatch):
    def fail(seq_id: int, frame_id: int) -> np.ndarray:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(videos, "load_frame", fail)
    with pytest.raises(OSError, match="No space left"):
        export_got10k(videos, tmp_path)
    with pytest.raises(DatasetError, match="list.txt"):
        Got10k(tmp_path)
