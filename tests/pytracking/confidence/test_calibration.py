"""A confidence is as often right as it says, and belongs to the weights it was fitted for."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pytracking.confidence.calibration import (
    Calibration,
    CalibrationError,
    calibration_file,
    calibration_key,
    find_calibration,
    load_calibration,
    save_calibration,
)
from pytracking.confidence.features import Evidence, feature_names
from pytracking.confidence.fit import FitSettings, Frames, fit_calibration
from pytracking.evaluation import Tracker
from pytracking.metrics import MetricError
from pytracking.metrics.calibration import lost_curve, reliability

HOG = Tracker("eco", "hog")


def frames(videos: int, seed: int, curve: str = "logistic") -> Frames:
    """Frames whose target is found with a probability that their score tells, by one curve or another."""
    rng = np.random.default_rng(seed)
    names = np.repeat([f"video {number}" for number in range(videos)], 50)
    score = rng.uniform(-2, 2, len(names))
    chance = 1 / (1 + np.exp(-3 * score)) if curve == "logistic" else np.where(score > 0.5, 0.9, 0.3)
    overlaps = np.where(rng.random(len(names)) < chance, 0.8, 0.0)
    features = np.stack([score, rng.normal(size=len(names)), np.zeros(len(names))], axis=1)
    return Frames(("score",), features, overlaps, names, np.zeros(len(names), bool))


@pytest.mark.parametrize(("curve", "method"), [("logistic", "logistic"), ("stair", "isotonic")])
def test_a_fitted_confidence_keeps_its_word_on_other_frames(curve: str, method: str) -> None:
    calibration = fit_calibration(frames(60, seed=1, curve=curve), FitSettings(method=method))
    other = frames(100, seed=2, curve=curve)
    assert reliability(calibration(other.features), other.overlaps > 0.5).error < 0.04


def test_the_method_that_errs_less_on_videos_left_out_is_taken() -> None:
    about = fit_calibration(frames(60, seed=1, curve="stair")).about
    assert about is not None and about["method"] == "isotonic"
    errors = about["errors_on_videos_left_out"]
    assert errors["isotonic"] < 0.03 < 0.08 < errors["logistic"], "a stair is no logistic curve"


def test_a_confidence_rises_with_the_evidence() -> None:
    for method in ("logistic", "isotonic"):
        calibration = fit_calibration(frames(20, seed=0), FitSettings(method=method))
        values = calibration(np.stack([np.linspace(-5, 5, 50), np.zeros(50), np.zeros(50)], axis=1))
        assert (np.diff(values) >= 0).all() and 0 <= values[0] < 0.2 < 0.8 < values[-1] <= 1


def test_numbers_that_say_nothing_are_left_out() -> None:
    known = frames(30, seed=3)
    noise = np.random.default_rng(0).normal(size=(len(known.overlaps), 3))
    both = replace(known, numbers=("score", "noise"), features=np.c_[known.features, noise])
    assert fit_calibration(both).numbers == ("score",)


def test_a_fit_needs_frames_with_and_without_the_target() -> None:
    few, sure = frames(2, seed=0), frames(10, seed=0)
    for wrong, words in [
        (few, "too few"),
        (replace(sure, overlaps=np.ones(500)), "found in 500 of 500"),
        (replace(sure, numbers=()), "neither a score nor a quality"),
        (replace(sure, made=np.ones(500, bool)), "videos as they are"),
    ]:
        with pytest.raises(CalibrationError, match=words):
            fit_calibration(wrong)


def test_the_error_is_the_mean_distance_of_word_and_truth() -> None:
    sure = np.repeat([0.05, 0.95], 100)
    truth = np.r_[np.arange(100) < 5, np.arange(100) < 95]
    assert reliability(sure, truth).error == pytest.approx(0, abs=1e-12)
    assert reliability(sure, ~truth).error == pytest.approx(0.9)
    assert reliability(np.ones(4), np.ones(4, bool)).counts.tolist() == [0] * 9 + [4], "1 is in the last bin"
    with pytest.raises(MetricError, match="between 0 and 1"):
        reliability(np.array([1.5]), np.array([True]))
    with pytest.raises(MetricError, match="do not fit"):
        lost_curve(np.array([0.5, 0.5]), np.array([True]))


def test_frames_of_one_confidence_are_called_lost_together() -> None:
    curve = lost_curve(np.array([0.2, 0.2, 0.8]), np.array([True, False, False]))
    assert curve.at(0.2) == pytest.approx((np.nan, 0), nan_ok=True), "below, not at, the threshold"
    assert curve.at(0.5) == (0.5, 1.0)
    assert curve.at(1.0) == pytest.approx((1 / 3, 1.0))


def test_evidence_is_what_a_number_is_beside_what_it_was() -> None:
    evidence = Evidence(("score", "likeness"))
    for _ in range(3):
        steady = evidence.add({"score": 8.0, "likeness": 0.9})
    assert steady.tolist() == [8, 1, 1, 0.9, 0, 0]
    dropped = evidence.add({"score": 2.0, "likeness": 0.5})
    assert dropped == pytest.approx([2, 0.25, 0.25, 0.5, -0.4, -0.4])
    assert np.isnan(evidence.add({"score": 2.0})).tolist() == [False] * 3 + [True] * 3
    assert len(feature_names(evidence.names)) == len(dropped)


def some(**changes: object) -> Calibration:
    made = Calibration(("score",), (0.5, 1.0, 1.0), (0.2, 0.5, 0.5), (1.0, 0.5, 0.0), 0.25, about={"frames": 3})
    return replace(made, **changes)  # type: ignore[arg-type]


def test_a_calibration_is_read_as_it_was_written(tmp_path: Path) -> None:
    for made in (some(), some(steps=((-1.0, 0.5), (0.1, 0.9)), lost_below=0.25, key="abc")):
        save_calibration(tmp_path / "a" / "c.json", made)
        assert load_calibration(tmp_path / "a" / "c.json") == made


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"weights": [1.0]}, "3 numbers"),
        ({"spread": [1.0, 0.0, 1.0]}, "spread of 0"),
        ({"bias": float("nan")}, "not finite"),
        ({"steps": [[0, 1], [0.9, 0.1]]}, "do not rise"),
        ({"lost_below": 3}, "not in 0 to 1"),
        ({"format": 99}, "format 99"),
        ({"middle": None}, "is no calibration"),
        ({"weights": "cut"}, "is no calibration"),
    ],
)
def test_a_file_that_is_none_is_refused_by_name(tmp_path: Path, change: dict[str, object], words: str) -> None:
    file = tmp_path / "c.json"
    save_calibration(file, some())
    content = json.loads(file.read_text())
    del content["sha256"]
    file.write_text(json.dumps({**content, **change}))
    with pytest.raises(CalibrationError, match=words) as raised:
        load_calibration(file)
    assert "c.json" in str(raised.value)


def test_a_changed_byte_is_told(tmp_path: Path) -> None:
    file = tmp_path / "c.json"
    save_calibration(file, some())
    file.write_text(file.read_text().replace("0.25", "0.75"))
    with pytest.raises(CalibrationError, match="check sum"):
        load_calibration(file)


def test_a_calibration_for_other_settings_is_not_used(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PYTRACKING_NETWORK_DIR", str(workspace / "nets"))
    params = HOG.parameters()
    assert find_calibration(HOG, params) is None and not capsys.readouterr().err, "none was made: nothing is said"
    save_calibration(calibration_file(HOG), some(key=calibration_key(HOG, params)))
    assert find_calibration(HOG, params) is not None
    lost = Tracker("eco", "hog", overrides={"lost_below": "0.3", "widen_when_lost": "true"})
    assert find_calibration(lost, lost.parameters()) is not None, "what is done when lost does not matter"
    other = Tracker("eco", "hog", overrides={"search_area": "3"})
    assert find_calibration(other, other.parameters()) is None
    assert "fitted for other settings" in capsys.readouterr().err
    save_calibration(calibration_file(HOG), some(key="of other weights"))
    assert find_calibration(HOG, params) is None
    assert "was fitted for other weights or settings of eco/hog" in capsys.readouterr().err
