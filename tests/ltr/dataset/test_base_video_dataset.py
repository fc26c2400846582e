from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

import ltr.dataset
from ltr.dataset import BaseVideoDataset, Got10k, SyntheticVideo
from ltr.dataset.base_video_dataset import SequenceInfo
from ltr.registry import DATASETS

REPOSITORY = Path(__file__).resolve().parents[3]


class Plain(BaseVideoDataset):
    """The least that a data set must say."""

    def get_num_sequences(self) -> int:
        return 2

    def get_sequence_info(self, seq_id: int) -> SequenceInfo:
        boxes = torch.arange(12, dtype=torch.float32).reshape(3, 4)
        return {"bbox": boxes, "valid": torch.ones(3, dtype=torch.bool), "visible": torch.tensor([True, True, False])}

    def load_frame(self, seq_id: int, frame_id: int) -> np.ndarray:
        return np.full((4, 5, 3), frame_id, np.uint8)


def test_three_methods_make_a_data_set():
    dataset = Plain("plain")
    assert len(dataset) == 2 and dataset.get_name() == "plain" and dataset.is_video_sequence()
    assert not dataset.is_synthetic_video_dataset() and not dataset.has_class_info()
    assert dataset.get_class_list() == [] and dataset.get_num_classes() == 0
    assert dataset.frame_name(1, 2) == "000001/00000003"


def test_frames_come_with_their_annotation_in_the_asked_order():
    frames, anno, meta = Plain("plain").get_frames(0, [2, 0, 2])
    assert [frame[0, 0, 0] for frame in frames] == [2, 0, 2]
    assert [box[0].item() for box in anno["bbox"]] == [8, 0, 8]
    assert [bool(seen) for seen in anno["visible"]] == [False, True, False]
    assert meta == {"object_class_name": None, "sequence_name": "000000"}


def test_an_annotation_at_hand_is_used_in_place_of_the_own():
    _, anno, _ = Plain("plain").get_frames(0, [1], {"point": torch.tensor([[1.0, 2.0], [3.0, 4.0]])})
    assert list(anno) == ["point"] and anno["point"][0].tolist() == [3, 4]


def test_changing_what_was_handed_out_does_not_change_the_data_set():
    dataset = SyntheticVideo(1, 3, (64, 64))
    before = dataset.get_sequence_info(0)["bbox"].clone()
    _, anno, _ = dataset.get_frames(0, [0])
    anno["bbox"][0] += 100
    dataset.get_sequence_info(0).pop("bbox")
    assert torch.equal(dataset.get_sequence_info(0)["bbox"], before)


def test_a_data_set_that_does_not_say_how_to_read_a_frame_cannot_be_made():
    class Half(BaseVideoDataset):
        def get_num_sequences(self) -> int:
            return 1

    with pytest.raises(TypeError, match="abstract"):
        Half("half")  # type: ignore[abstract]


def test_the_data_sets_are_registered_and_exported():
    assert DATASETS["got10k"] is Got10k and DATASETS["synthetic"] is SyntheticVideo
    assert all(hasattr(ltr.dataset, name) for name in ltr.dataset.__all__)


@pytest.mark.long
def test_data_sets_import_without_what_is_optional_or_heavy():
    program = (
        "import sys; sys.modules.update(jpeg4py=None, matplotlib=None, tensorboard=None, tqdm=None)\n"
        "import ltr.dataset\n"
        "assert not {'torchvision', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], cwd=REPOSITORY, check=True)
