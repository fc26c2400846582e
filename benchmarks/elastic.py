"""A training on two hosts of which one dies: ``sudo python benchmarks/elastic.py`` (Linux, root, ``ip netns``).

Two network namespaces, joined by a bridge, stand for two hosts; torchrun starts one process on each, with
``--nnodes=1:2``. Once so many epochs are done, the second host dies: its processes are killed (``--how kill``), or its
cable is cut first, so that no word of it reaches the other (``--how cut``). With ``--back`` it comes back later.
The last checkpoint is compared, bit for bit, with that of runs on one host with the same numbers of processes.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.killing import kill_tree  # noqa: E402
from ltr.admin.checkpoint import load_checkpoint  # noqa: E402

REPOSITORY = Path(__file__).resolve().parents[1]
TRAINING = ("toy", "sums", "--plugin", str(REPOSITORY / "tests" / "ltr" / "toy_plugin.py"), "--device", "cpu")
TAG = f"s{os.getpid() % 1_000_000}"  # so that two of these at once are apart
BRIDGE, NETWORK = f"{TAG}-net", "10.77.13"
PATIENCE = 420.0  # seconds


@dataclass(frozen=True)
class Host:
    """A network namespace."""

    number: int

    @property
    def name(self) -> str:
        """Of the namespace, and of its end of the cable."""
        return f"{TAG}-{self.number}"

    @property
    def address(self) -> str:
        """Its IP address."""
        return f"{NETWORK}.{self.number}"

    def make(self) -> None:
        """Makes it, with a cable to the bridge."""
        _ip("netns", "add", self.name)
        _ip("link", "add", f"{self.name}-b", "type", "veth", "peer", "name", self.name, "netns", self.name)
        _ip("link", "set", f"{self.name}-b", "master", BRIDGE, "up")
        _ip("-n", self.name, "addr", "add", f"{self.address}/24", "dev", self.name)
        _ip("-n", self.name, "link", "set", self.name, "up")
        _ip("-n", self.name, "link", "set", "lo", "up")

    def cable(self, state: str) -> None:
        """Plugs the cable (``up``) or pulls it (``down``)."""
        _ip("link", "set", f"{self.name}-b", state)

    def start(self, words: list[str], log: Path, step_seconds: float) -> subprocess.Popen[bytes]:
        """Starts torchrun here; the rendezvous is on host 1."""
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--nnodes=1:2", "--nproc_per_node=1"]
        meeting = ("--rdzv_backend=c10d", f"--rdzv_endpoint={NETWORK}.1:29500", "--rdzv_id=socl")
        settings = f"--rdzv_conf=is_host={int(self.number == 1)},last_call_timeout=10"
        torchrun += ["--max_restarts=3", *meeting, settings, f"--local_addr={self.address}"]
        variables = {"GLOO_SOCKET_IFNAME": self.name, "PYTRACKING_STEP_SECONDS": str(step_seconds)}
        # Sharing its store, torch's first host (2.14) does not tell one that comes later where it is.
        variables["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] = "1"
        with log.open("ab") as out:
            command = ["ip", "netns", "exec", self.name, *torchrun, *words]
            return subprocess.Popen(command, stdout=out, stderr=out, env={**_environment(), **variables})


def train(epochs: int, delay: float, workspace: Path) -> list[str]:
    """Returns the words of the training."""
    settings = (f"epochs={epochs}", f"delay={delay}", "batch_size=4", "keep_checkpoints=100", "dropout=0.3")
    words = [str(REPOSITORY / "ltr" / "run_training.py"), *TRAINING, "--workspace", str(workspace), "--resume"]
    return [*words, *(word for setting in settings for word in ("--set", setting))]


def unbroken(parts: list[tuple[int, int]], delay: float, workspace: Path) -> Path:
    """Trains on this host: so many processes until so many epochs are done, for each part; returns the checkpoints."""
    for processes, epochs in parts:
        torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc_per_node={processes}"]
        command = [*torchrun, *train(epochs, delay, workspace)]
        subprocess.run(command, check=True, env=_environment(), capture_output=True, timeout=PATIENCE)
    return checkpoints(workspace)


def checkpoints(workspace: Path) -> Path:
    """Returns the folder of the run's checkpoints."""
    return workspace / "checkpoints" / "ltr" / "toy" / "sums"


def newest(workspace: Path) -> int:
    """Returns the newest epoch that has a checkpoint, or 0."""
    found = [int(path.name[-12:-8]) for path in checkpoints(workspace).glob("ToyNet_ep*.pth.tar")]
    return max(found, default=0)


def differences(first: Path, second: Path, epoch: int) -> list[str]:
    """Returns what differs between two runs' checkpoints of an epoch: weights, optimizer, losses, random state."""
    one, other = (load_checkpoint(folder / f"ToyNet_ep{epoch:04d}.pth.tar") for folder in (first, second))
    keys = ("net", "optimizer", "lr_scheduler", "stats", "total_steps", "random_state", "hooks")
    return [key for key in keys if not _same(one[key], other[key])]


def main() -> int:
    """Prints what came of it, and returns 0 if the checkpoints are equal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--how", choices=("kill", "cut"), default="kill")
    parser.add_argument("--back", action="store_true", help="the host comes back and takes part again")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--die-after", type=int, default=3, help="epochs")
    parser.add_argument("--delay", type=float, default=0.03, help="seconds that a sample takes to read")
    parser.add_argument("--step-seconds", type=float, default=40.0, help="PYTRACKING_STEP_SECONDS, for --how cut")
    options = parser.parse_args()
    hosts = [Host(1), Host(2)]
    running: list[subprocess.Popen[bytes]] = []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        log, broken = folder / "log", folder / "broken"
        words = train(options.epochs, options.delay, broken)
        try:
            _ip("link", "add", BRIDGE, "type", "bridge")
            _ip("link", "set", BRIDGE, "up")
            for host in hosts:
                host.make()
            running += [host.start(words, log, options.step_seconds) for host in hosts]
            _wait(lambda: newest(broken) >= options.die_after, running[0], log)
            if options.how == "cut":
                hosts[1].cable("down")
            kill_tree(running[1].pid)
            died = time.perf_counter()
            text = f"host 2 died ({options.how}) when epoch {newest(broken)} was there"
            before = newest(broken)
            _wait(lambda: newest(broken) > before + 1, running[0], log)
            print(f"{text}; two epochs later after {time.perf_counter() - died:.0f} s", flush=True)
            if options.back:
                hosts[1].cable("up")
                running.append(hosts[1].start(words, log, options.step_seconds))
            _wait(lambda: running[0].poll() is not None, None, log)
            parts = _parts(log, options.epochs)
            print(f"processes and the epoch until which they learned: {parts}; status {running[0].returncode}")
            if running[0].returncode:
                print(log.read_text(encoding="utf-8", errors="replace")[-6000:])
                return 1
        finally:
            for process in running:
                kill_tree(process.pid)
            for host in hosts:
                subprocess.run(["ip", "link", "delete", f"{host.name}-b"], check=False)
                subprocess.run(["ip", "netns", "delete", host.name], check=False)
            subprocess.run(["ip", "link", "delete", BRIDGE], check=False)
        whole = unbroken(parts, options.delay, folder / "whole")
        found = differences(checkpoints(broken), whole, options.epochs)
        print(f"the last checkpoint and an unbroken run's: {f'differ in {found}' if found else 'equal'}")
        return 1 if found else 0


def _parts(log: Path, epochs: int) -> list[tuple[int, int]]:
    """Returns how many processes learned until which epoch, from the checkpoints that were gone on from."""
    text = log.read_text(encoding="utf-8", errors="replace")
    ends = [int(number) for number in re.findall(r"going on from \S+_ep(\d+)\.pth\.tar", text)]
    state = [2, 1, 2, 1, 2]
    return list(zip(state, [*ends, epochs]))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    if isinstance(one, dict):
        return isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "OMP_NUM_THREADS": "1"}


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def _wait(until: Any, process: subprocess.Popen[bytes] | None, log: Path) -> None:
    limit = time.monotonic() + PATIENCE
    while not until():
        if time.monotonic() > limit or (process is not None and process.poll() is not None):
            print(log.read_text(encoding="utf-8", errors="replace")[-4000:])
            raise RuntimeError("the training ended too early, or takes too long")
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
