"""What is kept of videos in folders: little, and nothing of it is sent to workers."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path

import pytest

from ltr.dataset import Got10k, SyntheticVideo
from ltr.dataset.export import export_got10k
from ltr.dataset.folders import PackedNames


def test_packed_names_are_the_names_in_a_quarter_of_the_memory() -> None:
    names = [f"{number:08d}.jpg" for number in range(1, 5001)]
    packed = PackedNames(names)
    assert list(packed) == names and len(packed) == 5000
    assert (packed[0], packed[-1], packed[2:4]) == ("00000001.jpg", "00005000.jpg", names[2:4])
    assert "00000007.jpg" in packed and list(PackedNames([])) == []
    with pytest.raises(IndexError):
        packed[5000]
    kept = len(packed._text) + packed._ends.nbytes
    assert kept * 4 < sum(map(sys.getsizeof, names)) + 8 * len(names)


def test_names_that_are_no_text_are_kept(tmp_path: Path) -> None:
    names = ["ä1.jpg", "\udcff2.jpg", ""]
    assert list(PackedNames(names)) == names


def test_a_worker_is_sent_no_video_that_was_read(tmp_path: Path) -> None:
    export_got10k(SyntheticVideo(2, num_frames=30, size=(32, 32)), tmp_path)
    videos = Got10k(tmp_path, split="train")
    before = len(pickle.dumps(videos))
    info = videos.get_sequence_info(1)
    sent = pickle.dumps(videos)
    assert len(sent) == before
    again = pickle.loads(sent)
    assert again.frame_path(1, 29) == videos.frame_path(1, 29)
    assert (again.get_sequence_info(1)["bbox"] == info["bbox"]).all()
