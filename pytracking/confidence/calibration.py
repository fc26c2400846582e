"""A fitted calibration: how it turns features into a confidence, its file, and which tracker it is of."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ltr.admin.environment import load_environment
from ltr.admin.records import RecordError, read_record, write_record
from pytracking.confidence.features import feature_names
from pytracking.evaluation.run_key import content_key, settings_digest

if TYPE_CHECKING:
    from pytracking.evaluation.tracker import Tracker
    from pytracking.parameter.params import TrackerParams

FOLDER = "confidence"  # in network_dir
FORMAT = 1
COMMAND = "python -m pytracking.confidence fit"


class CalibrationError(ValueError):
    """A calibration that is missing, damaged, or of another tracker."""


@dataclass(frozen=True)
class Calibration:
    """How often a tracker's box overlaps the true one by more than a half, by what the tracker says of the frame.

    A logistic regression of the features, and, where that keeps its word better, a rising staircase of its sums.

    Attributes:
        numbers: names of what the tracker says of a frame: ``score`` and what is in its ``quality``.
        middle: (F,) of each feature in the frames of the fit; it also stands for a feature that is not known.
        spread: (F,) standard deviation of each.
        weights: (F,) of the features, less their middle and by their spread.
        bias: of the sum.
        steps: sums (n,) and the confidences (n,) there, between which it is interpolated; none: the logistic function.
        lost_below: the confidence under which the target counts as lost, where nothing else is asked for.
        key: digest of the parameters and weights that it was fitted for.
        about: where it comes from, for people: data, frames, errors.
    """

    numbers: tuple[str, ...]
    middle: tuple[float, ...]
    spread: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float
    steps: tuple[tuple[float, ...], tuple[float, ...]] | None = None
    lost_below: float = 0.5
    key: str = ""
    about: Mapping[str, Any] | None = None

    def sums(self, features: np.ndarray) -> np.ndarray:
        """Returns the weighted sums (N,) of features (N, F); one that is NaN counts as its middle."""
        centred = np.nan_to_num((np.asarray(features, np.float64) - self.middle) / self.spread)
        return np.asarray(centred @ np.asarray(self.weights) + self.bias)

    def __call__(self, features: np.ndarray) -> np.ndarray:
        """Returns the confidences (N,), 0 to 1, of features (N, F)."""
        sums = self.sums(features)
        return logistic(sums) if self.steps is None else np.interp(sums, *self.steps)


def logistic(sums: np.ndarray) -> np.ndarray:
    """Returns 1 / (1 + exp(-sums))."""
    return np.asarray(1 / (1 + np.exp(-np.clip(sums, -500, 500))))


def calibration_key(tracker: Tracker, params: TrackerParams) -> str:
    """Returns a digest of what a calibration depends on: parameters and weights, but not what is done when lost."""
    plain = replace(params, **{name: getattr(type(params), name) for name in params.names_when_lost()})
    return content_key(tracker, plain)[0]


def calibration_file(tracker: Tracker, params: TrackerParams | None = None) -> Path:
    """Returns where the calibration of a tracker lies: ``confidence/<tracker>-<parameters>[+<settings>].json``.

    The folder is in the environment's ``network_dir``, beside the networks.
    """
    when_lost = (tracker.parameters() if params is None else params).names_when_lost()
    digest = settings_digest({name: value for name, value in tracker.changed.items() if name not in when_lost})
    name = f"{tracker.name}-{tracker.parameter_name}{f'+{digest}' if digest else ''}.json"
    return load_environment().network_dir / FOLDER / name


def save_calibration(path: Path, calibration: Calibration) -> None:
    """Writes a calibration, whole or not at all.

    Raises:
        WriteError: the file cannot be written.
    """
    write_record(path, {"format": FORMAT, **asdict(calibration)})


def load_calibration(path: Path) -> Calibration:
    """Returns a calibration that was written.

    Raises:
        CalibrationError: there is none, it is damaged, or it is no calibration; the message names the file.
    """
    try:
        content = read_record(path)
    except FileNotFoundError as error:
        raise CalibrationError(
            f"there is no calibration {path}; make one with: {COMMAND} TRACKER/PARAMETERS DATA"
        ) from error
    except RecordError as error:
        raise CalibrationError(f"{error}; delete it, or fit it again with: {COMMAND}") from error
    try:
        return _checked(content)
    except (KeyError, TypeError, ValueError) as error:
        why = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CalibrationError(
            f"{path} is no calibration of this version: it {why}; fit it again with: {COMMAND}"
        ) from error


def _checked(content: dict[str, Any]) -> Calibration:
    if content["format"] != FORMAT:
        raise ValueError(f"has the format {content['format']!r}, not {FORMAT}")
    steps = content["steps"]
    middle, spread, weights = (tuple(map(float, content[name])) for name in ("middle", "spread", "weights"))
    made = Calibration(
        tuple(str(name) for name in content["numbers"]),
        middle,
        spread,
        weights,
        bias=float(content["bias"]),
        steps=None if steps is None else (tuple(map(float, steps[0])), tuple(map(float, steps[1]))),
        lost_below=float(content["lost_below"]),
        key=str(content["key"]),
        about=content["about"],
    )
    features = len(feature_names(made.numbers))
    arrays = (made.middle, made.spread, made.weights)
    if not features or {len(array) for array in arrays} != {features}:
        raise ValueError(f"has not {features} numbers for its {features} features")
    if not all(np.isfinite(array).all() for array in (*arrays, made.bias)) or min(made.spread) <= 0:
        raise ValueError("has numbers that are not finite, or a spread of 0")
    if made.steps is not None:
        sums, values = (np.asarray(line) for line in made.steps)
        rising = len(sums) == len(values) > 0 and (np.diff(sums) >= 0).all() and (np.diff(values) >= 0).all()
        if not rising or not ((values >= 0) & (values <= 1)).all():
            raise ValueError("has steps that do not rise from 0 to 1")
    if not 0 <= made.lost_below <= 1:
        raise ValueError(f"calls frames lost below {made.lost_below}, which is not in 0 to 1")
    return made


_said: set[str] = set()


def find_calibration(tracker: Tracker, params: TrackerParams) -> Calibration | None:
    """Returns the calibration of a tracker with these parameters, or None.

    One that was fitted for other settings or weights, or that cannot be read, is not used; a line on standard error
    says so, once.
    """
    file = calibration_file(tracker, params)
    if not file.is_file():
        usual = replace(tracker, overrides={})
        if tracker.overrides and (other := calibration_file(usual, params)) != file and other.is_file():
            _say(f"note: {other} was fitted for other settings; without confidences: fit one with {COMMAND}")
        return None
    try:
        found = load_calibration(file)
    except CalibrationError as error:
        _say(f"note: no confidences: {error}")
        return None
    if found.key != calibration_key(tracker, params):
        _say(
            f"note: {file} was fitted for other weights or settings of {tracker.merged_name}; without confidences: "
            f"fit it again with {COMMAND} {tracker.name}/{tracker.parameter_name} DATA"
        )
        return None
    return found


def _say(line: str) -> None:
    if line not in _said:
        _said.add(line)
        print(line, file=sys.stderr, flush=True)
