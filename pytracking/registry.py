"""The registries of tracking: trackers, parameter sets, benchmarks, experiments, ways from a click to a box, columns
of reports, and what ECO can see besides a network.

What this package brings itself is registered here by name and imported when it is asked for, so that listing names
stays cheap. Plugins register classes and functions with the decorator.
"""

from __future__ import annotations

import fnmatch
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from ltr.docstrings import described_in_source, public_functions
from ltr.registry import Registry, RegistryError, near_names

if TYPE_CHECKING:
    import numpy as np

    from pytracking.evaluation.sequence import SequenceList
    from pytracking.evaluation.tracker import Tracker
    from pytracking.parameter.params import TrackerParams
    from pytracking.tracker.base import BaseTracker
    from pytracking.tracker.eco.features import Features

    Experiment = Callable[[], tuple[list[Tracker], SequenceList]]
    ReportColumns = Callable[[Tracker], Mapping[str, float]]
    ClickToBox = Callable[[np.ndarray, tuple[float, float]], np.ndarray]


class ExperimentRegistry(Registry["Experiment"]):
    """Experiments, named ``module/function``: registered ones, and the public functions of searched packages.

    An experiment takes nothing and returns the trackers and the sequences they are run on.
    """

    def __init__(self) -> None:
        super().__init__("experiment")
        self._searched: list[str] = []

    def search(self, package: str, *attributes: str) -> None:
        """Makes every public function of every module in ``package`` an entry; ``attributes`` are not used."""
        if package not in self._searched:
            self._searched.append(package)

    def __getitem__(self, name: str) -> Experiment:
        module = self._module(name)
        if module is None:
            return super().__getitem__(name)
        experiment: Experiment = getattr(importlib.import_module(module), name.rpartition("/")[2])
        return experiment

    def describe(self, name: str) -> str:
        """Returns the first line of what an experiment says of itself; its module is not imported."""
        module = self._module(name)
        return super().describe(name) if module is None else described_in_source(module, name.rpartition("/")[2])

    def names(self, pattern: str = "*") -> list[str]:
        """Returns the sorted names that match a shell-style ``pattern``."""
        return sorted(name for name in {*self._entries, *self._found()} if fnmatch.fnmatchcase(name, pattern))

    def __contains__(self, name: object) -> bool:
        return name in self._entries or name in self._found()

    def _module(self, name: str) -> str | None:
        """Returns the searched module that an experiment is a function of, or None if it is registered or unknown."""
        return None if name in self._entries else self._found().get(name)

    def _found(self) -> dict[str, str]:
        """Returns the modules of the searched packages that hold experiments, by the names of these."""
        modules = [
            info.name
            for package in self._searched
            for info in pkgutil.iter_modules(importlib.import_module(package).__path__, f"{package}.")
        ]
        return {
            f"{module.rpartition('.')[2]}/{name}": module for module in modules for name in public_functions(module)
        }

    def _unknown(self, name: str) -> RegistryError:
        known = self.names()
        return RegistryError(
            f"unknown experiment {name!r}.{near_names(name, known)} Known: {', '.join(known)}. "
            f"Looked in: registered names, {', '.join(f'the package {package}' for package in self._searched)}. "
            "An experiment is MODULE and NAME: a function NAME in the module MODULE."
        )


TRACKERS: Registry[Callable[..., BaseTracker]] = Registry("tracker")
PARAMETERS: Registry[Callable[[], TrackerParams]] = Registry("parameter set")
PARAMETERS.search("pytracking.parameter", "parameters")
BENCHMARKS: Registry[Callable[[], SequenceList]] = Registry("benchmark data set")
EXPERIMENTS = ExperimentRegistry()
EXPERIMENTS.search("pytracking.experiments")
# From a frame (H, W, 3) and a click x, y to the box (4,) x, y, w, h that starts a tracker. Plugins bring these.
CLICK_TO_BOX: Registry[ClickToBox] = Registry("way from a click to a box")
# Columns of reports that no result holds, such as what a network's labels cost: from a tracker to numbers by the heads
# of their columns, none where nothing is known. Plugins bring these.
REPORT_COLUMNS: Registry[ReportColumns] = Registry("columns of reports")

# Features of ECO that need no network; functions without arguments.
ECO_FEATURES: Registry[Callable[[], Features]] = Registry("feature of ECO")


TRACKERS.refer("siamfc", "pytracking.tracker.siamfc:SiamFCTracker", "Cross-correlates the first frame's template.")
TRACKERS.refer("transt", "pytracking.tracker.transt:TransTTracker", "Fuses template and search region by attention.")
TRACKERS.refer("dimp", "pytracking.tracker.dimp:DiMPTracker", "Learns a classifier online, and refines boxes.")
TRACKERS.refer("eco", "pytracking.tracker.eco.tracker:ECOTracker", "Learns a correlation filter on the features.")
TRACKERS.refer("opencv", "pytracking.tracker.opencv:OpenCVTracker", "A tracker of OpenCV's: CSRT or KCF.")
for _name, _cell in {"fhog": 4, "fhog6": 6}.items():
    ECO_FEATURES.refer(
        _name,
        "pytracking.tracker.eco.hog:HogFeatures",
        f"Histograms of oriented gradients in cells of {_cell} pixels, 31 channels projected to 10.",
        cells=(_cell,),
    )
BENCHMARKS.refer(
    "synthetic", "pytracking.evaluation.synthetic:synthetic", "8 generated videos of 60 frames; needs no files."
)
for _name, _what in {
    "otb": "OTB-2015, 100 runs, in otb_dir.",
    "otb13": "OTB-2013, 51 runs, in otb_dir.",
    "uav": "UAV123, 123 sequences, in uav_dir.",
    "uav20l": "UAV20L, 20 long sequences, in uav_dir.",
    "nfs": "NfS at 30 frames/s, 100 sequences, in nfs_dir.",
    "lasot": "LaSOT's test split, 280 sequences, in lasot_dir.",
    "trackingnet": "TrackingNet's test split, 511 sequences, in trackingnet_dir.",
    "got10k_val": "GOT-10k's validation split, 180 sequences, in got10k_val_dir.",
    "got10k_test": "GOT-10k's test split, 180 sequences, in got10k_dir.",
    "vot": "A VOT challenge's sequences, 2013 to 2019, in vot_dir.",
}.items():
    BENCHMARKS.refer(_name, f"pytracking.evaluation.benchmarks:{_name}", _what)
for _name in ("otb", "otb13", "uav", "uav20l"):
    _what = f"A copy of {_name} whose sequences end early on purpose, such as after 100 frames."
    BENCHMARKS.refer(f"{_name}_shortened", f"pytracking.evaluation.benchmarks:{_name}", _what, shortened=True)
for _year in range(2013, 2020):
    BENCHMARKS.refer(f"vot{_year}", "pytracking.evaluation.benchmarks:vot", f"VOT{_year}, in vot_dir.", year=_year)
