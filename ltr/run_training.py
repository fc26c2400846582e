"""Trains a network by a recipe: ``python ltr/run_training.py MODULE NAME``."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
if sys.path and Path(sys.path[0] or ".").resolve() == ROOT / "ltr":
    # Started as a script: names such as "data" must not be looked up in the script's own directory.
    sys.path[0] = str(ROOT)

import argparse  # noqa: E402
import os  # noqa: E402
import shlex  # noqa: E402
from collections.abc import Callable, Sequence  # noqa: E402

from ltr.admin.command_line import add_plugin_option, add_set_option, print_error, print_names, whole_number  # noqa: E402
from ltr.admin.processes import ProcessDied, stopped_by_sigterm  # noqa: E402
from ltr.registry import TRAIN_SETTINGS, RegistryError, load_plugins, near_names  # noqa: E402

DESCRIPTION = """\
Trains a network by a recipe and keeps the checkpoint that does best on held-out videos.

A recipe is a function run(settings) in ltr/train_settings/MODULE/NAME.py, or one that a plugin registers.
Checkpoints go to <workspace>/checkpoints/ltr/MODULE/NAME. `python -m ltr.admin.environment` shows where that is and
where data sets are looked for.
"""

EXAMPLES = """\
examples:
  python ltr/run_training.py --list
  python ltr/run_training.py socl socl_res18
  python ltr/run_training.py socl socl_res18 --set learning_rate=1e-3 --set epochs=5 --seed 1
  python ltr/run_training.py socl socl_res18 --resume
  torchrun --nproc_per_node=8 ltr/run_training.py socl socl_res18

exit status: 0 trained, 1 error, 2 wrong usage, 130 stopped with Ctrl-C (--resume goes on from there)
"""


def build_parser() -> argparse.ArgumentParser:
    """Returns the command line's parser."""
    parser = argparse.ArgumentParser(
        prog="run_training.py",
        description=DESCRIPTION,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("module", nargs="?", metavar="MODULE", help="the recipe's group, such as socl")
    parser.add_argument("name", nargs="?", metavar="NAME", help="the recipe, such as socl_res18")
    parser.add_argument("--list", action="store_true", help="list the recipes and stop")
    add_set_option(parser, "a hyper-parameter of the recipe")
    parser.add_argument("--seed", type=whole_number, default=0, help="seed of all random numbers (default: 0)")
    parser.add_argument(
        "--device", choices=("auto", "cpu", "cuda"), default="auto", help="auto (the default): a GPU if there is one"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    parser.add_argument(
        "--resume-with-changes", action="store_true", help="--resume, though seed, data sets or labels have changed"
    )
    parser.add_argument("--workspace", metavar="DIR", help="where checkpoints and logs go (default: as configured)")
    add_plugin_option(parser, "recipes")
    parser.add_argument("--debug", action="store_true", help="show the full traceback of every error")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line and returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    parser = build_parser()
    options = parser.parse_args(words)
    if not options.list and not (options.module and options.name):
        parser.error("give MODULE and NAME of a recipe (--list shows them)")
    if options.workspace:
        # In the environment, so that whatever looks up the workspace later finds the same one, in worker processes too.
        os.environ["PYTRACKING_WORKSPACE_DIR"] = str(Path(options.workspace).expanduser().absolute())
    try:
        with stopped_by_sigterm():
            return _run(options)
    except KeyboardInterrupt as interrupt:
        _say_interrupted(interrupt, words)
        return 130
    except Exception as error:  # every error ends here, with an honest status
        print_error(error, options.debug, "--debug")
        if isinstance(error, ProcessDied) and os.environ.get("RANK", "0") == "0":
            from ltr.engine.resume import command_to_go_on

            print(f"to go on: {command_to_go_on(words)}", file=sys.stderr)
        return 1


def _run(options: argparse.Namespace) -> int:
    load_plugins(options.plugin)
    if options.list:
        print_names(TRAIN_SETTINGS.names(), TRAIN_SETTINGS.__getitem__)
        return 0
    return _train(options)


def _train(options: argparse.Namespace) -> int:
    from contextlib import nullcontext

    from ltr.admin.ownership import own
    from ltr.admin.settings import Settings
    from ltr.engine import distributed
    from ltr.engine.random_state import seed_everything
    from ltr.engine.resume import OTHER_RUN

    recipe = _find_recipe(options.module, options.name)
    device = distributed.local_device(_choose_device(options.device))
    settings = Settings(
        options.module,
        options.name,
        seed=options.seed,
        device=device,
        overrides=dict(options.overrides),
        resume=options.resume or options.resume_with_changes,
        resume_with_changes=options.resume_with_changes,
    )
    distributed.start(device)
    # Held before a recipe spends minutes on preparing its data.
    with own(settings.checkpoint_dir, OTHER_RUN) if distributed.is_main() else nullcontext():
        seed_everything(settings.seed)
        result = recipe(settings)
    if distributed.is_main() and result is not None:
        _report(result)
    distributed.stop()
    return 0


def _report(result: object) -> None:
    from ltr.engine.result import TrainingResult

    if not isinstance(result, TrainingResult):
        raise TypeError(f"a recipe must return a TrainingResult, not {result!r}")
    if result.checkpoint is not None:
        print(f"checkpoint: {result.checkpoint}")
    if result.next_command:
        workspace = os.environ.get("PYTRACKING_WORKSPACE_DIR")
        setting = f"PYTRACKING_WORKSPACE_DIR={shlex.quote(workspace)} " if workspace else ""
        print(f"to use it: {setting}{shlex.quote(sys.executable)} {result.next_command}")
    if result.score_name and result.trained is not None:
        before = "unknown" if result.untrained is None else f"{result.untrained:.3f}"
        print(f"held-out {result.score_name}: {before} -> {result.trained:.3f}")
    sys.stdout.flush()


def _find_recipe(module: str, name: str) -> Callable[..., object]:
    recipe = f"{module}/{name}"
    if recipe not in TRAIN_SETTINGS:
        known = TRAIN_SETTINGS.names()
        same = near_names(name, [other.partition("/")[2] for other in known]) if not near_names(recipe, known) else ""
        rest = " --list shows all." if known else " None is known, so the project is not installed: bash install.sh"
        raise RegistryError(f"unknown training recipe {recipe!r}.{near_names(recipe, known)}{same}{rest}")
    return TRAIN_SETTINGS[recipe]


def _choose_device(choice: str) -> str:
    import torch

    if choice == "cuda" and not torch.cuda.is_available():
        from ltr.admin.settings import SettingsError

        raise SettingsError("--device cuda: torch finds no GPU here. Use --device cpu, or install torch for your GPU.")
    return ("cuda" if torch.cuda.is_available() else "cpu") if choice == "auto" else choice


def _say_interrupted(interrupt: KeyboardInterrupt, words: list[str]) -> None:
    if os.environ.get("RANK", "0") != "0":  # of a distributed run one process speaks
        return
    from ltr.engine.resume import command_to_go_on

    checkpoint = getattr(interrupt, "checkpoint", None)
    if checkpoint is None:
        print("\ninterrupted before an epoch was finished: there is nothing to resume", file=sys.stderr)
        return
    epoch = getattr(interrupt, "epoch", None)
    print(f"\ninterrupted: the checkpoint of epoch {epoch} is whole: {checkpoint}", file=sys.stderr)
    print(f"to go on: {command_to_go_on(words)}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
