"""The registries of tracking: trackers, parameter sets, benchmarks, experiments, ways from a click to a box, columns
of reports, and what ECO can see besides a network.

What this package brings itself is registered here by name and imported when it is asked for, so that listing names
stays cheap. Plugins register classes and functions with the decorator.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

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

    def search(self, package: str, attribute: str = "") -> None:
        """Makes every public function of every module in ``package`` an entry; ``attribute`` is not used."""
        if package not in self._searched:
            self._searched.append(package)

    def __getitem__(self, name: str) -> Experiment:
        functions = self._functions()
        if name in functions:
            return functions[name]
        known = self.names()
        raise RegistryError(
            f"unknown experiment {name!r}.{near_names(name, known)} Known: {', '.join(known)}. "
            f"Looked in: registered names, {', '.join(f'the package {package}' for package in self._searched)}. "
            "An experiment is MODULE and NAME: a function NAME in the module MODULE."
        )

    def names(self, pattern: str = "*") -> list[str]:
        """Returns the sorted names that match a shell-style ``pattern``."""
        import fnmatch

        return sorted(name for name in self._functions() if fnmatch.fnmatchcase(name, pattern))

    def __contains__(self, name: object) -> bool:
        return name in self._functions()

    def _functions(self) -> dict[str, Experiment]:
        found: dict[str, Experiment] = {}
        for package in self._searched:
            root = importlib.import_module(package)
            for info in pkgutil.iter_modules(root.__path__, f"{package}."):
                module = importlib.import_module(info.name)
                for name, function in inspect.getmembers(module, inspect.isfunction):
                    if function.__module__ == info.name and not name.startswith("_"):
                        found[f"{info.name.rsplit('.', 1)[-1]}/{name}"] = function
        found.update(self._entries)
        return found


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


def on_demand(module: str, attribute: str, description: str, **fixed: Any) -> Callable[..., Any]:
    """Returns a function that imports ``module`` when it is called, and calls its ``attribute`` with ``fixed``."""

    def build(*args: Any, **kwargs: Any) -> Any:
        return getattr(importlib.import_module(module), attribute)(*args, **fixed, **kwargs)

    build.__name__ = attribute
    build.__doc__ = f"{description}\n\n    See {module}.{attribute}."
    return build


_EVALUATION = "pytracking.evaluation"
TRACKERS.register("siamfc")(
    on_demand("pytracking.tracker.siamfc", "SiamFCTracker", "Cross-correlates the first frame's template.")
)
TRACKERS.register("transt")(
    on_demand("pytracking.tracker.transt", "TransTTracker", "Fuses template and search region by attention.")
)
TRACKERS.register("dimp")(
    on_demand("pytracking.tracker.dimp", "DiMPTracker", "Learns a classifier online, and refines boxes.")
)
TRACKERS.register("eco")(
    on_demand("pytracking.tracker.eco.tracker", "ECOTracker", "Learns a correlation filter on the features.")
)
TRACKERS.register("opencv")(
    on_demand("pytracking.tracker.opencv", "OpenCVTracker", "A tracker of OpenCV's: CSRT or KCF.")
)
for _name, _cell in {"fhog": 4, "fhog6": 6}.items():
    ECO_FEATURES.register(_name)(
        on_demand(
            "pytracking.tracker.eco.hog",
            "HogFeatures",
            f"Histograms of oriented gradients in cells of {_cell} pixels, 31 channels projected to 10.",
            cells=(_cell,),
        )
    )
BENCHMARKS.register("synthetic")(
    on_demand(f"{_EVALUATION}.synthetic", "synthetic", "8 generated videos of 60 frames; needs no files.")
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
    BENCHMARKS.register(_name)(on_demand(f"{_EVALUATION}.benchmarks", _name, _what))
for _year in range(2013, 2020):
    _vot = on_demand(f"{_EVALUATION}.benchmarks", "vot", f"VOT{_year}, in vot_dir.", year=_year)
    BENCHMARKS.register(f"vot{_year}")(_vot)
