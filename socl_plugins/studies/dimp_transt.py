"""Studies of DiMP and TransT."""

from __future__ import annotations

from dataclasses import replace

from socl_plugins.studies.schedules import LEARNS, SHORT_DIMP, SHORT_TRANST
from socl_plugins.studies.study import Row, Study

SOCL_DIMP = Row("SD, clicks and a box on every 10th frame", "dimp/socl_dimp18", tracker="dimp/socl_dimp18")


def _dimp_parts() -> list[Row]:
    # Each row has what the one before has, and one part more.
    parts: list[tuple[str, dict[str, str], str]] = [
        ("SD", {}, "58.7"),
        ("+ Init", {"network.initializer": "true"}, "60.0"),
        ("+ FT", LEARNS, "62.6"),
        ("+ Cls", {"network.clf_feat_blocks": "1"}, "63.3"),
        ("+ Loss", {"network.online_loss": "learned"}, "63.8"),
    ]
    settings = {"network.initializer": "false", "network.clf_feat_blocks": "none", "network.online_loss": "hinge"}
    rows = []
    for title, part, paper in parts:
        settings = settings | part
        rows.append(Row(title, "dimp/dimp18", settings=settings, tracker="dimp/dimp18", paper=paper))
    return rows


def _dimp_updates() -> list[Row]:
    return [
        Row(title, "dimp/dimp18", tracker=f"dimp/{tracker}", paper=paper)
        for title, tracker, paper in (
            ("no update", "dimp18_no_update", "61.7"),
            ("model averaging", "dimp18_averaging", "61.7"),
            ("the memory of frames", "dimp18", "63.8"),
        )
    ]


DIMP_AND_TRANST = (
    Study(
        "dimp",
        "How the filter is found (DiMP, Table 1), and DiMP from clicks",
        (
            Row("Init", "dimp/dimp18_init", tracker="dimp/dimp18_init", paper="58.2"),
            Row("GD", "dimp/dimp18_gd", tracker="dimp/dimp18_gd", paper="61.6"),
            Row("SD", "dimp/dimp18", tracker="dimp/dimp18", paper="63.8"),
            replace(SOCL_DIMP, settings={"processing.soft.extent": "top_map"}),
            replace(
                SOCL_DIMP,
                title=f"{SOCL_DIMP.title}, extents of pseudo boxes",
                settings={"processing.soft.extent": "box"},
            ),
            Row("SiamFC on ImageNet's ResNet-18", tracker="siamfc/imagenet_res18_unit"),
            Row("OpenCV's CSRT", tracker="opencv/csrt"),
        ),
        SHORT_DIMP,
        "AUC on OTB-100, NfS and UAV123",
    ),
    Study(
        "dimp_parts",
        "What each part of DiMP's model prediction adds (DiMP, Table 2)",
        _dimp_parts(),
        SHORT_DIMP,
        "AUC on OTB-100, NfS and UAV123",
    ),
    Study(
        "dimp_update",
        "How the filter is kept up to date (DiMP, Table 3)",
        _dimp_updates(),
        SHORT_DIMP,
        "AUC on OTB-100, NfS and UAV123",
    ),
    Study(
        "dimp_averaging",
        "How far averaged filters move in a frame: chosen on `val`, for the row of DiMP's Table 3",
        [
            Row(
                f"model averaging, rate {rate:g}",
                "dimp/dimp18",
                tracker="dimp/dimp18_averaging",
                tracking={"model_averaging_rate": f"{rate:g}"},
                line="model averaging",
                x=rate,
            )
            for rate in (0.003, 0.01, 0.03, 0.1, 0.3)
        ],
        SHORT_DIMP,
        x_label="rate of averaging",
        log_x=True,
    ),
    Study(
        "dimp_videos",
        "A share of the training videos (DiMP, supplement, Fig. S4)",
        [
            Row(
                f"{share:.0%} of the videos",
                "dimp/dimp18",
                settings={} if share == 1 else {"data.share": f"{share:g}"},
                tracker="dimp/dimp18",
                line="DiMP-18",
                x=100 * share,
            )
            for share in (0.1, 0.3, 1.0)
        ],
        SHORT_DIMP,
        x_label="percent of the training videos",
        log_x=True,
    ),
    Study(
        "transt",
        "TransT from sparse boxes and clicks, or from as many hours of boxes (SoCL, Table 7)",
        (
            Row("TransT, all boxes", "transt/transt50_got10k", tracker="transt/transt50"),
            Row("TransT, boxes for the same hours", "transt/box_same_hours", tracker="transt/transt50"),
            Row("SoCL-TransT", "transt/socl_transt", tracker="transt/transt50"),
        ),
        SHORT_TRANST,
    ),
)
