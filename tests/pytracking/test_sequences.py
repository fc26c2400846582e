"""Benchmark sequences are read as their files have them, or refused by name."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from ltr.admin.environment import EnvironmentError_
from ltr.dataset import DatasetError, SyntheticVideo
from ltr.registry import RegistryError
from pytracking import run_tracker
from pytracking.evaluation import Sequence, SequenceError, SequenceList, from_video_dataset, get_dataset
from pytracking.evaluation.benchmarks import otb, otb13, otb_entries
from pytracking.evaluation.ground_truth import read_regions


def names(sequences: SequenceList) -> list[str]:
    return [sequence.name for sequence in sequences]


BOXES = np.array([[1.0, 2, 10, 12], [2, 2, 10, 12], [3, 2, 10, 12]])
FRAMES = [np.full((40, 50, 3), value, np.uint8) for value in range(3)]


def write_otb(
    root: Path,
    folder: str,
    numbers: range,
    rows: int,
    file: str = "groundtruth_rect.txt",
    delimiter: str = ",",
    digits: int = 4,
) -> Path:
    """A sequence in OTB's layout; frame k is painted with the grey value k, its box starts at x = k."""
    images = root / folder / "img"
    images.mkdir(parents=True, exist_ok=True)
    for number in numbers:
        cv2.imwrite(str(images / f"{number:0{digits}d}.jpg"), np.full((24, 32, 3), number % 256, np.uint8))
    lines = [delimiter.join(map(str, (numbers[0] + row, 2, 10, 12))) for row in range(rows)]
    (root / folder / file).write_text("\r\n".join(lines) + "\r\n")
    return root / folder


def test_a_frame_may_be_a_file_an_image_or_a_function(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([np.full((4, 5), value, np.uint8) for value in (30, 20, 10)]))
    image = np.full((4, 5, 3), (10, 20, 30), np.uint8)
    sequence = Sequence("s", [tmp_path / "a.png", image, partial(np.copy, image)], "mine", BOXES)
    for index in range(3):
        np.testing.assert_array_equal(sequence.frame(index), image)
    assert sequence.init_info() == {"init_bbox": [1, 2, 10, 12]}
    assert len(sequence.shortened(2)) == 2 and sequence.shortened(None) is sequence


@pytest.mark.parametrize(
    ("frames", "boxes", "visible", "message"),
    [
        (FRAMES[:2], BOXES, None, "sequence 's' of 'mine' has 2 frames and 3 true boxes"),
        ([], np.zeros((0, 4)), None, "has 0 frames"),
        (FRAMES, BOXES[:, :3], None, r"shape \(frames, 4\)"),
        (FRAMES, BOXES * np.nan, None, "can start no tracker"),
        (FRAMES, BOXES * [1, 1, 0, 1], None, "can start no tracker"),
        (FRAMES, BOXES, [True], "visibility"),
    ],
)
def test_a_sequence_that_does_not_fit_together_is_named(
    frames: list[np.ndarray], boxes: np.ndarray, visible: list[bool] | None, message: str
) -> None:
    with pytest.raises(SequenceError, match=message):
        Sequence("s", frames, "mine", boxes, target_visible=visible)  # type: ignore[arg-type]


def test_a_list_of_sequences_is_asked_by_number_slice_and_name() -> None:
    sequences = SequenceList(Sequence(name, FRAMES, "mine", BOXES) for name in ("Car", "Dog"))
    assert sequences["Dog"] is sequences[1]
    assert isinstance(sequences[:1], SequenceList) and len(sequences[:1]) == 1
    assert isinstance(sequences + sequences[:0], SequenceList)
    with pytest.raises(SequenceError, match="no sequence 'Cra' among these 2. Did you mean 'Car'"):
        sequences["Cra"]
    with pytest.raises(SequenceError, match="'mine' has two sequences named 'Car'"):
        sequences + sequences[:1]


def test_a_training_data_set_is_tracked_from_the_first_frame_that_shows_the_target() -> None:
    class LateTarget(SyntheticVideo):
        def get_sequence_info(self, seq_id: int) -> dict[str, torch.Tensor]:
            info = dict(super().get_sequence_info(seq_id))
            visible = torch.arange(len(info["bbox"])) >= 3
            return {**info, "visible": visible & (seq_id != 1)}

    videos = LateTarget(3, num_frames=8, seed=5)
    sequences = from_video_dataset(videos, name="late", max_frames=4)
    assert [sequence.name for sequence in sequences] == ["late-0000", "late-0002"]  # nothing is seen in number 1
    assert len(sequences[0]) == 4
    np.testing.assert_allclose(sequences[0].ground_truth_rect, videos.get_sequence_info(0)["bbox"][3:7])
    np.testing.assert_array_equal(sequences[0].frame(1), videos.get_frames(0, [4])[0][0])


def test_videos_without_boxes_cannot_be_scored() -> None:
    class Clicks(SyntheticVideo):
        def get_sequence_info(self, seq_id: int) -> dict[str, torch.Tensor]:
            info = dict(super().get_sequence_info(seq_id))
            del info["bbox"]
            return info

    with pytest.raises(SequenceError, match="has no boxes"):
        from_video_dataset(Clicks(1, num_frames=2))


def test_otb_lists_100_runs_and_its_2013_half() -> None:
    listed = otb_entries()
    assert len({entry.name for entry in listed}) == 100
    assert len({entry.images for entry in listed}) == 98
    assert len(otb_entries(only_2013=True)) == 51


@pytest.mark.parametrize("delimiter", [",", "\t", " ", "  ", ", "])
def test_otb_is_read_with_its_ranges_separators_and_second_targets(tmp_path: Path, delimiter: str) -> None:
    write_otb(tmp_path, "CarDark", range(1, 6), 5, delimiter=delimiter)
    write_otb(tmp_path, "Board", range(1, 4), 3, digits=5)
    write_otb(tmp_path, "Jogging", range(1, 4), 3, "groundtruth_rect.1.txt")
    write_otb(tmp_path, "Jogging", range(1, 4), 3, "groundtruth_rect.2.txt")
    write_otb(tmp_path, "Human4", range(1, 4), 3, "groundtruth_rect.2.txt")
    write_otb(tmp_path, "Football1", range(1, 81), 74)  # images beyond its range are left out
    write_otb(tmp_path, "BlurCar1", range(247, 989), 742)
    write_otb(tmp_path, "Tiger1", range(1, 13), 12)  # its first five frames are not evaluated
    sequences = otb(tmp_path)
    lengths = {sequence.name: len(sequence) for sequence in sequences}
    expected = {"BlurCar1": 742, "Board": 3, "CarDark": 5, "Football1": 74, "Human4": 3}
    assert lengths == {**expected, "Jogging_1": 3, "Jogging_2": 3, "Tiger1": 7}
    assert sequences["BlurCar1"].frame(0)[0, 0, 0] == 247
    assert sequences["Tiger1"].frame(0)[0, 0, 0] == sequences["Tiger1"].ground_truth_rect[0, 0] == 6
    assert sequences["CarDark"].ground_truth_rect[1].tolist() == [2, 2, 10, 12]
    assert "Board" not in {sequence.name for sequence in otb13(tmp_path)}


def test_otb_is_read_as_other_programs_have_it(tmp_path: Path) -> None:
    write_otb(tmp_path, "Human4", range(1, 4), 3, "groundtruth_rect.2.txt")
    folder = write_otb(tmp_path, "KiteSurf", range(1, 4), 3) / "img"
    sequences = otb(tmp_path)
    assert sequences["Human4_2"] is sequences["Human4"], "pytracking's name of it"
    assert sequences["Human4"].shortened(2).aliases == ("Human4_2",)
    for path in sorted(folder.iterdir()):  # as jpg in some copies, as png in others
        cv2.imwrite(str(path.with_suffix(".png")), cv2.imread(str(path)))
        path.unlink()
    assert str(otb(tmp_path)["KiteSurf"].frames[2]).endswith("0003.png")


def test_a_shortened_otb_says_so(
    workspace: Path, shared_data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(FileNotFoundError, match="Diving.*images 1 to 215 are missing.*data set otb_shortened"):
        otb(shared_data / "otb_hard")
    sequences = otb(shared_data / "otb_hard", shortened=True)
    assert {sequence.dataset for sequence in sequences} == {"otb_shortened"}
    assert [len(sequence) for sequence in sequences] == [100, 100, 100, 100, 100, 81, 100]
    monkeypatch.setenv("PYTRACKING_OTB_DIR", str(shared_data / "otb_hard"))
    assert names(get_dataset("otb_shortened")) == names(sequences)
    arguments = ["opencv", "kcf", "--dataset_name", "otb_shortened", "--sequence", "Diving"]
    assert run_tracker.main(arguments) == 0
    assert "otb_shortened" in capsys.readouterr().out
    arguments[3] = "otb"
    assert run_tracker.main(arguments) == 1
    assert "is read as the data set otb_shortened" in capsys.readouterr().err


def test_a_part_of_otb_is_used_and_said_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_otb(tmp_path, "CarDark", range(1, 3), 2)
    otb(tmp_path)
    otb(tmp_path)
    assert capsys.readouterr().err.count("holds 1 of the 100 runs of otb") == 1


def test_what_is_wrong_with_an_otb_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere does not exist"):
        otb(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="holds no otb sequence"):
        otb(tmp_path)
    folder = write_otb(tmp_path, "CarDark", range(1, 4), 2)
    with pytest.raises(SequenceError, match=r"groundtruth_rect.txt has 2 boxes for the 3 images of CarDark"):
        otb(tmp_path)
    write_otb(tmp_path, "CarDark", range(1, 4), 3)
    (folder / "img" / "0002.jpg").unlink()
    with pytest.raises(FileNotFoundError, match="1 of the images 1 to 3 are missing, first number 2"):
        otb(tmp_path)
    (folder / "groundtruth_rect.txt").unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*groundtruth_rect.txt"):
        otb(tmp_path)


@pytest.mark.parametrize("line", ["1,2,3", "1,2,nan,4", "1,2,x,4", "1,2,3,4,5", "1,2,inf,4"])
def test_a_line_of_ground_truth_that_is_no_box_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "boxes.txt"
    file.write_text(f"1,2,3,4\n{line}\n")
    with pytest.raises(DatasetError, match=r"boxes.txt, line 2: expected 4 numbers, not"):
        read_regions(file)


def test_the_real_otb_sequences_are_read(shared_data: Path) -> None:
    sequences = otb(shared_data / "otb")
    assert len(sequences) == 12
    david = sequences["David"]
    assert len(david) == 471 and str(david.frames[0]).endswith("0300.jpg")
    assert david.frame(0).shape == (240, 320, 3)


def test_data_sets_come_by_name(workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    write_otb(tmp_path, "CarDark", range(1, 3), 2)
    monkeypatch.setenv("PYTRACKING_OTB_DIR", str(tmp_path))
    both = get_dataset("otb", "synthetic")
    assert [sequence.dataset for sequence in both] == ["otb"] + ["synthetic"] * 8
    np.testing.assert_array_equal(both["synthetic-0003"].frame(7), get_dataset("synthetic")[3].frame(7))
    with pytest.raises(RegistryError, match="Did you mean 'synthetic'"):
        get_dataset("sinthetic")
    with pytest.raises(ValueError, match="name at least one data set"):
        get_dataset()


def test_a_data_set_without_a_directory_says_how_to_set_it(workspace: Path) -> None:
    with pytest.raises(EnvironmentError_, match="PYTRACKING_OTB_DIR"):
        get_dataset("otb")
