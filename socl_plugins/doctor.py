"""What this machine can do: ``socl doctor``.

Nothing of the other packages is imported before it is known that they are ours: a package of pytracking's own checkout
that is found in their place is one of the things that this command is for.
"""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import cache_from_source
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ltr.admin.command_line import CommandParser

SPEED_SECONDS = 5.0  # for each tracker
TRACKERS = ("siamfc/untrained_res18", "eco/hog", "opencv/csrt", "opencv/kcf")  # those that need no download
LITTLE_SPACE = 5 << 30  # bytes: less is worth a word
ENCODERS = ("libx264", "mpeg4")


@dataclass(frozen=True)
class Finding:
    """A line of the report: what it is about, what was found, and, where something is wrong, what to do."""

    about: str
    found: str
    fix: str = ""


def build_parser() -> CommandParser:
    """Returns the command line's parser."""
    from ltr.admin.command_line import CommandParser, add_common_options

    parser = CommandParser(
        "socl doctor", "Says what this machine can do: devices, decoders, paths, disk, and the speed of trackers."
    )
    parser.add_argument(
        "--no-speed", action="store_true", help="do not measure trackers, which takes some seconds each"
    )
    add_common_options(parser, "data sets or trackers")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Prints the report, and returns 1 if something has to be mended."""
    others = list(strangers(sys.path))
    if others:
        for finding in others:
            _print(finding)
        print("nothing else was looked at, since other packages may be imported in place of these")
        return 1
    from ltr.admin.command_line import run_command

    return run_command(build_parser().parse_args(arguments), _report, "nothing was written")


def _report(options: argparse.Namespace) -> int:
    checks = [software(), devices(), decoders(), places()]
    wrong = 0
    for finding in (finding for check in checks for finding in check):
        _print(finding)
        wrong += bool(finding.fix)
    if not options.no_speed:
        for tracker in TRACKERS:
            print(f"{'speed':12} {tracker}: {frames_per_second(tracker):.1f} frames/s of 640 x 480", flush=True)
    print("nothing is wrong" if not wrong else f"{wrong} to mend")
    return 1 if wrong else 0


def _print(finding: Finding) -> None:
    print(f"{finding.about:12} {finding.found}", flush=True)
    if finding.fix:
        print(f"{'':12} -> {finding.fix}", flush=True)


def software() -> Iterator[Finding]:
    """Yields the versions that matter."""
    import cv2
    import numpy as np
    import torch

    yield Finding("Python", f"{platform.python_version()} on {platform.platform()}, {sys.executable}")
    yield Finding("libraries", f"torch {torch.__version__}, OpenCV {cv2.__version__}, NumPy {np.__version__}")
    if sys.dont_write_bytecode and not Path(cache_from_source(torch.__file__)).exists():
        packages = shlex.quote(str(Path(torch.__file__).parents[1]))
        yield Finding(
            "byte code",
            "none is kept (PYTHONDONTWRITEBYTECODE), so that each command compiles torch again, for some seconds",
            f"{shlex.quote(sys.executable)} -m compileall -q -j 0 {packages}",
        )


def devices() -> Iterator[Finding]:
    """Yields what networks can run on."""
    import torch

    from ltr.admin.jobs import usable_cores

    yield Finding("cores", f"{usable_cores()} of {os.cpu_count()} may be used; torch takes {torch.get_num_threads()}")
    for number in range(torch.cuda.device_count()):
        memory = torch.cuda.get_device_properties(number).total_memory
        yield Finding("GPU", f"cuda:{number}, {torch.cuda.get_device_name(number)}, {memory / 2**30:.0f} GiB")
    if torch.backends.mps.is_available():
        yield Finding("GPU", "mps")
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        yield Finding("GPU", "none that torch can use: everything runs on the CPU")


def decoders() -> Iterator[Finding]:
    """Yields what reads and writes pictures and videos."""
    import av.codec

    from ltr.data.image_loader import jpeg4py_decoder

    fast = jpeg4py_decoder() is not None
    yield Finding("JPEG", "jpeg4py" if fast else "OpenCV (jpeg4py with libturbojpeg is faster, and optional)")
    known = av.codec.codecs_available
    written = [name for name in ENCODERS if name in known]
    yield Finding("video", f"PyAV {av.__version__}: H.264 is {'' if 'h264' in known else 'not '}read; writes {written}")


def places() -> Iterator[Finding]:
    """Yields where things lie, and whether they can."""
    from ltr.admin.environment import load_environment

    environment = load_environment()
    workspace = environment.workspace_dir
    there = next(folder for folder in (workspace, *workspace.absolute().parents) if folder.is_dir())
    free = shutil.disk_usage(there).free
    writable = os.access(there, os.W_OK)
    fix = "" if writable else f"{there} cannot be written to: choose another place with PYTRACKING_WORKSPACE_DIR"
    if writable and free < LITTLE_SPACE:
        fix = "little is left: checkpoints and videos may not fit; choose another place with PYTRACKING_WORKSPACE_DIR"
    yield Finding("workspace", f"{workspace}, {free / 2**30:.0f} GiB free", fix)
    for name, place in sorted(environment.source.items()):
        path = getattr(environment, name, None) or environment.others.get(name)
        if isinstance(path, Path) and place != "default":
            missing = not path.is_dir()
            fix = f"there is no such folder: correct it in {place}, or unset it" if missing else ""
            yield Finding("path", f"{name} = {path} ({place})", fix)


def strangers(paths: Iterable[str]) -> Iterator[Finding]:
    """Yields packages of others that have our names: they may be imported in place of ours.

    Args:
        paths: where Python looks for packages, in its order.
    """
    home = Path(__file__).resolve().parents[1]  # of all three packages
    for folder in dict.fromkeys(Path(path or ".").resolve() for path in paths):
        for name in ("ltr", "pytracking", "socl_plugins"):
            if folder != home and (folder / name).resolve() != home / name and any((folder / name).glob("*.py")):
                yield Finding(
                    "packages",
                    f"there is another package {name!r} in {folder}",
                    f"take {folder} out of PYTHONPATH, or work in an environment without it",
                )


def frames_per_second(tracker: str, seconds: float = SPEED_SECONDS) -> float:
    """Returns how many frames a second a tracker does on an embedded video of 640 x 480."""
    from ltr.dataset.synthetic import SyntheticVideo
    from pytracking.evaluation.sequence import from_video_dataset
    from pytracking.registry import PARAMETERS
    from pytracking.registry import TRACKERS as KINDS

    (video,) = from_video_dataset(SyntheticVideo(1, num_frames=20, size=(480, 640), seed=3))
    frames = [video.frame(number) for number in range(len(video))]
    made = KINDS[tracker.partition("/")[0]](PARAMETERS[tracker]())
    made.initialize(frames[0], {"init_bbox": video.ground_truth_rect[0].tolist()})
    made.track(frames[1])  # what is done once is not counted
    count, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        made.track(frames[1 + count % (len(frames) - 1)])
        count += 1
    return count / (time.perf_counter() - start)


if __name__ == "__main__":
    sys.exit(main())
