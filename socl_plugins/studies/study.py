"""What a study is: rows that are trained and tracked alike, but for what the row says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

Overrides = Mapping[str, str]
"""Hyper-parameters as ``--set`` takes them."""


class StudyError(ValueError):
    """A study, a row or a setting that does not exist, or that cannot be asked for."""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        title: what the line is called.
        recipe: ``module/name``, trained once for each seed; empty: nothing is trained.
        network: a registered network, which then gets random weights; empty, too: ``tracker`` is used as it is.
        settings: what differs from the study's schedule.
        tracker: the parameter set that tracks, ``tracker/name``. A row with a network of its own puts it there.
        tracking: what differs from that parameter set, as ``run_tracker.py --set`` takes it.
        paper: what the paper has in this line, as printed.
        line: the line of the plot that the row is a point of, if the study has one.
        x: where on that line, if what the labels cost does not say so.
    """

    title: str
    recipe: str = ""
    network: str = ""
    settings: Overrides = field(default_factory=dict)
    tracker: str = "siamfc/socl_res18"
    tracking: Overrides = field(default_factory=dict)
    paper: str = ""
    line: str = ""
    x: float | None = None


@dataclass(frozen=True)
class Study:
    """A table, and perhaps a plot.

    Attributes:
        name: on the command line, and of the plot's file.
        title: of the table.
        rows: its lines.
        schedule: hyper-parameters that all rows share, unless the command line says otherwise.
        paper: what the column of the paper's figures is.
        x_label: of the plot; empty: there is none.
        log_x: whether its x axis is logarithmic.
    """

    name: str
    title: str
    rows: Sequence[Row]
    schedule: Overrides
    paper: str = ""
    x_label: str = ""
    log_x: bool = False

    def cells(self, seeds: Iterable[int], overrides: Overrides) -> Iterator[Cell]:
        """Yields one run for each seed and row, the seeds outermost: a study that is cut short is still fair."""
        for seed in seeds:
            for row in self.rows:
                yield self.cell(row, seed, overrides)

    def cell(self, row: Row, seed: int, overrides: Overrides) -> Cell:
        """Returns the run of a row with a seed; one of a tracker that is used as it is knows no seed, and has 0.

        Raises:
            StudyError: something is to be the same in all rows that is what some of them differ in.
        """
        for key in overrides:
            if any(key in other.settings for other in self.rows):
                raise StudyError(f"{key} is what rows of {self.name} differ in: it cannot be set for all of them")
        settings = {**self.schedule, **overrides, **row.settings} if row.recipe else {}
        drawn = seed if row.recipe or row.network else 0
        tracking = tuple(sorted(row.tracking.items()))
        return Cell(row.recipe, row.network, tuple(sorted(settings.items())), row.tracker, drawn, tracking)


@dataclass(frozen=True)
class Cell:
    """One run: a network is trained and tracks the test videos. Studies share those that are the same.

    Attributes:
        recipe: ``module/name``, or empty.
        network: the name of a network, or empty.
        settings: all that is set, as ``--set`` takes it.
        tracker: the parameter set.
        seed: of training, or of an untrained network's weights.
        tracking: what differs from the parameter set, as ``--set`` takes it.
    """

    recipe: str
    network: str
    settings: tuple[tuple[str, str], ...]
    tracker: str
    seed: int
    tracking: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """A file name that tells this run from every other."""
        changed = (self.tracking,) if self.tracking else ()  # results that were kept before it existed keep their name
        return self._named(self.recipe, self.network, self.settings, self.tracker, self.seed, *changed)

    @property
    def training(self) -> str:
        """A folder name that runs share whose network is trained alike, whatever tracks with it; of others: the key."""
        return self._named(self.recipe, self.settings, self.seed) if self.recipe else self.key

    def _named(self, *parts: object) -> str:
        name = (self.recipe or self.network or self.tracker).replace("/", "-")
        return f"{name}-{self.seed}-{hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:10]}"
