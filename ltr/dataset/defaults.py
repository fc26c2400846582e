"""Which videos a recipe learns from, and which choose its checkpoint, by what is set on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from ltr.admin.environment import PATHS, Environment
from ltr.admin.settings import SettingsError
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.got10k import Got10k
from ltr.dataset.named import EMBEDDED_VIDEOS, embedded_videos, open_dataset
from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine import distributed
from ltr.registry import DATASETS, near_names

PAPER_SETS = ("lasot", "trackingnet", "coco")
"""What DiMP's and TransT's papers learn from besides GOT-10k."""

HELD_OUT_SEED = 2  # of the embedded videos that choose the checkpoint; training and benchmark have others


def sets_here(env: Environment, names: Iterable[str]) -> list[str]:
    """Returns those of the data sets whose folder is set on this machine, each once."""
    return [name for name in dict.fromkeys(names) if getattr(env, f"{name}_dir", None) is not None]


def training_videos(env: Environment, embedded: int = EMBEDDED_VIDEOS) -> BaseVideoDataset:
    """Returns GOT-10k's training videos, or so many embedded ones where it is not set, and then says so."""
    if env.got10k_dir is not None:
        return Got10k(env.got10k_dir, "train")
    if distributed.is_main():
        why = "GOT-10k is not set" if sets_here(env, PAPER_SETS) else "no data set is configured"
        print(f"{why}: learning from embedded synthetic videos (set got10k_dir for the paper's run)")
    return embedded_videos(embedded)


def training_sets(env: Environment, embedded: int, others: Iterable[str]) -> list[BaseVideoDataset]:
    """Returns GOT-10k's training videos and those of other data sets, as far as they are set; those left out are named.

    Where none of them is set, they are so many embedded ones.

    Raises:
        SettingsError: one of ``others`` is no data set with a folder to set.
    """
    wanted = list(dict.fromkeys(("got10k", *others)))
    known = [name for name in DATASETS if f"{name}_dir" in PATHS]
    for name in wanted:
        if name not in known:
            hint = f"{near_names(name, known)} Known: {', '.join(known)}."
            raise SettingsError(f"other_sets names {name!r}, which is no data set with a folder to set.{hint}")
    here = sets_here(env, wanted)
    missing = [name for name in wanted if name not in here and (here or name != "got10k")]
    if missing and distributed.is_main():
        print(f"not set on this machine, so not learned from: {', '.join(missing)}")
    if not here:
        return [training_videos(env, embedded)]
    return [training_videos(env) if name == "got10k" else open_dataset(name, env) for name in here]


def held_out_videos(env: Environment, videos: int, frames: int) -> BaseVideoDataset:
    """Returns GOT-10k's validation videos, as many as are asked for, or embedded ones where there are none.

    These need boxes, since tracking is scored with them; nothing is learned from them but which checkpoint to keep.

    Args:
        env: may hold ``got10k_val_dir`` or ``got10k_dir``.
        videos: at most so many.
        frames: of each embedded video.
    """
    folder = env.got10k_val_dir
    if folder is None and env.got10k_dir is not None and (env.got10k_dir / "val" / "list.txt").is_file():
        folder = env.got10k_dir / "val"
    if folder is None:
        if sets_here(env, ("got10k", *PAPER_SETS)) and distributed.is_main():
            why = "got10k_val_dir is not set" if env.got10k_dir is None else f"{env.got10k_dir} holds no val/"
            print(f"{why}: the held-out score is that of embedded synthetic videos")
        return SyntheticVideo(videos, num_frames=frames, seed=HELD_OUT_SEED)
    return Got10k(folder, seq_ids=range(min(videos, len(Got10k(folder)))))
