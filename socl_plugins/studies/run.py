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
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event
from typing import Any

from ltr.admin.command_line import clock
from ltr.admin.environment import load_environment
from ltr.admin.jobs import threads_each, use_threads
from ltr.admin.ownership import Owner, own
from ltr.admin.processes import end_with_parent
from ltr.admin.records import RecordError, read_record, write_record
from socl_plugins.studies.study import Cell
from socl_plugins.studies.trained import WORKSPACE, kept_training, read_training

OTHER_RUN = "choose another folder with --out"
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
        keep: keep the workspaces with their checkpoints. Networks that were kept are not trained again.
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

    Cells that are trained alike, and differ in the tracker, share one training and run one after the other. A result is
    written whole or not at all; a damaged one is set aside and made again. A cell that fails does not stop the others;
    whatever stops this function stops the cells that are running.

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
    alike: dict[str, list[Cell]] = {}
    for cell in missing:
        alike.setdefault(cell.training, []).append(cell)
    work = _Work(threads_each(min(options.jobs, len(alike))), owner)
    pool = ThreadPoolExecutor(options.jobs)
    print(f"{len(missing)} cells to run, {report.present} are there", flush=True)
    started = time.monotonic()
    try:
        for cells in alike.values():
            pool.submit(_run_alike, cells, missing, options, work)
        for number, (cell, error) in enumerate(_outcomes(len(missing), options.out, work), 1):
            if error is None:
                report.done += 1
            else:
                report.failed[cell.key] = error
            left = clock((time.monotonic() - started) / number * (len(missing) - number))
            outcome = error or _summary(options.out, cell)
            print(f"{number}/{len(missing)} {cell.key}: {outcome}; {left} left", flush=True)
    except BaseException:
        work.stopped.set()
        pool.shutdown(wait=False, cancel_futures=True)
        for process in list(work.running):
            process.terminate()
        raise
    finally:
        pool.shutdown()
    return report


@dataclass
class _Work:
    """What the threads that run cells share.

    Attributes:
        threads: of each cell's process.
        owner: of the folder of the results.
        running: the processes of the cells that are running.
        outcomes: what came of each cell that has ended: what went wrong, or none.
        stopped: no further cell is to be started.
    """

    threads: int
    owner: Owner
    running: dict[subprocess.Popen[bytes], Cell] = field(default_factory=dict)
    outcomes: SimpleQueue[tuple[Cell, str | BaseException | None]] = field(default_factory=SimpleQueue)
    stopped: Event = field(default_factory=Event)


def _outcomes(count: int, out: Path, work: _Work) -> Iterator[tuple[Cell, str | None]]:
    """Yields each outcome as it comes; now and then prints the last line of the log of each cell that runs."""
    told: dict[str, str] = {}
    while count:
        try:
            cell, error = work.outcomes.get(timeout=SECONDS_BETWEEN_LINES)
        except Empty:
            for cell in list(work.running.values()):
                line = last_line(log_path(out, cell))
                if line and told.get(cell.key) != line:
                    print(f"{cell.key}: {line}", flush=True)
                    told[cell.key] = line
            continue
        if isinstance(error, BaseException):
            raise error
        yield cell, error
        count -= 1


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
    if result is None:
        return list(options.tests)
    if cell.recipe and result.get("learned_from") not in (None, options.learned_from):
        path = result_path(options.out, cell)
        path.replace(path.with_suffix(".other_videos"))
        print(
            f"{path} is of a network that learned from {result['learned_from']}; it is now "
            f"{path.with_suffix('.other_videos').name}, and the cell is run with {options.learned_from}",
            flush=True,
        )
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
    pairs = {name: tuple((key, value) for key, value in asked["cell"][name]) for name in ("settings", "tracking")}
    cell = Cell(**{**asked["cell"], **pairs})
    result = measure_cell(cell, asked["tests"], Path(asked["workspace"]), asked["device"], asked["precision"])
    result["learned_from"] = asked["learned_from"]
    Owner(**asked["owner"]).check()
    write_record(Path(asked["result"]), result)
    return 0


def _run_alike(cells: list[Cell], tests: Mapping[Cell, list[str]], options: RunOptions, work: _Work) -> None:
    """Runs cells that share a training, in one folder; what comes of each is in the outcomes."""
    workspace: Path | None = None
    error: str | None = None
    for cell in cells:
        if work.stopped.is_set():
            break
        try:
            if workspace is None:
                workspace = _workspace(cell, options)
            elif error and read_training(workspace) is None:
                work.outcomes.put((cell, error))  # the training failed that they share
                continue
            error = _run(cell, tests[cell], workspace, options, work)
        except (OSError, RecordError) as failure:
            error = f"failed: {failure}"
        except BaseException as failure:  # it ends the whole run
            work.outcomes.put((cell, failure))
            break
        work.outcomes.put((cell, error))
    if workspace is not None and workspace.name.startswith("."):
        shutil.rmtree(workspace, ignore_errors=True)


def _workspace(cell: Cell, options: RunOptions) -> Path:
    """Returns the folder for a cell's training: that of the same training that was kept, or a new one."""
    kept = kept_training(options.out, cell.training, options.learned_from) if cell.recipe else None
    if kept is not None:
        print(f"{cell.key}: the network in {kept} is taken, which was trained alike", flush=True)
        return kept
    hidden = "" if options.keep else "."
    return Path(tempfile.mkdtemp(WORKSPACE, f"{hidden}{cell.training}-", options.out))


def _run(cell: Cell, tests: list[str], workspace: Path, options: RunOptions, work: _Work) -> str | None:
    """Runs a cell in a process, which is in ``work.running`` meanwhile; returns what went wrong, or none."""
    log = log_path(options.out, cell)
    log.parent.mkdir(parents=True, exist_ok=True)
    print(f"{cell.key}: started, its log is {log}", flush=True)
    description = {
        "cell": asdict(cell),
        "tests": tests,
        "workspace": str(workspace.absolute()),
        "device": options.device,
        "precision": options.precision,
        "result": str(result_path(options.out, cell).absolute()),
        "threads": work.threads,
        "learned_from": options.learned_from,
        "owner": asdict(work.owner),
    }
    command = [sys.executable, "-m", "socl_plugins.studies", "cell", json.dumps(description)]
    for plugin in options.plugins:
        command += ["--plugin", plugin]
    networks = str(load_environment().network_dir.absolute())  # they lie where they do, whatever the workspace
    environment = {**os.environ, "OMP_NUM_THREADS": str(work.threads), "PYTRACKING_NETWORK_DIR": networks}
    with log.open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=environment)
        work.running[process] = cell
        if work.stopped.is_set():  # whoever stops the others did not see this one
            process.terminate()
        status = process.wait()
        del work.running[process]
    return f"failed, see {log}" if status else None


def _summary(out: Path, cell: Cell) -> str:
    result = read_result(out, cell)
    assert result is not None
    return ", ".join(f"{name} AUC {scores['auc']:.3f}" for name, scores in result["tests"].items())
