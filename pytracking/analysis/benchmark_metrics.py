"""What each benchmark is scored by: a kind of metric, and the toolkit whose protocol it follows.

A benchmark's own metric stands in ``BENCHMARK_METRICS``, where a plugin may add that of its benchmark; what is not
there is scored by one-pass evaluation. All numbers of tables, plots, pages and files come from here.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from collections.abc import Sequence as AbstractSequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from pytracking.analysis.curves import Column, Curve
from pytracking.analysis.scoring import frame_size, score_got10k, score_sequence
from pytracking.evaluation.resets import load_runs, run_file, true_corners
from pytracking.evaluation.results import load_result, read_numbers
from pytracking.evaluation.sequence import Sequence
from pytracking.evaluation.tracker import Judgement, Tracker
from pytracking.metrics import EAO_INTERVALS, PROTOCOLS, VOT_PROTOCOLS, MetricError, bounding_boxes, mean_ope
from pytracking.metrics.errors import check_known
from pytracking.metrics.got10k import got10k_curve, scores_of_overlaps
from pytracking.metrics.vot import (
    accuracy_and_robustness,
    eao_curve_of,
    eao_interval,
    eao_part,
    measure_runs,
    read_trajectory,
)

PLOT_TYPES = ("success", "prec", "norm_prec")  # of one-pass evaluation


@dataclass(frozen=True)
class MetricValues:
    """Numbers and curves over one sequence or many.

    Attributes:
        values: the numbers by their columns' keys; NaN where one is not defined.
        curves: by their names.
    """

    values: Mapping[str, float]
    curves: Mapping[str, np.ndarray]

    def __getitem__(self, key: str) -> float:
        return self.values[key]


@dataclass(frozen=True)
class Metric(ABC):
    """How results on a benchmark become numbers.

    Attributes:
        protocol: the toolkit's rules that are followed, a name in ``protocols``.
        protocols: the protocols of this kind of metric, and the toolkits that they are.
        rank: key of the column that trackers are ranked by.
        sequence_rank: key of the column that stands for a single sequence.
        made_by: the command that makes the results.
    """

    protocol: str
    protocols: ClassVar[Mapping[str, str]]
    rank: ClassVar[str]
    sequence_rank: ClassVar[str]
    made_by: ClassVar[str] = "pytracking/run_tracker.py"

    @property
    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """The columns that tables show."""

    @property
    @abstractmethod
    def curves(self) -> tuple[Curve, ...]:
        """The curves that plots show."""

    @property
    @abstractmethod
    def heading(self) -> str:
        """What a table's head says of the metric: its kind, toolkit and protocol."""

    @abstractmethod
    def measure(self, tracker: Tracker, sequence: Sequence) -> tuple[Any, np.ndarray]:
        """Returns what :meth:`score` needs to know of the saved result, and the seconds (N,) that frames took.

        Raises:
            ResultError: the result is missing or broken.
            MetricError: it cannot be scored.
        """

    @abstractmethod
    def score(self, measured: AbstractSequence[Any]) -> MetricValues:
        """Returns the score over the sequences that were measured so."""

    def boxes(self, tracker: Tracker, sequence: Sequence) -> np.ndarray:
        """Returns the boxes (T, 4) of the saved result for pictures; NaN where there is none."""
        return load_result(tracker, sequence).boxes

    def judged(self, tracker: Tracker, sequence: Sequence) -> Judgement | None:
        """Returns how sure the tracker of the saved result was of each frame; None where nothing is known of it."""
        return load_result(tracker, sequence).judged

    def showing(self, plot_types: AbstractSequence[str]) -> Metric:
        """Returns the metric with these of its columns and curves, if it has a choice of them."""
        return self

    def column(self, key: str) -> Column:
        """Returns the shown column of this key."""
        return next(column for column in self.columns if column.key == key)

    @property
    def toolkit(self) -> str:
        """Whose protocol it is."""
        return self.protocols[self.protocol]

    def _by(self) -> str:
        return f"by {self.toolkit} (protocol {self.protocol})"


@dataclass(frozen=True)
class OnePass(Metric):
    """One-pass evaluation: AUC of success, precision, normalised precision; see :func:`pytracking.metrics.ope`.

    Attributes:
        shown: plot types whose columns and curves are shown; files hold all.
    """

    protocol: str = "pysot"
    shown: tuple[str, ...] = PLOT_TYPES
    protocols: ClassVar[Mapping[str, str]] = {name: rules.toolkit for name, rules in PROTOCOLS.items()}
    rank: ClassVar[str] = "auc"
    sequence_rank: ClassVar[str] = "auc"

    @property
    def columns(self) -> tuple[Column, ...]:
        every = (
            Column("auc", "AUC", "success"),
            Column("precision20", "DP@20", "prec"),
            Column("norm_precision20", "NP@.20", "norm_prec"),
            Column("norm_precision_area", "NP area", "norm_prec"),
        )
        return tuple(column for column in every if column.plot in self.shown or column.key == self.rank)

    @property
    def curves(self) -> tuple[Curve, ...]:
        by_area = PROTOCOLS[self.protocol].norm_by_area
        keys = {"success": "auc", "prec": "precision20"}
        keys["norm_prec"] = "norm_precision_area" if by_area else "norm_precision20"
        pixels, sizes = "location error threshold (pixels)", "location error threshold (of the target's size)"
        axes: dict[str, tuple[str, str, str, str, float]] = {
            "success": ("success", "Success", "overlap threshold", "success rate", 1.0),
            "prec": ("precision", "Precision", pixels, "precision", 50.0),
            "norm_prec": ("norm_precision", "Normalised precision", sizes, "precision", 0.5),
        }
        return tuple(Curve(kind, self.column(keys[kind]), *axes[kind]) for kind in self.shown)

    @property
    def heading(self) -> str:
        area = "norm_prec" in self.shown and PROTOCOLS[self.protocol].norm_by_area
        return f"one-pass evaluation {self._by()}{'; it ranks normalised precision by NP area' if area else ''}"

    def measure(self, tracker: Tracker, sequence: Sequence) -> tuple[Any, np.ndarray]:
        result = load_result(tracker, sequence)
        return score_sequence(result.boxes, sequence, self.protocol), result.times[1:]

    def score(self, measured: AbstractSequence[Any]) -> MetricValues:
        mean = mean_ope(measured)
        return MetricValues(
            {
                "auc": mean.auc,
                "precision20": mean.dp20,
                "norm_precision20": mean.norm_precision20,
                "norm_precision_area": mean.norm_precision_area,
            },
            {name: getattr(mean, name) for name in ("success", "precision", "norm_precision")},
        )

    def showing(self, plot_types: AbstractSequence[str]) -> OnePass:
        return replace(self, shown=tuple(kind for kind in PLOT_TYPES if kind in plot_types))


@dataclass(frozen=True)
class GOT10k(Metric):
    """GOT-10k's average overlap and success rates; see :func:`pytracking.metrics.got10k`."""

    protocol: str = "got10k"
    protocols: ClassVar[Mapping[str, str]] = {"got10k": PROTOCOLS["got10k"].toolkit}
    rank: ClassVar[str] = "ao"
    sequence_rank: ClassVar[str] = "ao"

    @property
    def columns(self) -> tuple[Column, ...]:
        return Column("ao", "AO"), Column("sr50", "SR.50"), Column("sr75", "SR.75")

    @property
    def curves(self) -> tuple[Curve, ...]:
        axes = ("overlap threshold", "success rate", 1.0)
        return (Curve("success", self.column("ao"), "success", "Success", *axes),)

    @property
    def heading(self) -> str:
        return f"average overlap and success rates of all frames {self._by()}"

    def measure(self, tracker: Tracker, sequence: Sequence) -> tuple[Any, np.ndarray]:
        result = load_result(tracker, sequence)
        return score_got10k(result.boxes, sequence), result.times[1:]

    def score(self, measured: AbstractSequence[Any]) -> MetricValues:
        overlaps = np.concatenate(measured)
        if not len(overlaps):  # of a sequence without a visible frame
            return MetricValues(dict.fromkeys(("ao", "sr50", "sr75"), np.nan), {"success": np.full(101, np.nan)})
        return MetricValues(scores_of_overlaps(overlaps)._asdict(), {"success": got10k_curve(overlaps)})


@dataclass(frozen=True)
class VOT(Metric):
    """VOT's accuracy, robustness and expected average overlap; see :func:`pytracking.metrics.vot_supervised`.

    Attributes:
        challenge: whose interval of lengths EAO averages over, a name in ``EAO_INTERVALS``.

    Raises:
        MetricError: an unknown protocol or challenge.
    """

    protocol: str = "pysot"
    challenge: str = "vot2018"
    protocols: ClassVar[Mapping[str, str]] = VOT_PROTOCOLS
    rank: ClassVar[str] = "eao"
    sequence_rank: ClassVar[str] = "accuracy"
    made_by: ClassVar[str] = "pytracking/run_vot.py"

    def __post_init__(self) -> None:
        check_known("protocol", self.protocol, VOT_PROTOCOLS)
        eao_interval(self.challenge)

    @property
    def columns(self) -> tuple[Column, ...]:
        return (
            Column("accuracy", "A", percent=False),
            Column("robustness", "R", percent=False, higher_is_better=False),
            Column("eao", "EAO", percent=False),
        )

    @property
    def curves(self) -> tuple[Curve, ...]:
        axes = ("frames after a start", "mean overlap", None)
        return (Curve("eao", self.column("eao"), "eao", "Expected average overlap", *axes),)

    @property
    def heading(self) -> str:
        low, high = eao_interval(self.challenge)
        failures = "failures a sequence" if self.protocol == "vot_toolkit" else "failures in 100 frames"
        lengths = f"R: {failures}, EAO: over {low} to {high} frames, as in {self.challenge}"
        return f"reset-based evaluation {self._by()}; {lengths}"

    def measure(self, tracker: Tracker, sequence: Sequence) -> tuple[Any, np.ndarray]:
        runs = load_runs(tracker, sequence)
        truth = true_corners(sequence).reshape(len(sequence), -1)
        files = [run_file(tracker, sequence, index) for index in range(1, len(runs) + 1)]
        times = [file.with_name(f"{file.stem}_time.value") for file in files]
        seconds = [read_numbers(file, 1)[:, 0] for file in times if file.is_file()]
        size = frame_size(sequence)
        return measure_runs(runs, truth, size, self.protocol, sequence.name), np.concatenate([np.zeros(0), *seconds])

    def score(self, measured: AbstractSequence[Any]) -> MetricValues:
        accuracy, robustness = accuracy_and_robustness(measured, self.protocol)
        curve = eao_curve_of(measured, self.protocol)
        part = eao_part(curve, eao_interval(self.challenge), self.protocol)
        eao = float(part.mean()) if len(part) else np.nan
        curve[:1] = np.nan  # nothing is expected of no frame
        return MetricValues({"accuracy": accuracy, "robustness": robustness, "eao": eao}, {"eao": curve})

    def boxes(self, tracker: Tracker, sequence: Sequence) -> np.ndarray:
        points = read_trajectory(load_runs(tracker, sequence)[0]).points
        return bounding_boxes(points.reshape(len(points), -1))

    def judged(self, tracker: Tracker, sequence: Sequence) -> Judgement | None:
        return None  # runs with resets keep boxes alone


BENCHMARK_METRICS: dict[str, Metric] = {
    **dict.fromkeys(("otb", "otb13", "uav", "uav20l", "nfs"), OnePass(shown=("success", "prec"))),
    "lasot": OnePass("lasot"),
    "trackingnet": OnePass("got10k"),
    **dict.fromkeys(("got10k_val", "got10k_test"), GOT10k()),
    **{
        name: VOT(challenge=name if name in EAO_INTERVALS else "vot2018")
        for name in ("vot", *(f"vot{year}" for year in range(2013, 2020)))
    },
}


def benchmark_metric(dataset: str, protocol: str | None = None, one_pass: bool = False) -> Metric:
    """Returns the metric of a data set.

    >>> benchmark_metric("got10k_val").heading
    "average overlap and success rates of all frames by GOT-10k's toolkit (protocol got10k)"
    >>> benchmark_metric("got10k_val", "pysot").heading
    'one-pass evaluation by pysot-toolkit (protocol pysot)'

    Args:
        dataset: its name.
        protocol: the protocol instead of the benchmark's own; one of another kind of metric changes to one-pass
            evaluation.
        one_pass: one-pass evaluation also of VOT, whose own metric scores reset-based runs.

    Raises:
        MetricError: no such protocol scores the data set.
    """
    metric = BENCHMARK_METRICS.get(dataset.removesuffix("_shortened"), OnePass())
    if one_pass and isinstance(metric, VOT):
        metric = OnePass()
    if protocol is None:
        return metric
    if protocol in metric.protocols:
        return replace(metric, protocol=protocol)
    if protocol in VOT_PROTOCOLS and protocol not in PROTOCOLS:
        raise MetricError(f"the protocol {protocol!r} scores reset-based runs, as of vot2018, not {dataset}")
    check_known("protocol", protocol, dict.fromkeys((*metric.protocols, *PROTOCOLS)))
    return OnePass(protocol)


def vot_metric(dataset: str, protocol: str | None = None, challenge: str | None = None) -> VOT:
    """Returns VOT's metric for reset-based runs over a data set, of VOT or any other.

    Args:
        dataset: its name.
        protocol: see :class:`VOT`.
        challenge: see :class:`VOT`; by default the data set's own, or vot2018.

    Raises:
        MetricError: an unknown protocol or challenge.
    """
    own = BENCHMARK_METRICS.get(dataset)
    metric = own if isinstance(own, VOT) else VOT()
    return VOT(protocol or metric.protocol, challenge or metric.challenge)
