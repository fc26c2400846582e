"""Tables name their protocol and what they leave out; pictures show the boxes where they are."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.admin.files import WriteError
from pytracking.analysis import encode, evaluate, print_results
from pytracking.analysis.render import (
    TRACKED_COLOUR,
    TRUE_COLOUR,
    RenderError,
    render_strip,
    render_video,
    write_video,
)
from pytracking.evaluation import ResultError, Sequence, SequenceList, SequenceResult, Tracker
from pytracking.evaluation.results import save_result


def video(name: str, frames: int = 8, size: tuple[int, int] = (120, 160)) -> Sequence:
    boxes = np.array([[10 + 5 * t, 30, 40, 30] for t in range(frames)], float)
    return Sequence(name, [np.zeros((*size, 3), np.uint8)] * frames, "mine", boxes)


def saved(tracker: Tracker, sequence: Sequence, shift: float) -> None:
    boxes = sequence.ground_truth_rect.copy()
    boxes[1:, 0] += shift
    save_result(tracker.results_dir, sequence, SequenceResult(boxes, np.full(len(sequence), 0.02)))


@pytest.fixture
def sequences(workspace: Path) -> SequenceList:
    return SequenceList([video("Car"), video("Dog", 6)])


GOOD, BAD = Tracker("a", "good", display_name="good one"), Tracker("b", "bad")


def test_the_best_tracker_stands_first_with_its_speed(sequences: SequenceList) -> None:
    for sequence in sequences:
        saved(BAD, sequence, 60)
        saved(GOOD, sequence, 1)
    out = io.StringIO()
    scores = print_results([BAD, GOOD], sequences, "Mine", per_sequence=True, file=out)
    text = out.getvalue()
    assert [score.title for score in scores] == ["good one", "b/bad"]
    assert "Mine: 2 sequences, one-pass evaluation by pysot-toolkit (protocol pysot)" in text
    assert text.index("good one") < text.index("b/bad")
    assert "50.0" in text and "DP@20" in text
    assert scores[0].overall["auc"] == pytest.approx(np.mean([run["auc"] for run in scores[0].per_sequence.values()]))
    assert scores[1].overall["precision20"] == pytest.approx((1 / 8 + 1 / 6) / 2)


def test_sequences_that_one_tracker_lacks_are_left_out_for_all_and_counted(sequences: SequenceList) -> None:
    saved(GOOD, sequences[0], 0)
    saved(GOOD, sequences[1], 0)
    saved(BAD, sequences[1], 60)
    out = io.StringIO()
    scores = print_results([GOOD, BAD], sequences, file=out)
    assert "1 sequence (1 without results are left out)" in out.getvalue()
    assert list(scores[0].per_sequence) == ["Dog"]
    with pytest.raises(ResultError, match="no result of b/bad on Car"):
        evaluate([GOOD, BAD], sequences)


def test_runs_are_merged_into_their_mean(sequences: SequenceList) -> None:
    runs = [Tracker("a", "x", run_id) for run_id in range(2)]
    for run, shift in zip(runs, (0, 60)):
        for sequence in sequences:
            saved(run, sequence, shift)
    single = evaluate(runs, sequences)
    [merged] = evaluate(runs, sequences, merge_results=True)
    assert merged.title == "a/x"
    assert merged.overall["auc"] == pytest.approx(np.mean([score.overall["auc"] for score in single]))


def test_no_results_and_unknown_columns_are_errors(sequences: SequenceList) -> None:
    with pytest.raises(ResultError, match="run them first"):
        print_results([GOOD], sequences)
    with pytest.raises(ValueError, match="Did you mean 'prec'"):
        print_results([GOOD], sequences, plot_types=("perc",))


def near(image: np.ndarray, x: int, y: int, colour: tuple[int, int, int], tolerance: int) -> bool:
    return bool(np.abs(image[y, x].astype(int) - colour).max() <= tolerance)


def test_a_strip_shows_the_true_and_the_tracked_box(tmp_path: Path) -> None:
    sequence = video("Car")
    boxes = sequence.ground_truth_rect + [0, 40, 0, 0]
    path = render_strip(sequence, boxes, tmp_path / "new" / "strip.png", columns=4, rows=2, height=120)
    image = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    assert image.shape == (240, 640, 3)
    assert near(image, 30, 30, TRUE_COLOUR, 40) and near(image, 30, 70, TRACKED_COLOUR, 40)  # top sides in frame 1
    assert near(image, 160 * 3 + 65, 120 + 30, TRUE_COLOUR, 40)  # in the last one, 35 pixels further right


def test_a_video_has_every_frame_and_its_boxes(tmp_path: Path) -> None:
    sequence = video("Car", size=(121, 161))
    path = render_video(sequence, sequence.ground_truth_rect, tmp_path / "car.mp4")
    assert [file.name for file in tmp_path.iterdir()] == ["car.mp4"]
    reader = cv2.VideoCapture(str(path))
    frames = []
    while (read := reader.read())[0]:
        frames.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    assert len(frames) == 8
    assert near(frames[0], 30, 30, TRACKED_COLOUR, 110) and not near(frames[7], 20, 30, TRACKED_COLOUR, 110)


def test_boxes_of_another_sequence_are_not_drawn(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="Car has 8 frames"):
        render_strip(video("Car"), np.zeros((3, 4)), tmp_path / "a.png")
    with pytest.raises(ValueError, match="must end in .mp4"):
        render_video(video("Car"), video("Car").ground_truth_rect, tmp_path / "a.avi")


def test_boxes_far_outside_and_absent_targets_are_drawn(tmp_path: Path) -> None:
    sequence = video("Car")
    sequence.ground_truth_rect[2] = np.nan
    boxes = np.full((8, 4), 1e12)
    assert render_strip(sequence, boxes, tmp_path / "a.png").is_file()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that holds 64 kB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount a disk")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.skipif(sys.platform != "linux", reason="mounts a disk as Linux does")
def test_a_disk_that_is_full_is_told_and_leaves_no_video(small_disk: Path) -> None:
    rng = np.random.default_rng(0)
    frames = (rng.integers(0, 255, (120, 160, 3), dtype=np.uint8) for _ in range(60))
    with pytest.raises(WriteError, match=r"cannot write .*a\.mp4: No space left on device; the disk is full"):
        write_video(small_disk / "a.mp4", frames, (160, 120))
    assert not list(small_disk.iterdir())


def test_a_video_that_cannot_be_read_back_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent:
        """Writes nothing and says nothing, as OpenCV's writer where its encoder fails."""

        def __init__(self, file: str, *arguments: object) -> None:
            Path(file).write_bytes(b"no video")

        def isOpened(self) -> bool:  # noqa: N802
            return True

        def write(self, frame: np.ndarray) -> None:
            pass

        def release(self) -> None:
            pass

        fourcc = staticmethod(cv2.VideoWriter.fourcc)

    monkeypatch.setattr(cv2, "VideoWriter", Silent)
    monkeypatch.setattr(encode, "h264_encoder", lambda: None)
    with pytest.raises(RenderError, match="of the 3 frames of a video 0 can be read"):
        write_video(tmp_path / "a.mp4", [np.zeros((40, 40, 3), np.uint8)] * 3, (40, 40))
    assert not list(tmp_path.iterdir())
