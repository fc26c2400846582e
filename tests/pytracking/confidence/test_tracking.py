"""A tracker with a calibration tells how sure it is, in results, pictures and the API, and searches wider when lost."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import pytracking
from ltr.dataset.synthetic import SyntheticVideo
from pytracking import run_video
from pytracking.analysis.drawing import LOST_COLOUR, draw_box, draw_lost_box
from pytracking.analysis.render import draw_frame
from pytracking.confidence import __main__ as command
from pytracking.confidence.calibration import Calibration, calibration_file, calibration_key, save_calibration
from pytracking.confidence.features import Evidence
from pytracking.confidence.judged import JudgedTracker
from pytracking.confidence.made import cover, covered, with_cut
from pytracking.evaluation import (
    Judgement,
    Sequence,
    SequenceResult,
    Tracker,
    from_video_dataset,
    get_dataset,
    load_result,
    run_dataset,
)
from pytracking.evaluation.results import save_result
from pytracking.evaluation.run_key import content_key
from pytracking.live.targets import Target
from pytracking.live.tracks import TargetTracking, Track, TrackLog
from pytracking.parameter.params import ParameterError, TrackerParams
from pytracking.tracker.base import BaseTracker
from pytracking.tracker.group import batches
from pytracking.tracker.quality import likeness, peak_shape, target_patch
from pytracking.tracker.search import search_centers

HOG = Tracker("eco", "hog")
ROUGH = Calibration(("score",), (0.3, 1.0, 1.0), (0.1, 1.0, 1.0), (2.0, 0.0, 0.0), 0.0, lost_below=0.2)


def calibrate(tracker: Tracker = HOG, **changes: Any) -> None:
    """Gives a tracker a calibration as `fit` would."""
    made = replace(ROUGH, key=calibration_key(tracker, tracker.parameters()), **changes)
    save_calibration(calibration_file(tracker), made)


@pytest.fixture
def sequence(workspace: Path) -> Sequence:
    return get_dataset("synthetic")[0].shortened(12)


class Scripted(BaseTracker):
    """Stays where it is and has the scores that it was told; notes what it was told itself."""

    def __init__(self, scores: list[float]) -> None:
        super().__init__(TrackerParams())
        self.scores, self.told = iter(scores), [dict[str, Any]()]

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        return {}

    def track(self, image: np.ndarray, info: Mapping[str, Any] | None = None) -> dict[str, Any]:
        self.told.append(dict(info or {}))
        return {"target_bbox": [1, 2, 3, 4], "score": next(self.scores)}


def test_a_target_is_lost_below_the_threshold_and_the_tracker_is_told_for_how_long() -> None:
    inner = Scripted([0.5, -1, -1, 0.5, -1])
    tracker = JudgedTracker(inner, ROUGH, lost_below=0.5, widen=True)
    image = np.zeros((4, 4, 3), np.uint8)
    assert tracker.initialize(image, {}) == {"confidence": 1.0, "lost": False}
    outputs = [tracker.track(image) for _ in range(5)]
    assert [output["lost"] for output in outputs] == [False, True, True, False, True]
    assert [told["lost_frames"] for told in inner.told[1:]] == [0, 0, 1, 2, 0]
    assert all((output["confidence"] < 0.5) == output["lost"] for output in outputs)
    assert "lost_frames" not in JudgedTracker(Scripted([1.0]), ROUGH).track(image), "only where it is asked for"
    tracker.initialize(image, {})
    assert tracker.scores is inner.scores, "what else the tracker has is there"


def test_a_calibration_changes_no_box_and_no_key(sequence: Sequence) -> None:
    key = content_key(HOG, HOG.parameters())
    bare = HOG.run_sequence(sequence)
    assert bare.judged is None
    calibrate()
    judged = HOG.run_sequence(sequence)
    np.testing.assert_array_equal(judged.boxes, bare.boxes)
    np.testing.assert_array_equal(judged.scores, bare.scores)
    assert judged.judged is not None and judged.judged.confidence[0] == 1 and not judged.judged.lost[0]
    assert content_key(HOG, HOG.parameters()) == key
    changed = replace(HOG.parameters(), lost_below=0.9)
    assert content_key(HOG, changed) != key and calibration_key(HOG, changed) == calibration_key(HOG, HOG.parameters())


def test_confidences_are_stored_beside_the_scores_and_read_back(sequence: Sequence) -> None:
    calibrate()
    run_dataset([sequence], [HOG], say=lambda line: None)
    file = HOG.results_dir / "confidence" / f"{sequence.name}.txt"
    assert file.read_text().splitlines()[0] == "1.0000\t0"
    stored, made = load_result(HOG, sequence).judged, HOG.run_sequence(sequence).judged
    assert stored is not None and made is not None
    np.testing.assert_allclose(stored.confidence, made.confidence, atol=1e-4)
    np.testing.assert_array_equal(stored.lost, made.lost)
    file.write_text(file.read_text().replace("1.0000\t0", "0.5000\t0"))
    with pytest.raises(ValueError, match="check sum"):
        load_result(HOG, sequence)
    calibration_file(HOG).unlink()
    run_dataset([sequence], [HOG], overwrite=True, say=lambda line: None)
    assert load_result(HOG, sequence).judged is None and not file.exists(), "of an earlier run nothing stays"


def test_the_api_gives_confidence_and_lost(sequence: Sequence) -> None:
    frames = [sequence.frame(index) for index in range(4)]
    box = sequence.ground_truth_rect[0]
    bare = pytracking.track(frames, "eco/hog", box=box)
    assert np.isnan(bare.confidence).all() and not bare.lost.any()
    calibrate()
    sure = pytracking.track(frames, "eco/hog", box=box, overrides={"lost_below": 1.0})
    assert sure.confidence[0] == 1 and ((sure.confidence >= 0) & (sure.confidence <= 1)).all()
    assert sure.lost.tolist() == [False, True, True, True], "a confidence of 1 is never below 1"


@pytest.mark.long
def test_several_targets_at_once_are_judged_as_each_alone(sequence: Sequence) -> None:
    named = Tracker("siamfc", "untrained_res18", overrides={"search_size": "207", "widen_when_lost": "true"})
    calibrate(named, lost_below=0.45)
    boxes = {"1": sequence.ground_truth_rect[0], "2": sequence.ground_truth_rect[0] + [30, 10, 0, 0]}
    targets = [Target(name, tuple(box.tolist())) for name, box in boxes.items()]
    frames = [(number, sequence.frame(number)) for number in range(6)]

    def tracks(chosen: list[Target]) -> dict[str, Track]:
        log = TrackLog([target.name for target in chosen])
        for tracked in TargetTracking(named.create, chosen, "the video").through(frames):
            log.add(tracked)
        return log.tracks()

    assert batches(named.create())
    together = tracks(targets)
    for target in targets:
        alone = tracks([target])[target.name]
        np.testing.assert_allclose(together[target.name].confidence, alone.confidence, atol=1e-3)
        np.testing.assert_array_equal(together[target.name].lost, alone.lost)
        np.testing.assert_allclose(together[target.name].boxes, alone.boxes, atol=0.05)
    assert together["1"].confidence[0] == 1 and np.isfinite(together["1"].confidence).all()


def test_exported_boxes_say_where_the_target_was_lost(sequence: Sequence, tmp_path: Path) -> None:
    calibrate(lost_below=0.999)  # nearly everywhere
    for number in range(4):
        cv2.imwrite(str(tmp_path / f"{number}.png"), cv2.cvtColor(sequence.frame(number), cv2.COLOR_RGB2BGR))
    box = [f"{value:g}" for value in sequence.ground_truth_rect[0]]
    words = ["eco", "hog", str(tmp_path), "--box", *box, "cat", "--export", "csv", "--out", str(tmp_path / "out")]
    assert run_video.main(words) == 0
    (file,) = (tmp_path / "out" / "csv").iterdir()
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [row["lost"] for row in rows] == ["0", "1", "1", "1"]
    assert rows[0]["confidence"] == "1.0000" and all(0 <= float(row["confidence"]) < 0.999 for row in rows[1:])


def test_features_are_those_of_all_frames_so_far() -> None:
    evidence, rng, seen = Evidence(["score", "rival"]), np.random.default_rng(0), []
    for _ in range(9):
        seen.append(rng.normal(size=2))
        found = evidence.add({"score": seen[-1][0], "rival": seen[-1][1]})
        middle = np.median(seen, axis=0)
        assert found[5] == pytest.approx(seen[-1][1] - middle[1])
        assert found[2] == pytest.approx(np.clip(seen[-1][0] / abs(middle[0]), -3, 3))
    assert np.isnan(evidence.add({"score": 1.0})[5]) and np.isnan(evidence.add({"score": 1.0, "rival": 1.0})[5])


def test_lost_below_is_a_confidence(sequence: Sequence) -> None:
    calibrate()
    with pytest.raises(ParameterError, match="lost_below is 1.5"):
        replace(HOG, overrides={"lost_below": "1.5"}).create()


def test_lost_targets_need_a_calibration(workspace: Path) -> None:
    for overrides in ({"lost_below": "0.3"}, {"widen_when_lost": "true"}):
        with pytest.raises(ParameterError, match=f"{next(iter(overrides))} of eco/hog.*no calibration.*fit eco/hog"):
            Tracker("eco", "hog", overrides=overrides).create()
    with pytest.raises(ParameterError, match="no parameter 'widen_when_lost'"):
        Tracker("opencv", "kcf", overrides={"widen_when_lost": "true"}).create()


@pytest.mark.parametrize("name", ["eco/hog", "siamfc/untrained_res18"])
@pytest.mark.long
def test_a_target_that_jumps_away_is_found_again_by_a_wider_search(name: str, workspace: Path) -> None:
    """A patch of noise on a grey frame is moved by more than the search region shows."""
    target = np.random.default_rng(0).integers(0, 255, (12, 12, 3), np.uint8).repeat(3, 0).repeat(3, 1)
    frames = []
    for x, y in [(40, 40)] * 4 + [(330, 180)] * 7:
        frames.append(np.full((260, 420, 3), 120, np.uint8))
        frames[-1][y : y + 36, x : x + 36] = target
    boxes = np.array([(40.0, 40, 36, 36)] * 4 + [(330.0, 180, 36, 36)] * 7)
    sequence = Sequence("jump", frames, "mine", boxes)
    numbers = {"eco": ("score",), "siamfc": ("likeness",)}[name[: name.index("/")]]
    tracker = Tracker(*name.split("/"))  # type: ignore[arg-type]
    # Sure where the number is nearly what it was in the first frames, lost elsewhere.
    base = {"middle": (0.0, 0.35, 0.0), "weights": (0.0, 20.0, 0.0), "spread": (1.0, 1.0, 1.0)}
    if numbers == ("likeness",):
        base["middle"] = (0.0, -0.02, 0.0)
        base["weights"] = (0.0, 300.0, 0.0)
    calibrate(tracker, numbers=numbers, lost_below=0.5, **base)
    plain = tracker.run_sequence(sequence)
    wider = replace(tracker, overrides={"widen_when_lost": "true"}).run_sequence(sequence)
    assert plain.judged is not None and wider.judged is not None
    assert plain.judged.lost.tolist() == [False] * 4 + [True] * 7
    assert np.abs(plain.boxes[-1] - boxes[-1]).max() > 100
    assert np.abs(wider.boxes[-1] - boxes[-1]).max() < 12 and not wider.judged.lost[-1]
    assert wider.judged.lost[4]


def test_windows_grow_around_the_last_place_until_they_cover_the_frame() -> None:
    counts = [len(search_centers(np.array([50.0, 50]), 20, lost, (100, 100))) for lost in (1, 2, 3, 50)]
    assert counts == [9, 25, 25, 25], "beyond the frame there is nothing to look for"
    assert search_centers(np.array([-5.0, 3]), 20, 1, (100, 100))[0].tolist() == [-5, 3]
    assert len(search_centers(np.array([500.0, 500]), 5, 100, (1000, 1000), most=49)) == 49


def test_quality_tells_a_peak_from_a_rival_and_the_target_from_something_else() -> None:
    import torch

    one, two = np.zeros((21, 21)), np.zeros((21, 21))
    one[10, 10] = two[10, 10] = two[2, 2] = 1
    lone, doubled = (peak_shape(each, (10, 10), (3, 3)) for each in (one, two))
    assert lone["rival"] == 0 and doubled["rival"] == pytest.approx(1, abs=0.01)
    assert lone["sharpness"] > doubled["sharpness"]
    assert peak_shape(np.ones((3, 3)), (1, 1), (3, 3)) == {"sharpness": 0, "rival": 0}
    features = torch.randn(4, 16, 16, generator=torch.Generator().manual_seed(0))
    whole = target_patch(features, (0.5, 0.5), (0.5, 0.5))
    torch.testing.assert_close(whole, features[:, 4:12, 4:12])
    assert likeness(whole, 2 * whole) == pytest.approx(1) and likeness(whole, -whole) == pytest.approx(-1)


def test_a_covered_target_cannot_be_seen_and_the_rest_of_the_frame_is_as_it_was(sequence: Sequence) -> None:
    hidden = covered(sequence, 4, 3)
    assert hidden.target_visible is not None and (~hidden.target_visible).nonzero()[0].tolist() == [4, 5, 6]
    before, after, box = sequence.frame(5), hidden.frame(5), sequence.ground_truth_rect[5]
    np.testing.assert_array_equal(hidden.frame(3), sequence.frame(3))
    np.testing.assert_array_equal(hidden.frame(5), after)
    x, y, w, h = box.round().astype(int)
    inside = np.zeros(before.shape[:2], bool)
    inside[max(y, 0) : y + h, max(x, 0) : x + w] = True
    assert (before != after)[inside].mean() > 0.8
    margin = cv2.dilate(inside.astype(np.uint8), np.ones((2 * w, 2 * w), np.uint8)) > 0
    assert (before == after)[~margin].all()
    with pytest.raises(ValueError, match="do not fit"):
        covered(sequence, 0, 3)


def test_a_box_as_large_as_the_frame_and_one_outside_are_covered_without_an_error() -> None:
    image = np.random.default_rng(0).integers(0, 255, (40, 60, 3), np.uint8)
    assert cover(image, np.array([0.0, 0, 60, 40]), 0).shape == image.shape
    np.testing.assert_array_equal(cover(image, np.array([100.0, 100, 5, 5]), 0), image)


def test_a_cut_leaves_the_frames_before_and_after(sequence: Sequence) -> None:
    cut = with_cut(sequence, 4, 3)
    np.testing.assert_array_equal(cut.ground_truth_rect, np.delete(sequence.ground_truth_rect, [4, 5, 6], axis=0))
    np.testing.assert_array_equal(cut.frame(4), sequence.frame(7))


def test_a_lost_box_is_drawn_dashed_and_in_its_own_colour(sequence: Sequence) -> None:
    judged = Judgement(np.full(12, 0.05), np.arange(12) == 5)
    boxes = sequence.ground_truth_rect + 20
    size = (sequence.frame(0).shape[1] // 2 * 2, sequence.frame(0).shape[0] // 2 * 2)

    def pixels(index: int) -> int:
        picture = draw_frame(sequence, boxes, index, size, judged=judged)[: size[1] - 40]  # without the legend
        return int((np.abs(picture.astype(int) - LOST_COLOUR).max(axis=2) < 30).sum())

    assert pixels(5) > 20 and pixels(6) == 0
    dashed, whole = np.zeros((100, 100, 3), np.uint8), np.zeros((100, 100, 3), np.uint8)
    draw_lost_box(dashed, np.array([20.0, 20, 60, 60]), LOST_COLOUR, 1)
    draw_box(whole, np.array([20.0, 20, 60, 60]), LOST_COLOUR, 1)
    assert 0.3 < (dashed.max(axis=2) > 0).sum() / (whole.max(axis=2) > 0).sum() < 0.8
    for row in (20, 80):
        line = dashed[row, :, 0] > 0
        assert np.count_nonzero(np.diff(line.astype(int)) == 1) == 7, "seven dashes"


def test_the_page_shows_confidence_and_where_a_tracker_was_lost(sequence: Sequence, tmp_path: Path) -> None:
    from pytracking.analysis import make_report
    from pytracking.analysis.html import write_html

    boxes, times = sequence.ground_truth_rect, np.full(12, 0.02)
    judged = Judgement(np.linspace(1, 0, 12), np.arange(12) > 8)
    for named, sure in ((HOG, judged), (Tracker("opencv", "kcf"), None)):
        save_result(named.results_dir, sequence, SequenceResult(boxes, times, None, sure))
        write_html(make_report([named], [sequence], "Mine"), tmp_path / "page.html")
        page = (tmp_path / "page.html").read_text()
        assert ("confidence by frame" in page, page.count("<title>lost</title>")) == ((True, 1) if sure else (False, 0))
        assert page.count(">lost</b>") == (2 if sure else 0), "of six frames shown, 10 and 12 are"


def run(*words: str, videos: int = 5) -> int:
    return command.main([*words, "--max-videos", str(videos), "--max-frames", "14"])


@pytest.mark.long
def test_fit_and_measure_through_the_command(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setenv("PYTRACKING_NETWORK_DIR", str(tmp_path / "nets"))
    assert run("measure", "eco/hog", "synthetic") == 1
    assert "has no calibration" in capsys.readouterr().err
    assert run("fit", "eco/hog", "synthetic") == 0
    said = capsys.readouterr().out
    file = tmp_path / "nets" / "confidence" / "eco-hog.json"
    assert file.is_file() and str(file) in said and "of 5 videos" in said
    plot = tmp_path / "reliability.png"
    assert run("measure", "eco/hog", "synthetic", "--covered", "--curve", "--plot", str(plot), videos=2) == 0
    said = capsys.readouterr().out
    assert "synthetic, covered" in said and "lost below" in said and plot.read_bytes()[:4] == b"\x89PNG"
    assert run("search", "eco/hog", "synthetic", videos=1) == 0
    assert capsys.readouterr().out.count("yes") == 3
    assert run("search", "opencv/kcf", "synthetic") == 1
    assert "cannot search wider" in capsys.readouterr().err
    assert run("fit", "opencv/kcf", "synthetic") == 1
    assert "neither a score nor a quality" in capsys.readouterr().err


def test_a_tracker_is_named_with_a_slash(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command.main(["fit", "eco", "synthetic"])
    assert stopped.value.code == 2 and "TRACKER/PARAMETERS" in capsys.readouterr().err


def test_training_videos_can_be_fitted_on() -> None:
    videos = from_video_dataset(SyntheticVideo(2, num_frames=12, seed=1))
    assert len(covered(videos[0], 4, 2)) == 12
