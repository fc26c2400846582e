"""The studies by name. A row says only what it differs in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from socl_plugins.studies.dimp_transt import DIMP_AND_TRANST
from socl_plugins.studies.progressive import PUL
from socl_plugins.studies.schedules import FROM_IMAGENET, SHORT
from socl_plugins.studies.study import Row, Study

UNTRAINED = Row("untrained", network="siamfc_resnet18")
# What docs/lab_notes/studies.md has of SoCL on real video was measured with each frame mirrored and colored on its own.
SOCL = Row("SoCL-Siam, clicks", "socl/full", settings={"processing.augmentation.apart": "1"})
BOX = Row("Box-Siam, boxes", "socl/box_siam_budget")
RESPONSE = Row("SoCL-Siam and response, clicks", "socl/socl_response", settings={"optimizer.learning_rate": "1e-4"})
BCE = Row("BCE-Siam, clicks", "socl/bce_siam_res18")
IMAGENET = Row("ImageNet, not trained", tracker="siamfc/imagenet_res18_unit")
IMAGENET_RAW = Row("ImageNet, not trained, raw features", tracker="siamfc/imagenet_res18")
RAW = {"network.normalise": "false"}
ONE_SIZE = {"data.labels.told_sizes": "1"}  # a second click in each video
NOISY_CLICKS = {"data.labels.noise_px": "20", "data.labels.store": "none"}  # a store has clicks of one noise
RES18_CF = Row("Res18-CF, ImageNet", tracker="eco/res18_cf", paper="68.5")
SOCL_CF = Row("SoCL-CF, clicks", "socl/socl_cf_res18", tracker="eco/socl_cf", paper="69.6")
SOCL_CF_NO_HEAD = replace(
    SOCL_CF, title="SoCL-CF, no projection head", settings={"network.projection": "false"}, paper="68.8"
)
# From ImageNet's weights, with SoCL's loss alone: a higher rate tracks worse.
LOW_LEARNING_RATE = {"optimizer.learning_rate": "1e-5"}

LADDER = (
    Row("GST", "socl/gst", settings=SOCL.settings, paper="55.1 / .215"),
    Row("GST + SNS", "socl/gst_sns", settings=SOCL.settings, paper="57.8 / .228"),
    Row("GST + SNS + mixing", "socl/gst_sns_mix", settings=SOCL.settings, paper="58.1 / .231"),
    replace(SOCL, title="GST + SNS + mixing + LST", paper="60.9 / .244"),
)


def _with(settings: Mapping[str, str], *rows: Row) -> tuple[Row, ...]:
    return tuple(replace(row, settings={**row.settings, **settings}) for row in rows)


PAPER_AT_HOURS = {SOCL.recipe: ("53.3", "54.9", "56.5", "57.8"), BOX.recipe: ("51.7", "54.0", "55.2", "57.0")}


def _at_hours(*clicks: Row) -> list[Row]:
    # An eighth, a quarter, a half and all of what clicks on all frames cost, as in the paper's table 2.
    rows = []
    for number, part in enumerate((0.125, 0.25, 0.5, 1)):
        for row in (*clicks, BOX):
            paper = PAPER_AT_HOURS.get(row.recipe, ("",) * 4)
            all_clicks = part == 1 and row is not BOX
            budget = {} if all_clicks else {"data.labels.budget.part": f"{part:g}"}
            line = row.title.partition(",")[0]
            settings = {**row.settings, **budget}
            rows.append(replace(row, title=f"{line}, {part:g}", settings=settings, line=line, paper=paper[number]))
    return rows


def _shares(*rows: Row) -> list[Row]:
    # A tenth of the videos, nearly a third, and all.
    return [
        replace(
            row,
            title=f"{row.title}, {share:.0%} of the videos",
            settings={**row.settings, **({} if share == 1 else {"data.share": f"{share:g}"})},
            line=row.title,
            x=100 * share,
        )
        for share in (0.1, 0.3, 1.0)
        for row in rows
    ]


def _longer(*epochs: int) -> list[Row]:
    # Of 60 steps each.
    settings = {**RAW, **ONE_SIZE, **LOW_LEARNING_RATE}
    return [
        replace(
            BCE,
            title=f"{BCE.title} and a size, {60 * count} steps",
            settings={**settings, "schedule.epochs": str(count)},
            line="BCE-Siam, clicks and a size",
            x=60 * count,
        )
        for count in epochs
    ]


HEADS = (
    replace(SOCL, paper="60.9"),
    replace(
        SOCL, title="SoCL-Siam, projection head", settings={**SOCL.settings, "network.projection": "true"}, paper="49.5"
    ),
)


def _exact_and_off(row: Row, paper_off: str = "") -> tuple[Row, Row]:
    # Clicks on the centre, and 20 pixels off it.
    return row, replace(row, title=f"{row.title} 20 px off", settings={**row.settings, **NOISY_CLICKS}, paper=paper_off)


def _sweep(key: str, values: tuple[float, ...], paper: tuple[str, ...] = ()) -> list[Row]:
    name = key.rpartition(".")[2]
    printed = paper or ("",) * len(values)
    return [
        replace(
            SOCL,
            title=f"{name} = {value:g}",
            settings={**SOCL.settings, key: f"{value:g}"},
            line="SoCL-Siam",
            x=value,
            paper=shown,
        )
        for value, shown in zip(values, printed)
    ]


THETA_B = _sweep("actor.objective.theta_b", (0.6, 0.7, 0.8, 0.9))
B_P = _sweep("actor.objective.b_p", (0.4, 0.6, 0.8))
ETAS, ETA_PAPER = (0.05, 0.1, 0.15, 0.2), ("60.0", "60.9", "59.5", "59.1")


def _alphas() -> list[Row]:
    return [
        replace(BCE, title=f"alpha = {value:g}", settings={"data.labels.alpha": f"{value:g}"}, line="BCE-Siam", x=value)
        for value in (0.3, 0.5, 0.7)
    ]


def _frames_at_hours(clicked: Row) -> list[Row]:
    # The same videos and the same cost: clicks on all frames of them, or boxes on 1 frame in 4.5.
    rows = []
    for part, clicks, boxes in (
        (0.125, "56.7", "52.2"),
        (0.25, "58.2", "54.3"),
        (0.5, "59.8", "58.1"),
        (1, "60.9", "58.8"),
    ):
        budget = {} if part == 1 else {"data.share": f"{part:g}"}
        for row, paper, frames in ((clicked, clicks, {}), (BOX, boxes, {"data.labels.budget.frame_part": "0.2222"})):
            line = row.title.partition(",")[0]
            settings = {**row.settings, **budget, **frames}
            rows.append(replace(row, title=f"{line}, {part:g}", settings=settings, line=line, paper=paper))
    return rows


_STUDIES = (
    Study(
        "table1",
        "What each kind of sample adds (SoCL, Table 1)",
        (UNTRAINED, *LADDER),
        SHORT,
        "OTB-13 AUC / VOT EAO",
    ),
    Study(
        "table1_imagenet",
        "What each kind of sample adds, from ImageNet weights (SoCL, Table 1)",
        (
            IMAGENET,
            *_with(LOW_LEARNING_RATE, *LADDER),
            replace(RESPONSE, title="GST + SNS + mixing + LST, and response"),
        ),
        FROM_IMAGENET,
        "OTB-13 AUC / VOT EAO",
    ),
    Study(
        "labels",
        "Clicks or boxes on the same frames (SoCL, Figs. 8 and 10)",
        (UNTRAINED, SOCL, BOX, BCE),
        SHORT,
    ),
    Study(
        "hours",
        "Clicks or boxes for the same hours of annotation (SoCL, Table 2)",
        _at_hours(SOCL),
        SHORT,
        "OTB-15 AUC",
        x_label="hours of annotation",
        log_x=True,
    ),
    Study(
        "labels_imagenet",
        "Clicks or boxes on the same frames, from ImageNet weights (SoCL, Figs. 8 and 10)",
        (IMAGENET, *_with(LOW_LEARNING_RATE, SOCL), RESPONSE, BOX, BCE),
        FROM_IMAGENET,
    ),
    Study(
        "raw_imagenet",
        "Features as they are or as unit vectors, from ImageNet weights",
        (
            IMAGENET,
            IMAGENET_RAW,
            *_with(
                LOW_LEARNING_RATE,
                Row("BCE-Siam, clicks, raw features", BCE.recipe, settings=RAW),
                Row("BCE-Siam, clicks and a size, raw features", BCE.recipe, settings={**RAW, **ONE_SIZE}),
                Row("SoCL as printed, clicks, raw features", "socl/as_printed"),
                Row("Box-Siam, boxes, raw features", BOX.recipe, settings=RAW),
                replace(SOCL, title="SoCL-Siam, clicks, unit features"),
            ),
        ),
        FROM_IMAGENET,
    ),
    Study(
        "more_videos",
        "A share of the training videos, clicks or boxes, from ImageNet weights, three times as long",
        (
            IMAGENET_RAW,
            *_shares(
                *_with(
                    {**RAW, **LOW_LEARNING_RATE}, replace(BCE, title=f"{BCE.title} and a size", settings=ONE_SIZE), BOX
                )
            ),
        ),
        {**FROM_IMAGENET, "schedule.epochs": "12"},
        x_label="percent of the training videos",
        log_x=True,
    ),
    Study(
        "steps_imagenet",
        "How long clicks are learned from, from ImageNet weights",
        (IMAGENET_RAW, *_longer(4, 12, 24)),
        FROM_IMAGENET,
        x_label="steps of 12 pairs",
        log_x=True,
    ),
    Study(
        "hours_imagenet",
        "Clicks or boxes for the same hours of annotation, from ImageNet weights (SoCL, Table 2)",
        _at_hours(*_with(LOW_LEARNING_RATE, SOCL), RESPONSE),
        FROM_IMAGENET,
        "OTB-15 AUC",
        x_label="hours of annotation",
        log_x=True,
    ),
    Study(
        "frames",
        "The same videos, boxes on 1 frame in 4.5 (SoCL, Table 8)",
        _frames_at_hours(SOCL),
        SHORT,
        "OTB-13 AUC",
        x_label="hours of annotation",
        log_x=True,
    ),
    Study(
        "frames_imagenet",
        "The same videos, boxes on 1 frame in 4.5, from ImageNet weights (SoCL, Table 8)",
        _frames_at_hours(*_with(LOW_LEARNING_RATE, SOCL)),
        FROM_IMAGENET,
        "OTB-13 AUC",
        x_label="hours of annotation",
        log_x=True,
    ),
    Study(
        "noise",
        "Clicks on the target's centre, or 20 pixels off (SoCL, Table 6)",
        _exact_and_off(replace(SOCL, paper="53.8"), "53.6") + _exact_and_off(BCE),
        SHORT,
        "OTB-15 AUC",
    ),
    Study(
        "noise_imagenet",
        "Clicks on the target's centre, or 20 pixels off, from ImageNet weights (SoCL, Table 6)",
        _exact_and_off(replace(SOCL, settings={**SOCL.settings, **LOW_LEARNING_RATE}, paper="53.8"), "53.6")
        + _exact_and_off(RESPONSE)
        + _exact_and_off(BCE),
        FROM_IMAGENET,
        "OTB-15 AUC",
    ),
    Study("projection", "With a projection head and without (SoCL, Table 9)", HEADS, SHORT, "OTB-13 AUC"),
    Study(
        "projection_imagenet",
        "With a projection head and without, from ImageNet weights (SoCL, Table 9)",
        _with(LOW_LEARNING_RATE, *HEADS),
        FROM_IMAGENET,
        "OTB-13 AUC",
    ),
    Study(
        "theta_b", "How much of the TOP map is kept out of negatives (SoCL, Fig. 7)", THETA_B, SHORT, x_label="theta_b"
    ),
    Study(
        "theta_b_imagenet",
        "How much of the TOP map is kept out of negatives, from ImageNet weights (SoCL, Fig. 7)",
        _with(LOW_LEARNING_RATE, *THETA_B),
        FROM_IMAGENET,
        x_label="theta_b",
    ),
    Study("b_p", "How little of the TOP map local templates may have (SoCL, Fig. 7)", B_P, SHORT, x_label="b_p"),
    Study(
        "b_p_imagenet",
        "How little of the TOP map local templates may have, from ImageNet weights (SoCL, Fig. 7)",
        _with(LOW_LEARNING_RATE, *B_P),
        FROM_IMAGENET,
        x_label="b_p",
    ),
    Study(
        "tau",
        "The loss's temperature",
        _sweep("actor.objective.tau", (0.05, 0.07, 0.1, 0.2, 0.5)),
        SHORT,
        x_label="tau",
        log_x=True,
    ),
    Study(
        "eta",
        "The top part of the score map that is clipped (SoCL, Table 10)",
        _sweep("processing.crop.eta", ETAS, ETA_PAPER),
        SHORT,
        "OTB-13 AUC",
        x_label="eta",
    ),
    Study(
        "eta_imagenet",
        "The top part of the score map that is clipped, from ImageNet weights (SoCL, Table 10)",
        _with(LOW_LEARNING_RATE, *_sweep("processing.crop.eta", ETAS, ETA_PAPER)),
        FROM_IMAGENET,
        "OTB-13 AUC",
        x_label="eta",
    ),
    Study("alpha", "The threshold of pseudo boxes (SoCL, Fig. 8)", _alphas(), SHORT, x_label="alpha"),
    Study(
        "alpha_imagenet",
        "The threshold of pseudo boxes, from ImageNet weights (SoCL, Fig. 8)",
        _alphas(),
        FROM_IMAGENET,
        x_label="alpha",
    ),
    Study(
        "positive",
        "The positive pair in the denominator, or not (SoCL, equation 9)",
        (
            SOCL,
            replace(
                SOCL, title="SoCL-Siam, InfoNCE", settings={**SOCL.settings, "actor.objective.include_positive": "true"}
            ),
        ),
        SHORT,
    ),
    Study(
        "correlation_filter",
        "Features for a correlation filter (SoCL, Tables 3 and 9); SoCL-CF from random weights",
        (
            Row("ECO, untrained", tracker="eco/untrained_res18"),
            RES18_CF,
            SOCL_CF,
            SOCL_CF_NO_HEAD,
        ),
        SHORT,
        "OTB-13 AUC",
    ),
    Study(
        "correlation_filter_imagenet",
        "Features for a correlation filter, from ImageNet weights (SoCL, Tables 3 and 9)",
        (RES18_CF, SOCL_CF, SOCL_CF_NO_HEAD),
        # Up to the layer that is tracked with, and slower still than SoCL-Siam; docs/lab_notes/studies.md says why.
        {**FROM_IMAGENET, "optimizer.learning_rate": "3e-6", "network.output_layer": "layer3"},
        "OTB-13 AUC",
    ),
    *PUL,
    *DIMP_AND_TRANST,
)

STUDIES: Mapping[str, Study] = {study.name: study for study in _STUDIES}
