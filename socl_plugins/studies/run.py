"""Runs the cells of studies, many at once, each in a process of its own, and keeps what each gives in a file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltr.admin.files import write_bytes_atomically
from socl_plugins.studies.study import Cell


@dataclass
class RunReport:
    """Which cells were run now, which had been before, and the logs of those that failed."""

    done: int = 0
    present: int = 0
    failed: dict[str, Path] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOptions:
    """How cells are run.

    Attributes:
        out: folder of the results, one JSON file a cell, and the logs.
        tests: names of test videos.
        jobs: cells at once.
        device: ``auto``, ``cpu`` or ``cuda``.
        keep: keep the workspaces with their checkpoints.
        plugins: imported first.
    """

    out: Path
    tests: Sequence[str]
    jobs: int = 1
    device: str = "auto"
    keep: bool = False
    plugins: Sequence[str] = ()


def run_cells(cells: Iterable[Cell], options: RunOptions) -> RunReport:
    """Runs what is missing of some cells, ``jobs`` at once. The same call goes on after it was stopped.

    A result is written whole or not at all. A cell that fails does not stop the others.
    """
    report = RunReport()
    missing = []
    for cell in dict.fromkeys(cells):
        result = read_result(options.out, cell)
        if result is not None and set(options.tests) <= set(result["tests"]):
            report.present += 1
        else:
            missing.append(cell)
    with ThreadPoolExecutor(options.jobs) as pool:
        for number, (cell, log) in enumerate(pool.map(lambda cell: (cell, _run(cell, options)), missing), 1):
            if log is None:
                report.done += 1
            else:
                report.failed[cell.key] = log
            print(f"{number}/{len(missing)} {cell.key}: {_summary(read_result(options.out, cell), log)}", flush=True)
    return report


def read_result(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Returns what a cell gave, or none."""
    path = result_path(out, cell)
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def read_results(out: Path) -> Iterator[dict[str, Any]]:
    """Yields what all cells of a folder gave."""
    for path in sorted(out.glob("*.json")):
        yield json.loads(path.read_text())


def result_path(out: Path, cell: Cell) -> Path:
    """Returns the file of a cell's result."""
    return out / f"{cell.key}.json"


def run_one(words: str) -> int:
    """Runs the cell that a JSON text describes, as :func:`run_cells` asks for it; returns the exit status."""
    import cv2
    import torch

    from socl_plugins.studies.measure import measure_cell

    asked = json.loads(words)
    torch.set_num_threads(asked["threads"])
    cv2.setNumThreads(asked["threads"])
    cell = Cell(**{**asked["cell"], "settings": tuple((key, value) for key, value in asked["cell"]["settings"])})
    result = measure_cell(cell, asked["tests"], Path(asked["workspace"]), asked["device"])
    write_bytes_atomically(Path(asked["result"]), json.dumps(result, indent=1).encode())
    return 0


def _run(cell: Cell, options: RunOptions) -> Path | None:
    logs = options.out / "logs"
    logs.mkdir(parents=True, exist_ok=True)
    workspace = Path(tempfile.mkdtemp(prefix=f"{cell.key}-", dir=options.out))
    threads = max((os.cpu_count() or 1) // options.jobs, 1)
    asked = {
        "cell": asdict(cell),
        "tests": list(options.tests),
        "workspace": str(workspace.absolute()),
        "device": options.device,
        "result": str(result_path(options.out, cell).absolute()),
        "threads": threads,
    }
    command = [sys.executable, "-m", "socl_plugins.studies", "cell", json.dumps(asked)]
    for plugin in options.plugins:
        command += ["--plugin", plugin]
    log = logs / f"{cell.key}.log"
    with log.open("w") as output:
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
        done = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment, check=False)
    if done.returncode == 0 and not options.keep:
        shutil.rmtree(workspace)
    return None if done.returncode == 0 else log


def _summary(result: dict[str, Any] | None, log: Path | None) -> str:
    if result is None or log is not None:
        return f"failed, see {log}"
    return ", ".join(f"{name} AUC {scores['auc']:.3f}" for name, scores in result["tests"].items())
