"""Fitting a calibration: a logistic regression by maximum likelihood, and the staircase that may correct it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pytracking.confidence.calibration import Calibration, CalibrationError, logistic
from pytracking.confidence.features import SCORE
from pytracking.metrics.calibration import lost_curve, reliability

FOUND_ABOVE = 0.5  # of overlap: what a confidence is the probability of
LEAST_FRAMES = 100
METHODS = ("logistic", "isotonic")


@dataclass(frozen=True)
class FitSettings:
    """How a calibration is fitted.

    Attributes:
        method: ``logistic``, ``isotonic`` (a staircase on top of it), or ``best``: whichever has the smaller expected
            calibration error on videos left out of its fit.
        penalty: on the squares of the weights of features of unit spread, in parts of a frame's mean likelihood.
        folds: parts that the videos are cut into for leaving out.
        natural: share of the weight that videos as they are have, beside those with covered targets.
        seed: of the folds.
    """

    method: str = "best"
    penalty: float = 0.001
    folds: int = 5
    natural: float = 0.5
    seed: int = 0

    def __post_init__(self) -> None:
        if self.method not in ("best", *METHODS):
            raise CalibrationError(f"method must be best, {' or '.join(METHODS)}, not {self.method!r}")
        if self.folds < 2 or self.penalty < 0 or not 0 < self.natural <= 1:
            raise CalibrationError("folds must be 2 or more, penalty 0 or more, natural above 0 and at most 1")


@dataclass(frozen=True)
class Frames:
    """Tracked frames of videos with boxes, without the first ones of each.

    Attributes:
        numbers: names of what the tracker said of each frame.
        features: (N, F) of it.
        overlaps: (N,) of the tracked box with the true one; 0 where the target is not to be seen.
        videos: (N,) the name of the video that each is of; a video and what was made of it have one name.
        made: (N,) true in videos whose target was covered or that were cut on purpose.
    """

    numbers: tuple[str, ...]
    features: np.ndarray
    overlaps: np.ndarray
    videos: np.ndarray
    made: np.ndarray

    def part(self, chosen: np.ndarray) -> Frames:
        """Returns the frames that are chosen (N,) bool."""
        arrays = (self.features[chosen], self.overlaps[chosen], self.videos[chosen], self.made[chosen])
        return Frames(self.numbers, *arrays)

    def only(self, numbers: tuple[str, ...]) -> Frames:
        """Returns the frames with the features of some of the numbers."""
        each = self.features.reshape(len(self.features), len(self.numbers), -1)
        kept = each[:, [self.numbers.index(name) for name in numbers]].reshape(len(each), -1)
        return replace(self, numbers=numbers, features=kept)


def fit_calibration(frames: Frames, settings: FitSettings = FitSettings()) -> Calibration:
    """Returns the calibration that fits the frames best.

    Of the score, the quality and both together, those numbers are taken under which videos left out of the fit are the
    most likely; then the method, by its expected calibration error on them. ``about`` has what was chosen, and why.

    Raises:
        CalibrationError: there are too few frames or videos, the target was found in all of them or in none, or the
            tracker gives no number.
    """
    _check(frames, settings)
    found = frames.overlaps > FOUND_ABOVE
    weights = _weights(frames, settings)
    choices = {numbers: _left_out(frames.only(numbers), "logistic", settings) for numbers in _choices(frames.numbers)}
    losses = {numbers: float(weights @ _log_loss(values, found)) for numbers, values in choices.items()}
    frames = frames.only(min(losses, key=lambda numbers: losses[numbers]))
    held_out = {name: _left_out(frames, name, settings) for name in METHODS}
    natural = ~frames.made
    errors = {name: reliability(values[natural], found[natural]).error for name, values in held_out.items()}
    method = min(errors, key=lambda name: errors[name]) if settings.method == "best" else settings.method
    curve = lost_curve(held_out[method], frames.overlaps == 0)
    about = {
        "frames": len(found),
        "videos": len(np.unique(frames.videos)),
        "numbers": {" ".join(numbers): round(loss, 4) for numbers, loss in losses.items()},
        "method": method,
        "errors_on_videos_left_out": {name: round(error, 4) for name, error in errors.items()},
    }
    threshold = float(curve.thresholds[int(np.argmax(curve.f1))]) if np.isfinite(curve.recall).all() else 0.1
    return replace(_METHODS[method](frames, settings), lost_below=float(np.clip(threshold, 0, 1)), about=about)


def check_videos(videos: int, settings: FitSettings) -> None:
    """Raises CalibrationError where videos are too few to leave some out of the fit: known before they are tracked."""
    if videos < settings.folds:
        raise CalibrationError(f"{videos} videos are too few to fit a confidence: give {settings.folds} or more")


def _check(frames: Frames, settings: FitSettings) -> None:
    videos = len(np.unique(frames.videos))
    found = frames.overlaps > FOUND_ABOVE
    if not frames.numbers:
        raise CalibrationError("the tracker gives neither a score nor a quality, so no confidence can be fitted")
    check_videos(videos, settings)
    if len(found) < LEAST_FRAMES:
        raise CalibrationError(f"{len(found)} frames are too few to fit a confidence: give {LEAST_FRAMES} or more")
    if found.all() or not found.any() or frames.made.all():
        raise CalibrationError(
            f"the target was found in {found.sum()} of {len(found)} frames: a fit needs frames of both kinds, and "
            "videos as they are"
        )


def _choices(numbers: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Returns the sets of numbers that are tried: the score, the quality, and all."""
    score = tuple(name for name in numbers if name == SCORE)
    quality = tuple(name for name in numbers if name != SCORE)
    return [each for each in dict.fromkeys((score, quality, numbers)) if each]


def _left_out(frames: Frames, method: str, settings: FitSettings) -> np.ndarray:
    """Returns the confidences (N,) of the frames, each from a fit on the other folds' videos."""
    values = np.zeros(len(frames.overlaps))
    for test in _folds(frames.videos, settings):
        learned = frames.part(~test)
        if len(np.unique(learned.overlaps > FOUND_ABOVE)) < 2:
            raise CalibrationError("the target was lost, or found, in one video alone: fit on more videos")
        values[test] = _METHODS[method](learned, settings)(frames.features[test])
    return values


def _log_loss(confidence: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Returns minus the log likelihood (N,) of what came."""
    return np.asarray(-np.log(np.clip(np.where(found, confidence, 1 - confidence), 1e-6, 1)))


def _folds(videos: np.ndarray, settings: FitSettings) -> list[np.ndarray]:
    names = np.random.default_rng(settings.seed).permutation(np.unique(videos))
    return [np.isin(videos, part) for part in np.array_split(names, settings.folds)]


def _weights(frames: Frames, settings: FitSettings) -> np.ndarray:
    """Returns the weight (N,) of each frame: videos as they are share ``natural`` of it; 1 in all."""
    weights = np.where(frames.made, 1 - settings.natural, settings.natural)
    for kind in (frames.made, ~frames.made):
        weights[kind] /= max(int(kind.sum()), 1)
    return np.asarray(weights / weights.sum())


def _logistic(frames: Frames, settings: FitSettings) -> Calibration:
    from scipy.optimize import minimize

    weights = _weights(frames, settings)
    found = (frames.overlaps > FOUND_ABOVE).astype(float)
    middle = np.nanmean(frames.features, axis=0)
    spread = np.maximum(np.nanstd(frames.features, axis=0), 1e-9)
    inputs = np.c_[np.nan_to_num((frames.features - middle) / spread), np.ones(len(found))]

    def loss(slopes: np.ndarray) -> tuple[float, np.ndarray]:
        """Returns minus the mean log likelihood with the penalty, and its gradient."""
        sums = inputs @ slopes
        shrunk = np.r_[slopes[:-1], 0.0]
        value = weights @ (np.logaddexp(0, sums) - found * sums) + settings.penalty / 2 * shrunk @ shrunk
        return float(value), inputs.T @ (weights * (logistic(sums) - found)) + settings.penalty * shrunk

    slopes = minimize(loss, np.zeros(inputs.shape[1]), jac=True, method="L-BFGS-B").x
    means, spreads, weighed = (tuple(map(float, values)) for values in (middle, spread, slopes[:-1]))
    return Calibration(frames.numbers, means, spreads, weighed, bias=float(slopes[-1]))


def _isotonic(frames: Frames, settings: FitSettings) -> Calibration:
    from scipy.optimize import isotonic_regression

    first = _logistic(frames, settings)
    sums = first.sums(frames.features)
    order = np.argsort(sums, kind="stable")
    found = (frames.overlaps[order] > FOUND_ABOVE).astype(float)
    weights = np.maximum(_weights(frames, settings)[order], 1e-12)  # it takes none of 0
    rising = isotonic_regression(found, weights=weights).x
    # The ends of each stair say it all; between two stairs it is interpolated.
    ends = np.flatnonzero(np.r_[True, np.diff(rising) > 0] | np.r_[np.diff(rising) > 0, True])
    steps = (tuple(map(float, sums[order][ends])), tuple(map(float, np.clip(rising[ends], 0, 1))))
    return replace(first, steps=steps)


_METHODS: dict[str, Callable[[Frames, FitSettings], Calibration]] = {"logistic": _logistic, "isotonic": _isotonic}
