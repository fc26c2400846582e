"""Runs the cells of studies, many at once, each in a process of its own, and keeps what each gives in a file."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltr.admin.environment import load_environment
from ltr.admin.files import write_bytes_atomically
from socl_plugins.studies.study import Cell


@dataclass
class RunReport:
    """Which cells were run now, which had been before, and what went wrong with others."""

    done: int = 0
    present: int = 0
    failed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RunOptions:
    """How cells are run.

    Attributes:
        out: folder of the results, one JSON file a cell, and the logs. One run at a time may use it.
        tests: names of test videos.
        jobs: cells at once.
        device: ``auto``, ``cpu`` or ``cuda``.
        keep: keep the workspaces with their checkpoints.
        plugins: imported first.
        learned_from: what recipes learn from on this machine; results of other videos are not taken for these.
        precision: of networks while they track; results of another one are not taken for these. None: whatever the
            parameter sets have.
    """

    out: Path
    tests: Sequence[str]
    jobs: int = 1
    device: str = "auto"
    keep: bool = False
    plugins: Sequence[str] = ()
    learned_from: str = ""
    precision: str | None = None


def run_cells(cells: Iterable[Cell], options: RunOptions) -> RunReport:
    """Runs what is missing of some cells, ``jobs`` at once. The same call goes on after it was stopped.

    A result is written whole or not at all. A cell that fails does not stop the others; whatever stops this function
    stops the cells that are running.
    """
    report = RunReport()
    missing: dict[Cell, list[str]] = {}
    for cell in dict.fromkeys(cells):
        tests = _missing_tests(cell, options)
        if tests:
            missing[cell] = tests
        else:
            report.present += 1
    running: set[subprocess.Popen[bytes]] = set()
    threads = max((os.cpu_count() or 1) // max(min(options.jobs, len(missing)), 1), 1)
    pool = ThreadPoolExecutor(options.jobs)
    try:
        futures = {pool.submit(_run, cell, tests, options, threads, running): cell for cell, tests in missing.items()}
        for number, future in enumerate(as_completed(futures), 1):
            cell = futures[future]
            error = future.result()
            if error is None:
                report.done += 1
            else:
                report.failed[cell.key] = error
            print(f"{number}/{len(missing)} {cell.key}: {error or _summary(options.out, cell)}", flush=True)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(running):
            process.terminate()
        raise
    finally:
        pool.shutdown()
    return report


def _missing_tests(cell: Cell, options: RunOptions) -> list[str]:
    """Returns what a cell is to be tested on: nothing if it was; what it was tested on before, too, if it was not."""
    result = read_result(options.out, cell)
    if result is None or (cell.recipe and result.get("learned_from") not in (None, options.learned_from)):
        return list(options.tests)
    if options.precision is not None and result.get("precision") not in (None, options.precision):
        return list(options.tests)
    if set(options.tests) <= set(result["tests"]):
        return []
    return list(dict.fromkeys([*result["tests"], *options.tests]))


def read_result(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Returns what a cell gave, or none."""
    path = result_path(out, cell)
    if not path.is_file():
        return None
    result: dict[str, Any] = json.loads(path.read_text())
    return result


def result_path(out: Path, cell: Cell) -> Path:
    """Returns the file of a cell's result."""
    return out / f"{cell.key}.json"


def run_one(description: str) -> int:
    """Runs the cell that a JSON text describes, as :func:`run_cells` asks for it; returns the exit status."""
    import cv2
    import torch

    from socl_plugins.studies.measure import measure_cell

    asked = json.loads(description)
    torch.set_num_threads(asked["threads"])
    cv2.setNumThreads(asked["threads"])
    cell = Cell(**{**asked["cell"], "settings": tuple((key, value) for key, value in asked["cell"]["settings"])})
    result = measure_cell(cell, asked["tests"], Path(asked["workspace"]), asked["device"], asked["precision"])
    result["learned_from"] = asked["learned_from"]
    write_bytes_atomically(Path(asked["result"]), json.dumps(result, indent=1).encode())
    return 0


def _run(
    cell: Cell, tests: list[str], options: RunOptions, threads: int, running: set[subprocess.Popen[bytes]]
) -> str | None:
    """Runs a cell in a process, which is in ``running`` meanwhile; returns what went wrong, or none."""
    log = options.out / "logs" / f"{cell.key}.log"
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        workspace = Path(tempfile.mkdtemp(prefix=f"{cell.key}-", dir=options.out))
        description = {
            "cell": asdict(cell),
            "tests": tests,
            "workspace": str(workspace.absolute()),
            "device": options.device,
            "precision": options.precision,
            "result": str(result_path(options.out, cell).absolute()),
            "threads": threads,
            "learned_from": options.learned_from,
        }
        command = [sys.executable, "-m", "socl_plugins.studies", "cell", json.dumps(description)]
        for plugin in options.plugins:
            command += ["--plugin", plugin]
        networks = str(load_environment().network_dir.absolute())  # they lie where they do, whatever the workspace
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTRACKING_NETWORK_DIR": networks}
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            running.add(process)
            status = process.wait()
            running.discard(process)
        if not options.keep:
            shutil.rmtree(workspace)
    except OSError as error:
        return f"failed: {error}"
    return f"failed, see {log}" if status else None


def _summary(out: Path, cell: Cell) -> str:
    result = read_result(out, cell)
    assert result is not None
    return ", ".join(f"{name} AUC {scores['auc']:.3f}" for name, scores in result["tests"].items())
