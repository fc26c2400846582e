"""Command lines that no command can do anything with, over all commands."""

from __future__ import annotations

import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from ltr import run_training
from ltr.admin import environment, weights
from pytracking import pack_results, run_experiment, run_tracker, run_video, run_vot, run_webcam
from pytracking.analysis import __main__ as analysis
from socl_plugins.clicks import __main__ as clicks
from socl_plugins.progressive import __main__ as progressive
from socl_plugins.pseudo_label import __main__ as pseudo_label
from socl_plugins.soft_contrastive import __main__ as soft_contrastive
from socl_plugins.studies import __main__ as studies
from socl_plugins.top_map import __main__ as top_map
from tests.faults.conftest import TOYS
from tests.faults.harness import Main

LONG = "x" * 5000
NO_NUMBERS = ("nan", "-1", "inf", "1e400", "0x10", "", "one", "9" * 5000, "9" * 30, LONG)
NO_WORKERS = tuple("-2" if text == "-1" else text for text in NO_NUMBERS)  # -1 is a worker on each core
LARGE = ("9" * 30, "9" * 5000)  # too large for an option, but a number
NO_NAMES = ("nosuch", "../../etc", "a/b/c/d", LONG, "sy\nnthetic", "*", "\udcff", "synthetic\u00e9")
NO_OVERRIDES = ("", "=", "=1", "epochs", "nosuch=1", "a.b.c.d=1", f"{LONG}=1")


@dataclass(frozen=True)
class Bad:
    """A command line, the exit statuses that it may end with, and what the environment says."""

    main: Main
    words: Sequence[object]
    variables: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        words = " ".join(str(word)[:40] for word in self.words)
        return f"{self.main.__module__} {words} {dict(self.variables) or ''}".strip()


def in_environment(bad: Bad) -> Main:
    """Returns the command with the environment's variables; it is called in a process of its own."""

    def main(arguments: Sequence[str]) -> int:
        os.environ.update(dict(bad.variables))
        return bad.main(arguments)

    return main


def bad_files(folder: Path) -> dict[str, Path]:
    """Makes files that are not what anyone asks for, and returns them by what they are."""
    folder.mkdir()
    contents: dict[str, bytes] = {
        "empty": b"",
        "noise": bytes(range(256)) * 40,
        "deep": b"[" * 100_000,
        "null": b"null",
        "digits": b'{"seed": ' + b"9" * 5000 + b"}",
        "letters": LONG.encode(),
        "utf16": "boxes".encode("utf-16"),
    }
    files = {name: folder / name for name in contents}
    for name, content in contents.items():
        files[name].write_bytes(content)
    torch.save({1: torch.zeros(1), "net": {2: 3}}, folder / "keys.pth")
    with zipfile.ZipFile(folder / "other.zip", "w") as archive:
        archive.writestr("../../outside", "x")
    (folder / "folder").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "pipe")
    files |= {name: folder / name for name in ("keys.pth", "other.zip", "folder", "loop")}
    return files | {"nowhere": folder / "nowhere", "below a file": files["empty"] / "x", "home": Path("~nouser/x")}


def bad_inputs(folder: Path) -> Iterator[Bad]:
    """Yields the command lines; their files lie in ``folder``."""
    files = bad_files(folder / "bad")
    unreadable = [*files.values(), Path(LONG), Path("/dev/null")]
    unwritable = [files["below a file"] / "x.png", Path(f"/proc/nothing/{'x'}.png"), Path(f"{LONG}.png"), Path("x.xyz")]
    toys: list[object] = ["--plugin", TOYS]

    def each(
        main: Main, before: Sequence[object], values: Sequence[object], after: Sequence[object] = ()
    ) -> Iterator[Bad]:
        for value in values:
            yield Bad(main, [*before, value, *after])

    training = [*["toy", "sums", "--device", "cpu", "--plugin"], TOYS.parents[1] / "ltr" / "toy_plugin.py"]
    yield from each(run_training.main, [*training, "--seed"], NO_NUMBERS)
    yield from each(run_training.main, [*training, "--set"], NO_OVERRIDES)
    for key in ("epochs", "learning_rate", "batch_size", "num_workers", "samples_per_epoch"):
        yield from each(
            run_training.main, training, [f"--set={key}={value}" for value in NO_NUMBERS if value not in LARGE]
        )
    yield from each(run_training.main, [*training, "--device"], ["gpu", "cuda:99", "cpu:-1", "", LONG])
    yield from each(run_training.main, ["socl"], NO_NAMES)
    yield from each(run_training.main, ["toy", "sums", "--plugin"], unreadable)
    yield from each(run_training.main, [*training, "--workspace"], [files["empty"], files["below a file"], LONG])
    for recipe in (("socl", "socl_res18"), ("dimp", "dimp18"), ("siamfc", "box_siam_res18")):
        words = [*recipe, "--device", "cpu", "--set"]
        yield from each(
            run_training.main,
            words,
            ["batch_size=9", "schedule.batch_size=10000000", "pretrained=/nowhere", "epochs=-3", "nosuch=1"],
        )

    tracking = ["drift", "plain", *toys]
    yield from each(run_tracker.main, [*tracking, "--dataset_name"], [*NO_NAMES, *files.values()])
    yield from each(
        run_tracker.main, [*tracking, "--dataset_name", "toys", "--sequence"], [*NO_NAMES, "99", "9" * 5000]
    )
    yield from each(run_tracker.main, [*tracking, "--dataset_name", "toys", "--runid"], NO_NUMBERS)
    yield from each(run_tracker.main, [*tracking, "--dataset_name", "toys", "--threads"], NO_WORKERS)
    yield from each(run_tracker.main, [*tracking, "--set"], [*NO_OVERRIDES, *(f"delay={n}x" for n in NO_NUMBERS)])
    yield from each(run_tracker.main, ["drift"], NO_NAMES, toys)
    yield from each(run_experiment.main, ["default"], NO_NAMES)
    yield from each(run_vot.main, [*tracking, "--dataset_name"], [*NO_NAMES, *files.values()])
    for option in ("--protocol", "--interval", "--repetitions"):
        yield from each(run_vot.main, [*tracking, "--dataset_name", "toys", option], [*NO_NAMES, "-1"])
    yield from each(pack_results.main, ["drift", "plain"], [*NO_NAMES, *files.values()], toys)
    yield from each(pack_results.main, ["drift", "plain", "toys", *toys, "--output"], unwritable)

    video = ["drift", "plain", "--headless", *toys]
    yield from each(run_video.main, [*video, "--optional_box", 1, 1, 9, 9], unreadable)
    for box in (["nan", 1, 5, 5], [1, 1, 0, 5], [1, 1, -4, 5], ["inf"] * 4, ["1e400", 1, 5, 5], ["a"] * 4, [1, 2]):
        yield Bad(run_video.main, [*video, files["noise"], "--optional_box", *box])
    yield from each(run_webcam.main, [*video, "--optional_box", 1, 1, 9, 9, "--camera"], [*NO_NUMBERS, "99"])

    report = ["drift/plain", *toys]
    for option in ("--dataset_name", "--protocol", "--runid"):
        yield from each(analysis.main, [*report, option], NO_NAMES)
    for option in ("--html", "--plot", "--csv", "--latex"):
        yield from each(analysis.main, [*report, "--dataset_name", "toys", option], unwritable[:3])
    yield from each(analysis.main, toys, NO_NAMES)

    for main in (top_map.main, pseudo_label.main):
        for command in ("build", "show", "stats"):
            words = [command, *(["--out", folder / "x.png"] if command == "show" else []), "--dataset"]
            yield from each(main, words, NO_NAMES)
            yield from each(main, [*words, "got10k_train", "--root"], list(files.values()))
            yield from each(main, [*words, "synthetic", "--noise-px"], NO_NUMBERS)
            yield from each(main, [*words, "synthetic", "--set"], NO_OVERRIDES)
        yield from each(main, ["build", "--dataset", "synthetic", "--jobs"], [*NO_WORKERS, "0"])
        yield from each(
            main, ["build", "--dataset", "synthetic", "--store"], [files["empty"], files["below a file"], LONG]
        )
        yield from each(main, ["check"], unreadable)
        yield from each(main, ["show", "--dataset", "synthetic", "--out"], unwritable)
    stats = ["stats", "--dataset", "synthetic", "--every", "50"]
    yield from each(top_map.main, [*stats, "--eta"], [*NO_NUMBERS, "0", "1.5"])
    yield from each(top_map.main, [*stats, "--temperature"], [*(n for n in NO_NUMBERS if n not in LARGE), "0"])
    yield from each(
        top_map.main, ["build", "--dataset", "synthetic"], [f"--set=likelihoods={path}" for path in unreadable]
    )
    yield from each(top_map.main, ["fit", "--dataset", "synthetic", "--out"], unwritable[:3])
    yield from each(pseudo_label.main, ["build", "--dataset", "synthetic", "--method"], NO_NAMES)

    yield from each(clicks.main, ["cost", "--frames"], NO_NUMBERS)
    yield from each(clicks.main, ["cost", "--period"], NO_NUMBERS)
    yield from each(clicks.main, ["cost", "--prices"], unreadable)
    yield from each(clicks.main, ["cost", "--training-hours"], ["nan", "-1", "inf", "", LONG])
    yield from each(clicks.main, ["plot", "--out", folder / "x.png"], unreadable)
    yield from each(soft_contrastive.main, ["show", "--out", folder / "x.png"], unreadable)
    show = ["show", "--dataset", "synthetic", "--out", folder / "x.png", "--network"]
    yield from each(progressive.main, show, [*unreadable, *NO_NAMES])
    yield from each(studies.main, ["run", "--out", folder / "study"], NO_NAMES)
    yield from each(studies.main, ["run", "labels", "--out", folder / "study", "--seeds"], NO_NUMBERS)
    yield from each(studies.main, ["run", "labels", "--out", folder / "study", "--rows"], NO_NAMES)
    yield from each(studies.main, ["run", "labels", "--rows", "untrained", "--out"], [files["empty"], LONG])
    yield from each(studies.main, ["report", "labels", "--out"], [*files.values(), LONG])
    yield from each(weights.main, ["check"], [path for path in unreadable if path.name != "keys.pth"])  # it is whole
    yield from each(weights.main, ["export"], unreadable, [folder / "x.safetensors"])

    (folder / "nested.toml").write_text("[a]\n[a.b]\nworkspace_dir = 'x'\n")
    (folder / "digits.toml").write_text(f"workspace_dir = {'9' * 5000}\n")
    (folder / "deep.toml").write_text(f"workspace_dir = {'[' * 5000}{']' * 5000}\n")
    tomls = [*files.values(), *(folder / f"{name}.toml" for name in ("nested", "digits", "deep"))]
    for path in tomls:
        if path not in (files["empty"],):
            yield Bad(environment.main, [], (("PYTRACKING_TOML", str(path)),))
    for name in ("WORKSPACE_DIR", "GOT10K_DIR"):
        yield Bad(environment.main, [], ((f"PYTRACKING_{name}", "~nouser/x"),))
    yield Bad(environment.main, [], (("PYTRACKING_GOT10_DIR", "/tmp"),))
