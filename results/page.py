"""Writes the tables of README.md and docs/results.md from the files beside it: ``python results/page.py``.

Each study has a file, written by ``python -m socl_plugins.studies report STUDY --csv results``. The results of runs
from before there was ``--csv`` were not kept: their files, and ``trackers.csv`` (``benchmarks/trackers.py``), have the
numbers of the tables that were made of them then, and the commit that recorded these.
"""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PAGES = (FOLDER.parent / "README.md", FOLDER.parent / "docs" / "results.md")
NEEDED = 2.0  # standard errors, from which on a difference is taken for one

NOTHING = 1.0  # points of AUC: what costs less costs nothing

Row = Mapping[str, str]


@dataclass(frozen=True)
class Shown:
    """A row of the headline table: what it is called, and where its numbers are.

    Attributes:
        title: of the row.
        labels: what it learned from.
        study, row: of a study's file; empty: of ``trackers.csv``.
        speed: the tracker of ``trackers.csv`` that is as fast, since its network is of the same form.
    """

    title: str
    labels: str
    speed: str
    study: str = ""
    row: str = ""


SIAMFC = "SiamFC, ImageNet's ResNet-18, unit vectors"
RAW = "raw_imagenet"
HEADLINE = (
    Shown("SiamFC on ImageNet's features", "no video", SIAMFC, RAW, "ImageNet, not trained, raw features"),
    Shown(
        "BCE-Siam: cross-entropy on boxes that clicks give",
        "clicks",
        SIAMFC,
        "raw_imagenet",
        "BCE-Siam, clicks, raw features",
    ),
    Shown(
        "the same, where a second click in each video tells the target's size",
        "clicks",
        SIAMFC,
        RAW,
        "BCE-Siam, clicks and a size, raw features",
    ),
    Shown(
        "the same, for 1,440 steps instead of 240 (as `socl/bce_siam_imagenet`)",
        "clicks",
        SIAMFC,
        "steps_imagenet",
        "BCE-Siam, clicks and a size, 1440 steps",
    ),
    Shown(
        "SoCL-Siam: soft contrastive loss, as printed",
        "clicks",
        SIAMFC,
        "raw_imagenet",
        "SoCL as printed, clicks, raw features",
    ),
    Shown("SoCL-Siam on unit vectors (`socl_res18`)", "clicks", SIAMFC, RAW, "SoCL-Siam, clicks, unit features"),
    Shown("Box-Siam: cross-entropy on boxes", "boxes", SIAMFC, RAW, "Box-Siam, boxes, raw features"),
    Shown(
        "BCE-Siam, clicks and a size, from 253 videos instead of 52",
        "clicks",
        SIAMFC,
        "more_videos",
        "BCE-Siam, clicks and a size, 100% of the videos",
    ),
    Shown("Box-Siam, from 253 videos", "boxes", SIAMFC, "more_videos", "Box-Siam, boxes, 100% of the videos"),
    Shown("SoCL-CF: such features in ECO", "clicks", "ECO, SoCL-CF", "correlation_filter_imagenet", "SoCL-CF, clicks"),
    Shown("CSRT of OpenCV", "", "OpenCV's CSRT"),
)


@dataclass(frozen=True)
class Claim:
    """A claim of a paper: that one row of a study is above another, by how much there, and how it is here.

    Attributes:
        text: what is claimed.
        paper: the paper's difference in AUC, or what it says, and where.
        sign: 1 if the first row is to be above, -1 if below, 0 if as good.
        study: whose file has both rows.
        rows: the two.
    """

    text: str
    paper: str
    sign: int
    study: str
    rows: tuple[str, str]


CLAIMS = (
    Claim("soft negatives from the background help", "+2.7 (SoCL, Table 1)", 1, "table1", ("GST + SNS", "GST")),
    Claim(
        "local templates help",
        "+2.8 (SoCL, Table 1)",
        1,
        "table1",
        ("GST + SNS + mixing + LST", "GST + SNS + mixing"),
    ),
    Claim(
        "for a quarter of the hours, clicks are worth more than boxes",
        "+.9 (SoCL, Table 2)",
        1,
        "hours_imagenet",
        ("SoCL-Siam, 0.25", "Box-Siam, 0.25"),
    ),
    Claim(
        "clicks that are 20 pixels off cost SoCL nothing",
        "-.2 (SoCL, Table 6)",
        0,
        "noise_imagenet",
        ("SoCL-Siam, clicks 20 px off", "SoCL-Siam, clicks"),
    ),
    Claim(
        "a projection head costs a Siamese tracker",
        "-11.4 (SoCL, Table 9)",
        -1,
        "projection_imagenet",
        ("SoCL-Siam, projection head", "SoCL-Siam, clicks"),
    ),
    Claim(
        "SoCL's features are better in a correlation filter than ImageNet's",
        "+1.1 (SoCL, Table 3)",
        1,
        "correlation_filter_imagenet",
        ("SoCL-CF, clicks", "Res18-CF, ImageNet"),
    ),
    Claim(
        "with boxes 20 pixels off, the noise-robust loss is above the cross-entropy",
        "above (PUL, Fig. 6)",
        1,
        "noise_robust",
        ("noise-robust, 20 px", "cross-entropy, 20 px"),
    ),
    Claim("steepest descent is above gradient descent", "+2.2 (DiMP, Table 1)", 1, "dimp", ("SD", "GD")),
)


HOURS, NOISE = "hours of annotation", "label noise in pixels"
LINES = {"hours": HOURS, "hours_imagenet": HOURS, "noise_robust": NOISE}  # studies that are drawn so, and their x axis
BARS = ("labels_imagenet", "table1_imagenet", "noise_imagenet", "projection_imagenet", "raw_imagenet", "dimp")


def main() -> int:
    """Writes both pages and the plots of the studies, and returns 0."""
    for study in (*LINES, *BARS):
        (FOLDER.parent / "docs" / f"{study}.png").write_bytes(plot(study))
    for page in PAGES:
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
        print(page)
    return 0


def plot(study: str) -> bytes:
    """Returns a picture (PNG) of a study's AUC on OTB, with the deviation over seeds."""
    from pytracking.analysis.figures import bar_plot, line_plot

    label = "AUC, otb, in percent"
    rows = [row for row in read(study) if row["test"] == "otb"]
    if study not in LINES:
        bars = {row["row"]: (float(row["auc"]), float(row["auc_sd"] or 0)) for row in rows}
        return bar_plot("png", bars, label)
    lines: dict[str, list[tuple[float, ...]]] = {}
    for row in rows:
        title, _, at = row["row"].rpartition(", ")
        x = float(row["hours"] if LINES[study] == HOURS else at.removesuffix(" px"))
        lines.setdefault(title, []).append((x, float(row["auc"]), float(row["auc_sd"] or 0)))
    ticks = sorted(point[0] for point in next(iter(lines.values())))
    scale = "log" if LINES[study] == HOURS else "linear"
    return line_plot("png", lines, LINES[study], label, ticks, x_scale=scale)  # type: ignore[arg-type]


def filled(text: str) -> str:
    """Returns a page with what is between its marks made anew."""
    for name, table in (
        ("headline", headline()),
        ("claims", claims()),
        ("costs", costs()),
        ("files", files()),
    ):
        start, end = f"<!-- results: {name} -->\n", f"<!-- end of results: {name} -->"
        before, found, rest = text.partition(start)
        if found:
            text = f"{before}{start}\n{table}\n{end}{rest.partition(end)[2]}"
    return text


def headline() -> str:
    """Returns the table of trackers."""
    head = ["tracker", "learned from", "hours", "$", "seeds", "AUC", "DP@20", "AUC, hard", "frames/s"]
    speeds = {row["tracker"]: row for row in read("trackers")}
    lines = []
    for shown in HEADLINE:
        found = tests(shown.study, shown.row) if shown.study else {"otb": speeds[shown.speed]}
        otb, hard = found["otb"], found.get("otb_hard")
        lines.append(
            [
                shown.title,
                shown.labels,
                otb.get("hours", ""),
                otb.get("dollars", ""),
                otb.get("seeds", ""),
                spread(otb, "auc"),
                spread(otb, "dp20"),
                spread(hard, "auc") if hard else "",
                f"{float(speeds[shown.speed]['frames_per_second']):.0f}",
            ]
        )
    return markdown(head, lines)


def claims() -> str:
    """Returns the table of claims; what is said of each follows from the difference and its standard error."""
    lines = []
    for claim in CLAIMS:
        first, second = (tests(claim.study, row)["otb"] for row in claim.rows)
        difference = float(first["auc"]) - float(second["auc"])
        error = standard_error(first, second)
        seeds = " and ".join(dict.fromkeys((first["seeds"], second["seeds"])))
        here = f"{difference:+.1f}" + (f" (± {error:.1f})" if error is not None else "")
        lines.append([claim.text, claim.paper, here, seeds, verdict(difference, error, claim.sign), f"`{claim.study}`"])
    return markdown(["claim", "paper: difference in AUC", "here (standard error)", "seeds", "", "study"], lines)


def verdict(difference: float, error: float | None, sign: int) -> str:
    """Returns whether a difference agrees with a claim; within its error, or without one, it does not say.

    That something costs nothing is agreed with where it can hardly cost a point.

    >>> verdict(7.9, 2.0, 1), verdict(-7.9, 2.0, 1), verdict(1.0, 2.0, 1), verdict(5.0, None, 1)
    ('agrees', 'disagrees', 'not decided', 'not decided')
    >>> verdict(4.1, 2.0, 0), verdict(0.0, 2.0, 0), verdict(-5.0, 2.0, 0)
    ('agrees', 'not decided', 'disagrees')
    """
    if error is None:
        return "not decided"
    told = abs(difference) > NEEDED * error
    if sign == 0 and not told:
        return "agrees" if difference - NEEDED * error > -NOTHING else "not decided"
    if sign == 0:
        return "agrees" if difference > 0 else "disagrees"
    if not told:
        return "not decided"
    return "agrees" if difference * sign > 0 else "disagrees"


def standard_error(*rows: Row) -> float | None:
    """Returns the standard error of a difference of means over seeds.

    A row of a tracker that no seed changes adds none; one of a single seed of training leaves it unknown.
    """
    total = 0.0
    for row in rows:
        if row["auc_sd"]:
            total += float(row["auc_sd"]) ** 2 / int(row["seeds"])
        elif row["hours"]:
            return None
    return math.sqrt(total)


def files() -> str:
    """Returns the list of files by machine; each line of a file names its command."""
    machines: dict[tuple[str, str], list[str]] = {}
    for file in sorted(FOLDER.glob("*.csv")):
        rows = read(file.stem)
        # A network that was kept may have been trained by one commit and tracked with by another: "one; other".
        commits = ", ".join(dict.fromkeys(each for row in rows for each in row["commit"].split("; ")))
        machines.setdefault((rows[0]["machine"], commits), []).append(f"`{file.name}`")
    return markdown(
        ["machine", "commit", "files in `results/`"], [[*key, ", ".join(of)] for key, of in machines.items()]
    )


PRINTED = {
    "box": "3,967 h, $50,407.2",
    "point": "880 h, $7,021.6",
    "sparse_box": "1.2K h",
}  # Table 4, sections 4.3, 4.6


def costs() -> str:
    """Returns what labels of GOT-10k's frames cost, by ``socl_plugins.clicks cost``, beside what SoCL prints."""
    from socl_plugins.clicks.commands import PAPER_FRAMES, PAPER_TRAINING
    from socl_plugins.clicks.costs import DEFAULT_PRICES, annotation_cost, count_labels, load_prices

    prices = load_prices(DEFAULT_PRICES)
    lines = []
    for scheme, title, training in (
        ("box", "a box on each frame", PAPER_TRAINING[0]),
        ("point", "a click on each frame", PAPER_TRAINING[1]),
        ("sparse_box", "a box on every tenth frame, clicks between", 0.0),
    ):
        labels = annotation_cost(count_labels(scheme, PAPER_FRAMES, 10), prices)
        fee = training * prices.gpu_hour.dollars
        whole = [f"{fee:,.2f}", f"{labels.dollars + fee:,.2f}"] if training else ["", ""]
        lines.append([title, f"{labels.hours:,.1f}", f"{labels.dollars:,.2f}", *whole, PRINTED[scheme]])
    return markdown(["1.4 million frames", "hours", "$ labels", "$ training", "$ in all", "SoCL prints"], lines)


def read(name: str) -> list[dict[str, str]]:
    """Returns the rows of a file of results."""
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def tests(study: str, title: str) -> dict[str, dict[str, str]]:
    """Returns a row of a study by the tests that it was tracked on."""
    return {row["test"]: row for row in read(study) if row["row"] == title}


def spread(row: Row, name: str) -> str:
    """Returns a mean, with its deviation over seeds if there are several."""
    deviation = row.get(f"{name}_sd")
    return row[name] + (f" ± {deviation}" if deviation else "")


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Returns a Markdown table."""
    return "".join(f"| {' | '.join(line)} |\n" for line in (head, ["---"] * len(head), *lines))


if __name__ == "__main__":
    sys.exit(main())
