"""Runs the cells of studies, many at once, each in a process of its own, and keeps what each gives in a file."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from ltr.admin.command_line import clock
from ltr.admin.environment import load_environment
from ltr.admin.jobs import threads_each, use_threads
from ltr.admin.ownership import Owner, own
from ltr.admin.processes import end_with_parent
from ltr.admin.records import RecordError, read_record, write_record
from socl_plugins.studies.study import Cell

OTHER_RUN = "choose another folder with --out"
WORKSPACE = ".workspace"  # ending of the folder of a cell that runs
SECONDS_BETWEEN_LINES = 30.0  # of progress
OF_THE_JPEG_DECODER = ("Corrupt JPEG data", "Premature end of JPEG")  # for frames of OTB that decode well
LOOKED_AT = 20_000  # bytes at the end of a log


@dataclass
class StudyOutcome:
    """Which cells were run now, which had been before, and what went wrong with others."""

    done: int = 0
    present: int = 0
    failed: dict[str, str] = field(default_factory=dict)


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


def run_cells(cells: Iterable[Cell], options: RunOptions) -> StudyOutcome:
    """Runs what is missing of some cells, ``jobs`` at once. The same call goes on after it was stopped.

    A result is written whole or not at all; a damaged one is set aside and made again. A cell that fails does not stop
    the others; whatever stops this function stops the cells that are running.

    Raises:
        OwnershipError: another run writes to the folder of the results.
    """
    with own(options.out, OTHER_RUN) as owner:
        for left in options.out.glob(f".*{WORKSPACE}"):  # by a run that was killed
            shutil.rmtree(left, ignore_errors=True)
        return _run_cells(cells, options, owner)


def _run_cells(cells: Iterable[Cell], options: RunOptions, owner: Owner) -> StudyOutcome:
    report = StudyOutcome()
    missing: dict[Cell, list[str]] = {}
    for cell in dict.fromkeys(cells):
        tests = _missing_tests(cell, options)
        if tests:
            missing[cell] = tests
        else:
            report.present += 1
    running: dict[subprocess.Popen[bytes], Cell] = {}
    threads = threads_each(min(options.jobs, len(missing)))
    pool = ThreadPoolExecutor(options.jobs)
    print(f"{len(missing)} cells to run, {report.present} are there", flush=True)
    started = time.monotonic()
    try:
        futures = {
            pool.submit(_run, cell, tests, options, threads, running, owner): cell for cell, tests in missing.items()
        }
        for number, future in enumerate(_ended(futures, options.out, running), 1):
            cell = futures[future]
            error = future.result()
            if error is None:
                report.done += 1
            else:
                report.failed[cell.key] = error
            left = clock((time.monotonic() - started) / number * (len(missing) - number))
            outcome = error or _summary(options.out, cell)
            print(f"{number}/{len(missing)} {cell.key}: {outcome}; {left} left", flush=True)
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(running):
            process.terminate()
        raise
    finally:
        pool.shutdown()
    return report


def _ended(
    futures: Mapping[Future[str | None], Cell], out: Path, running: Mapping[subprocess.Popen[bytes], Cell]
) -> Iterator[Future[str | None]]:
    """Yields each as it ends; meanwhile the last lines of the logs of those that run are printed now and then."""
    waiting = set(futures)
    told: dict[str, str] = {}
    while waiting:
        ended, waiting = wait(waiting, SECONDS_BETWEEN_LINES, FIRST_COMPLETED)
        yield from ended
        for cell in () if ended else list(running.values()):
            line = last_line(log_path(out, cell))
            if line and told.get(cell.key) != line:
                print(f"{cell.key}: {line}", flush=True)
                told[cell.key] = line


def last_line(log: Path) -> str:
    """Returns the last line of a log that says how far a cell is; empty where there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(log.stat().st_size - LOOKED_AT, 0))
            end = file.read()
    except OSError:
        return ""
    lines = [line.decode("utf-8", "replace").strip() for line in re.split(rb"[\r\n]", end)]
    return next((line for line in reversed(lines) if line and not line.startswith(OF_THE_JPEG_DECODER)), "")


def log_path(out: Path, cell: Cell) -> Path:
    """Returns where what a cell prints is kept."""
    return out / "logs" / f"{cell.key}.log"


def _missing_tests(cell: Cell, options: RunOptions) -> list[str]:
    """Returns what a cell is to be tested on: nothing if it was; what it was tested on before, too, if it was not."""
    try:
        result = read_result(options.out, cell)
    except RecordError as error:
        path = result_path(options.out, cell)
        path.replace(path.with_suffix(".damaged"))
        print(f"{error}; it is now {path.with_suffix('.damaged').name}, and the cell is run again", flush=True)
        result = None
    if result is None or (cell.recipe and result.get("learned_from") not in (None, options.learned_from)):
        return list(options.tests)
    if options.precision is not None and result.get("precision") not in (None, options.precision):
        return list(options.tests)
    if set(options.tests) <= set(result["tests"]):
        return []
    return list(dict.fromkeys([*result["tests"], *options.tests]))


def read_result(out: Path, cell: Cell) -> dict[str, Any] | None:
    """Returns what a cell gave, or none.

    Raises:
        RecordError: its file is damaged.
    """
    path = result_path(out, cell)
    try:
        result = read_record(path)
    except FileNotFoundError:
        return None
    scores = result.get("tests")
    if not isinstance(scores, dict) or not all(isinstance(one, dict) and "auc" in one for one in scores.values()):
        raise RecordError(f"{path} is damaged: it has no scores of tests")
    return result


def result_path(out: Path, cell: Cell) -> Path:
    """Returns the file of a cell's result."""
    return out / f"{cell.key}.json"


def run_one(description: str) -> int:
    """Runs the cell that a JSON text describes, as :func:`run_cells` asks for it; returns the exit status."""
    from socl_plugins.studies.measure import measure_cell

    asked = json.loads(description)
    end_with_parent(asked["owner"]["pid"])
    use_threads(asked["threads"])
    cell = Cell(**{**asked["cell"], "settings": tuple((key, value) for key, value in asked["cell"]["settings"])})
    result = measure_cell(cell, asked["tests"], Path(asked["workspace"]), asked["device"], asked["precision"])
    result["learned_from"] = asked["learned_from"]
    Owner(**asked["owner"]).check()
    write_record(Path(asked["result"]), result)
    return 0


def _run(
    cell: Cell,
    tests: list[str],
    options: RunOptions,
    threads: int,
    running: dict[subprocess.Popen[bytes], Cell],
    owner: Owner,
) -> str | None:
    """Runs a cell in a process, which is in ``running`` meanwhile; returns what went wrong, or none."""
    log = log_path(options.out, cell)
    try:
        log.parent.mkdir(parents=True, exist_ok=True)
        hidden = "" if options.keep else "."
        workspace = Path(tempfile.mkdtemp(WORKSPACE, f"{hidden}{cell.key}-", options.out))
        print(f"{cell.key}: started, its log is {log}", flush=True)
        description = {
            "cell": asdict(cell),
            "tests": tests,
            "workspace": str(workspace.absolute()),
            "device": options.device,
            "precision": options.precision,
            "result": str(result_path(options.out, cell).absolute()),
            "threads": threads,
            "learned_from": options.learned_from,
            "owner": asdict(owner),
        }
        command = [sys.executable, "-m", "socl_plugins.studies", "cell", json.dumps(description)]
        for plugin in options.plugins:
            command += ["--plugin", plugin]
        networks = str(load_environment().network_dir.absolute())  # they lie where they do, whatever the workspace
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "PYTRACKING_NETWORK_DIR": networks}
        with log.open("w") as output:
            process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
            running[process] = cell
            status = process.wait()
            del running[process]
        if not options.keep:
            shutil.rmtree(workspace)
    except OSError as error:
        return f"failed: {error}"
    return f"failed, see {log}" if status else None


def _summary(out: Path, cell: Cell) -> str:
    result = read_result(out, cell)
    assert result is not None
    return ", ".join(f"{name} AUC {scores['auc']:.3f}" for name, scores in result["tests"].items())
