"""What each command of ``python -m socl_plugins.pseudo_label`` does."""

from __future__ import annotations

import argparse
from pathlib import Path

from ltr.admin.environment import load_environment
from ltr.admin.settings import apply_overrides
from ltr.dataset.named import open_dataset
from pytracking.analysis.figures import check_figure_path, write_line_plot
from pytracking.analysis.pictures import check_pictures_path
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label.build import store_pseudo_boxes
from socl_plugins.pseudo_label.measures import PseudoBoxMeasures, measure_pseudo_boxes
from socl_plugins.pseudo_label.settings import PseudoBoxSettings, describe, method_settings
from socl_plugins.pseudo_label.show import write_strips
from socl_plugins.pseudo_label.store import STORES, PseudoBoxStore, rebuild_command, store_file
from socl_plugins.stores import BuildReport, check_stores


def build(options: argparse.Namespace) -> int:
    """Fills the store, and says what is in it."""
    dataset = _sparse(options, options.period)
    store, report = _build(options, dataset, options.method)
    return report.print(store.records, "video")


def check(options: argparse.Namespace) -> int:
    """Verifies every record of stores."""
    return check_stores(options.files, _folder(options), rebuild_command)


def show(options: argparse.Namespace) -> int:
    """Draws frames of some videos with their stored boxes."""
    check_pictures_path(options.out)
    dataset = _sparse(options, options.period)
    store = PseudoBoxStore(_file(options, dataset, options.method))
    write_strips(dataset, store, options.out, max(options.videos, 1))
    print(options.out)
    return 0


def stats(options: argparse.Namespace) -> int:
    """Prints quality and cost, a row for each method and period, and draws them."""
    if options.plot:
        check_figure_path(options.plot)
    truth = open_dataset(options.dataset, load_environment(), options.root)
    lines: dict[str, list[tuple[float, float]]] = {}
    print(f"{'method':15}{'T':>4}{'frames':>9}{'IoU':>8}{'IoU>.5':>8}{'IoU all':>9}{'failed':>8}{'hours':>10}{'$':>12}")
    failures = 0
    for method in options.method:
        for period in sorted(set(options.period)):
            dataset = _sparse(options, period)
            store, report = _build(options, dataset, method)
            failures += len(report.failures)
            if not report.failures:
                found = measure_pseudo_boxes(dataset, truth, store)
                _print_row(method, period, found)
                lines.setdefault(method, []).append((found.cost.hours, found.all_iou))
    print("IoU and IoU>.5 are those of the frames whose box no person drew; IoU all is that of all frames.")
    if options.plot and lines:
        write_line_plot(options.plot, lines, "hours of annotation", "mean IoU of all boxes", y_limits=(0, 1.02))
        print(options.plot)
    return 1 if failures else 0


def _print_row(method: str, period: int, found: PseudoBoxMeasures) -> None:
    print(
        f"{method:15}{period:4}{found.machine_frames:9,}{found.iou:8.3f}{found.good:8.3f}{found.all_iou:9.3f}"
        f"{found.failure_rate:8.3f}{found.cost.hours:10,.2f}{found.cost.dollars:12,.2f}"
    )


def _sparse(options: argparse.Namespace, period: int) -> SparseBoxAnnotated:
    dataset = open_dataset(options.dataset, load_environment(), options.root)
    return SparseBoxAnnotated(dataset, period, options.noise_px)


def _settings(options: argparse.Namespace, method: str) -> PseudoBoxSettings:
    return apply_overrides(method_settings(method), dict(options.overrides))


def _folder(options: argparse.Namespace) -> Path:
    return options.store or load_environment().workspace_dir / STORES


def _file(options: argparse.Namespace, dataset: SparseBoxAnnotated, method: str) -> Path:
    return _folder(options) / store_file(dataset, method)


def _build(options: argparse.Namespace, dataset: SparseBoxAnnotated, method: str) -> tuple[PseudoBoxStore, BuildReport]:
    settings = _settings(options, method)
    about = describe(settings, dataset.period, dataset.noise_px, dataset.seed)
    store = PseudoBoxStore(_file(options, dataset, method), about=about)
    return store, store_pseudo_boxes(dataset, store, settings, options.jobs, options.backend)
