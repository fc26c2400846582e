"""What a cluster makes when machines die and come: ``python benchmarks/cluster.py ray`` (or ``dask``).

Starts a cluster of nodes on this machine, each with one core: TOP maps of many frames, and trackers over sequences.
Once a third is done, a node chosen at random is killed, with all its processes; then another one is added. What comes
of it is compared, bit for bit, with what one process makes without a cluster.
"""

from __future__ import annotations

import argparse
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.killing import kill_tree  # noqa: E402
from ltr.dataset import SyntheticVideo  # noqa: E402
from ltr.dataset.export import export_got10k  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
TRACKERS = (
    ("opencv", "kcf"),
    ("opencv", "csrt"),
    ("eco", "hog"),
    ("siamfc", "untrained_res18"),
    ("eco", "untrained_res18"),
)
OBJECT_STORE = 80 << 20  # bytes, of each node of Ray
PATIENCE = 3600.0  # seconds


class Nodes(ABC):
    """A cluster on this machine, of nodes with a core each."""

    variable: str

    @abstractmethod
    def add(self) -> None:
        """Starts one more node."""

    @abstractmethod
    def kill(self, draw: random.Random) -> str:
        """Kills a node with all its processes, and returns what it was."""

    @abstractmethod
    def address(self) -> str:
        """Returns where it is reached."""

    @abstractmethod
    def stop(self) -> None:
        """Ends all of it."""


class RayNodes(Nodes):
    """Ray: its head has no core."""

    variable = "RAY_ADDRESS"

    def __init__(self, count: int) -> None:
        from ray.cluster_utils import Cluster

        head = {"num_cpus": 0, "object_store_memory": OBJECT_STORE, "include_dashboard": False}
        self.cluster = Cluster(initialize_head=True, head_node_args=head)
        self.nodes: list[Any] = []
        for _ in range(count):
            self.add()

    def add(self) -> None:
        self.nodes.append(self.cluster.add_node(num_cpus=1, object_store_memory=OBJECT_STORE))

    def kill(self, draw: random.Random) -> str:
        node = self.nodes.pop(draw.randrange(len(self.nodes)))
        processes = [kind[0].process.pid for kind in node.all_processes.values()]
        for pid in processes:
            kill_tree(pid)
        return f"node {node.node_id[:8]}"

    def address(self) -> str:
        return str(self.cluster.address)

    def stop(self) -> None:
        self.cluster.shutdown()


class DaskNodes(Nodes):
    """Dask: a scheduler, and a worker process for each node."""

    variable = "DASK_SCHEDULER_ADDRESS"

    def __init__(self, count: int) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.file = Path(self.folder.name) / "scheduler.json"
        self.scheduler = self._start("scheduler", "--port", "0", "--scheduler-file", str(self.file))
        _wait(self.file.exists, self.scheduler)
        self.nodes: list[subprocess.Popen[bytes]] = []
        for _ in range(count):
            self.add()

    def add(self) -> None:
        words = ("--nthreads", "1", "--no-nanny", "--local-directory", self.folder.name)
        self.nodes.append(self._start("worker", self.address(), *words))

    def kill(self, draw: random.Random) -> str:
        node = self.nodes.pop(draw.randrange(len(self.nodes)))
        kill_tree(node.pid)
        node.wait()
        return f"worker {node.pid}"

    def address(self) -> str:
        import json

        return str(json.loads(self.file.read_text(encoding="utf-8"))["address"])

    def stop(self) -> None:
        for process in [*self.nodes, self.scheduler]:
            process.kill()
            process.wait()
        self.folder.cleanup()

    def _start(self, what: str, *words: str) -> subprocess.Popen[bytes]:
        log = Path(self.folder.name) / "log"
        command = [sys.executable, "-m", "dask", what, "--host", "127.0.0.1", "--no-dashboard", *words]
        with log.open("ab") as out:
            return subprocess.Popen(command, stdout=out, stderr=out)


ENGINES: dict[str, Callable[[int], Nodes]] = {"ray": RayNodes, "dask": DaskNodes}


@dataclass(frozen=True)
class Work:
    """A command, and what it has made so far.

    Attributes:
        what: in a few words.
        command: without ``--backend``, ``--jobs`` and ``--workspace``.
        made: what is there in a workspace, by name.
        total: how much it makes.
    """

    what: str
    command: tuple[str, ...]
    made: Callable[[Path], dict[str, bytes]]
    total: int

    def start(self, workspace: Path, log: Path, *words: str, **variables: str) -> subprocess.Popen[bytes]:
        """Starts the command."""
        command = [sys.executable, *self.command, "--workspace", str(workspace), *words]
        with log.open("wb") as out:
            return subprocess.Popen(command, cwd=REPOSITORY, stdout=out, stderr=out, env={**os.environ, **variables})


def records(workspace: Path) -> dict[str, bytes]:
    """Returns the records of the store of TOP maps, by frame."""
    for path in (workspace / "top_maps").glob("*.sqlite"):
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=60)) as store:
            try:
                return {str(name): content for name, content in store.execute("SELECT name, content FROM records")}
            except sqlite3.OperationalError:  # it is being made
                return {}
    return {}


def results(workspace: Path) -> dict[str, bytes]:
    """Returns the files of boxes and of scores; times differ between any two runs."""
    folder = workspace / "tracking_results"
    paths = [path for path in folder.rglob("*.txt") if path.parent.name not in ("time", "sum", "error")]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def works(folder: Path, options: argparse.Namespace) -> list[Work]:
    """Writes the videos, and returns what is to be done with them."""
    videos = SyntheticVideo(options.sequences, num_frames=options.frames // options.sequences, size=(120, 160), seed=3)
    train = export_got10k(videos, folder / "got10k")
    plugin = folder / "sequences_by_trackers.py"
    trackers = "".join(f"        Tracker({name!r}, {parameters!r}),\n" for name, parameters in options.trackers)
    plugin.write_text(
        "from pytracking.evaluation import SequenceList, Tracker, get_dataset\n"
        "from pytracking.registry import EXPERIMENTS\n\n\n"
        '@EXPERIMENTS.register("cluster/all", override=True)\n'
        "def both():\n"
        f"    sequences = [each.shortened({options.length}) for each in get_dataset({str(train)!r})]\n"
        f"    return [\n{trackers}    ], SequenceList(sequences)\n",
        encoding="utf-8",
    )
    maps = ("-m", "socl_plugins.top_map", "build", "--dataset", "got10k_train", "--root", str(folder / "got10k"))
    table = ("-m", "pytracking.run_experiment", "cluster", "all", "--plugin", str(plugin))
    frames = sum(int(videos.get_sequence_info(video)["visible"].sum()) for video in range(len(videos)))
    runs = options.sequences * len(options.trackers)
    return [
        Work(f"TOP maps of {frames:,} frames", maps, records, frames + 1),  # and what the store says
        Work(f"{options.sequences} sequences x {len(options.trackers)} trackers", table, results, runs),
    ]


def break_and_compare(work: Work, nodes: Nodes, engine: str, folder: Path, draw: random.Random) -> tuple[str, bool]:
    """Does the work alone, then on the cluster with a death and a birth.

    Returns:
        A row of the table, and whether all is equal.
    """
    alone, spread = folder / "alone", folder / "spread"
    log = folder / "log"
    begun = time.perf_counter()
    first = work.start(alone, log)
    _wait(lambda: first.poll() is not None, None)
    if first.returncode:
        raise RuntimeError(log.read_text(encoding="utf-8", errors="replace")[-2000:])
    seconds_alone = time.perf_counter() - begun
    begun = time.perf_counter()
    second = work.start(spread, log, "--backend", engine, **{nodes.variable: nodes.address()})
    _wait(lambda: len(work.made(spread)) > work.total / 3, second)
    killed, then = nodes.kill(draw), len(work.made(spread))
    time.sleep(5)
    nodes.add()
    _wait(lambda: second.poll() is not None, None)
    seconds = time.perf_counter() - begun
    text = log.read_text(encoding="utf-8", errors="replace")
    said = re.findall(r"[^\r\n]* has (?:gone|come)[^\r\n]*", text)
    print("\n".join(f"  {line}" for line in [f"killed: {killed}", *said]), flush=True)
    expected, found = work.made(alone), work.made(spread)
    right = sum(found.get(name) == content for name, content in expected.items())
    if second.returncode or len(expected) < work.total:
        print(text[-2000:], file=sys.stderr)
    extra = len(found.keys() - expected.keys())
    words = f"{right:,} of {len(expected):,} equal{f', {extra} too many' if extra else ''}"
    row = (
        f"| {engine} | {work.what} | {then:,} | {words} | status {second.returncode} | "
        f"{seconds / seconds_alone:.2f} times as long as alone |"
    )
    return row, second.returncode == 0 and right == len(expected) == len(found) >= work.total


def main() -> int:
    """Prints the table, and returns 0 if all is equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("engine", choices=ENGINES)
    parser.add_argument("--nodes", type=int, default=4)
    parser.add_argument("--frames", type=int, default=1200, help="TOP maps, of all videos together")
    parser.add_argument("--sequences", type=int, default=12)
    parser.add_argument("--length", type=int, help="frames of a sequence that are tracked (default: all)")
    parser.add_argument("--trackers", type=int, default=2, choices=range(1, len(TRACKERS) + 1))
    parser.add_argument("--seed", type=int, default=0, help="of which node is killed")
    options = parser.parse_args()
    options.trackers = TRACKERS[: options.trackers]
    draw = random.Random(options.seed)
    os.environ["PYTHONPATH"] = os.pathsep.join([str(REPOSITORY), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    rows = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        every = works(folder, options)
        nodes = ENGINES[options.engine](options.nodes)
        try:
            for number, work in enumerate(every):
                (folder / str(number)).mkdir()
                rows.append(break_and_compare(work, nodes, options.engine, folder / str(number), draw))
        finally:
            nodes.stop()
    heads = ("engine", "work", "there when a node was killed", "in the end", "the command", "time")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|", *(row for row, _ in rows)]
    print("\n".join(lines))
    return 0 if all(equal for _, equal in rows) else 1


def _wait(until: Callable[[], bool], process: subprocess.Popen[bytes] | None) -> None:
    """Waits until something holds; raises if it takes too long, or if the process ends before."""
    limit = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > limit or (process is not None and process.poll() is not None):
            raise RuntimeError("the command ended too early, or takes too long")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
