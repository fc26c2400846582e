"""Studies of PUL."""

from __future__ import annotations

from collections.abc import Sequence

from socl_plugins.studies.schedules import FROM_IMAGENET, SHORT
from socl_plugins.studies.study import Row, Study


def _noise_robust(recipe: str, noises: Sequence[int] = (0, 10, 20, 50)) -> list[Row]:
    rows = []
    for noise in noises:
        for title, robust in (("cross-entropy", 0), ("noise-robust", max(noise, 2))):
            # Without label noise the loss is given what the paper blames: that people err by some pixels.
            settings = {"data.labels.noise_px": str(noise)}
            if robust:
                settings |= {"actor": "noise_robust", "actor.noise.frame_px": str(robust), "actor.noise.scale": "100"}
            rows.append(Row(f"{title}, {noise} px", recipe, settings=settings, line=title, x=noise))
    return rows


def _telling_patches_apart(selection: str) -> dict[str, str]:
    return {"hooks.mine_pairs.rounds": "none", "hooks.refresh_neighbours.selection": selection}


PUL = (
    Study(
        "noise_robust",
        "The noise-robust loss on boxes that are off (PUL, supplement, Fig. 6)",
        _noise_robust("pul/noisy_box_res18"),
        FROM_IMAGENET,
        x_label="label noise in pixels",
    ),
    Study(
        "noise_robust_alexnet",
        "The noise-robust loss on boxes that are off, SiamFC's network from random weights (PUL, supplement, Fig. 6)",
        _noise_robust("pul/noisy_box_alexnet", (0, 50)),
        {**SHORT, "schedule.epochs": "8"},
        x_label="label noise in pixels",
    ),
    Study(
        "selection",
        "Hard mini-batches or random ones, telling patches apart alone (PUL, supplement)",
        (
            Row("anchor-based hard mini-batches", "pul/alex_pul", settings=_telling_patches_apart("neighbours")),
            Row(
                "anchor-based hard mini-batches, anchors with close neighbours",
                "pul/alex_pul",
                settings={**_telling_patches_apart("neighbours"), "hooks.refresh_neighbours.candidates": "4"},
            ),
            Row("random mini-batches", "pul/alex_pul", settings=_telling_patches_apart("random")),
        ),
        {**SHORT, "schedule.epochs": "4", "schedule.samples_per_epoch": "240"},
    ),
    Study(
        "progressive",
        "PUL's two stages against a part of them: hard mini-batches or random ones, then the noise-robust loss or BCE",
        [
            Row(
                f"{title}, then {loss}",
                "pul/alex_pul",
                # Where places are believed to be exact, the noise-robust loss is the balanced cross-entropy.
                settings={"hooks.refresh_neighbours.selection": selection, "actor.noise.crop_px": error},
            )
            for title, selection in (("hard mini-batches", "neighbours"), ("random mini-batches", "random"))
            for loss, error in (("noise-robust", "8"), ("cross-entropy", "0"))
        ],
        {**SHORT, "schedule.epochs": "10", "schedule.samples_per_epoch": "240"},
    ),
)
