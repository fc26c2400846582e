"""The validation videos that choose a run's checkpoint."""

from __future__ import annotations

from ltr.admin.environment import Environment
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.got10k import Got10k
from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine import distributed
from ltr.registry import DATASETS

HELD_OUT_SEED = 2  # of the embedded videos that choose the checkpoint; training and benchmark have others


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
        training = [name for name in DATASETS if getattr(env, f"{name}_dir", None) is not None]
        if training and distributed.is_main():
            why = "got10k_val_dir is not set" if env.got10k_dir is None else f"{env.got10k_dir} holds no val/"
            print(f"{why}: the held-out score is that of embedded synthetic videos")
        return SyntheticVideo(videos, num_frames=frames, seed=HELD_OUT_SEED)
    return Got10k(folder, seq_ids=range(min(videos, len(Got10k(folder)))))
