"""A benchmark names its metric; a mixture of benchmarks gives a table, plots and a part of the page for each."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import numpy as np
import pytest

from pytracking.analysis import evaluate
from pytracking.analysis.__main__ import main
from pytracking.analysis.benchmark_metrics import BENCHMARK_METRICS
from pytracking.evaluation import ResultError, Sequence, SequenceList, SequenceResult, Tracker
from pytracking.evaluation.resets import run_file
from pytracking.evaluation.results import save_result
from pytracking.metrics import PROTOCOLS, VOT_PROTOCOLS, iou, ope
from pytracking.registry import BENCHMARKS

TRACKER = Tracker("a", "good")
DATASETS = ["otb", "lasot", "got10k_val", "vot2018"]


@pytest.fixture
def benchmarks(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Sequence]:
    """A sequence of each benchmark with the results of one pass, and reset-based runs on VOT's."""
    made = {}
    frame = np.full((60, 80, 3), 90, np.uint8)
    for index, name in enumerate([*DATASETS, "uav", "trackingnet"]):
        boxes = np.array([[10 + t % 30, 20, 20, 10 + index] for t in range(150)], float)
        made[name] = Sequence(f"{name}-1", [frame] * 150, name, boxes)
        tracked = boxes + [1, 0, 0, 0]
        tracked[0] = boxes[0]
        save_result(TRACKER.results_dir, made[name], SequenceResult(tracked, np.full(150, 0.02)))
    lines = ["1", *(",".join(map(str, box)) for box in made["vot2018"].ground_truth_rect[1:])]
    lines[60:66] = ["2", "0", "0", "0", "0", "1"]
    file = run_file(TRACKER, made["vot2018"], 1)
    file.parent.mkdir(parents=True)
    file.write_text("\n".join(lines))
    entries = {name: (lambda sequence=sequence: SequenceList([sequence])) for name, sequence in made.items()}
    monkeypatch.setattr(BENCHMARKS, "_entries", {**BENCHMARKS._entries, **entries})
    return made


@pytest.mark.parametrize(
    ("dataset", "options", "heads", "toolkit"),
    [
        ("otb", [], "AUC DP@20", "pysot-toolkit"),
        ("uav", [], "AUC DP@20", "pysot-toolkit"),
        ("lasot", [], "AUC DP@20 NP@.20 NP area", "LaSOT's toolkit"),
        ("trackingnet", [], "AUC DP@20 NP@.20 NP area", "it ranks normalised precision by NP area"),
        ("got10k_val", [], "AO SR.50 SR.75", "GOT-10k's toolkit"),
        ("vot2018", [], "A R EAO", "pysot-toolkit"),
        ("vot2018", ["--protocol", "vot_toolkit"], "A R EAO", "the VOT Python toolkit"),
        ("vot2018", ["--one-pass"], "AUC DP@20 NP@.20 NP area", "pysot-toolkit"),
        ("got10k_val", ["--protocol", "pytracking"], "AUC DP@20 NP@.20 NP area", "pytracking"),
        ("otb", ["--protocol", "got10k"], "AUC DP@20", "GOT-10k's toolkit"),
    ],
)
def test_a_table_has_the_benchmarks_columns_and_names_protocol_and_toolkit(
    benchmarks: dict[str, Sequence],
    capsys: pytest.CaptureFixture[str],
    dataset: str,
    options: list[str],
    heads: str,
    toolkit: str,
) -> None:
    assert main(["a/good", "--dataset_name", dataset, *options]) == 0
    heading, _, header, *_ = capsys.readouterr().out.strip().splitlines()
    assert header.split() == ["tracker", *heads.split(), "frames/s"]
    assert heading.startswith(f"{dataset}: 1 sequence, ") and toolkit in heading and "(protocol " in heading


@pytest.mark.long
def test_a_mixture_of_benchmarks_gives_one_table_each_in_every_form(
    benchmarks: dict[str, Sequence], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    files = {kind: tmp_path / f"all.{kind}" for kind in ("csv", "json", "latex", "html", "plots")}
    words = [word for kind, file in files.items() for word in (f"--{kind}", str(file))]
    arguments = ["a/good", "--dataset_name", *DATASETS, "--per_sequence", "--report_name", "All <4>", *words]
    assert main(arguments) == 0
    out = capsys.readouterr().out
    headings = [line for line in out.splitlines() if line.startswith("All <4>, ")]
    assert [heading.split(": ")[0] for heading in headings] == [f"All <4>, {name}" for name in DATASETS]
    assert "AO of each sequence" in out and "A of each sequence" in out and "AUC of each sequence" in out

    rows = [row for row in csv.DictReader(files["csv"].open(encoding="utf-8")) if row["scope"] == "all"]
    by_dataset = {row["dataset"]: row for row in rows}
    assert list(by_dataset) == DATASETS
    assert by_dataset["vot2018"]["eao"] and not by_dataset["vot2018"]["auc"] and not by_dataset["otb"]["ao"]
    assert [row["protocol"] for row in rows] == ["pysot", "lasot", "got10k", "pysot"]
    parts = json.loads(files["json"].read_text())["benchmarks"]
    assert [part["trackers"][0].get("robustness") for part in parts] == [None, None, None, pytest.approx(1 / 1.5)]
    latex = files["latex"].read_text()
    assert latex.count("\\begin{tabular}") == 4 and "AO & SR.50 & SR.75" in latex
    plots = sorted(path.relative_to(files["plots"]).as_posix() for path in files["plots"].rglob("*.png"))
    assert plots == [
        "got10k_val/success.png",
        *(f"lasot/{kind}.png" for kind in ("norm_prec", "prec", "success")),
        *(f"otb/{kind}.png" for kind in ("prec", "success")),
        "vot2018/eao.png",
    ]
    page = files["html"].read_text()
    assert page.count("<section>") == page.count("<article") == 4
    assert "<h1>All &lt;4&gt;, vot2018</h1>" in page and "Expected average overlap plot" in page
    assert page.count('id="sequence-') == len({*page.split('id="sequence-')[1:]}) == 4


def test_one_pass_over_vot_is_tabled_as_such_and_its_own_metric_asks_for_runs(
    benchmarks: dict[str, Sequence], capsys: pytest.CaptureFixture[str]
) -> None:
    run_file(TRACKER, benchmarks["vot2018"], 1).unlink()
    assert main(["a/good", "--dataset_name", "vot2018"]) == 1
    assert "run them first, with pytracking/run_vot.py" in capsys.readouterr().err
    assert main(["a/good", "--dataset_name", "vot2018", "--one-pass"]) == 0


@pytest.mark.parametrize(
    ("dataset", "protocol", "message"),
    [
        ("otb", "pysott", "Did you mean 'pysot'"),
        ("vot2018", "vot_tolkit", "Did you mean 'vot_toolkit'"),
        ("otb", "matlab", "scores reset-based runs, as of vot2018, not otb"),
    ],
)
def test_a_protocol_that_does_not_score_a_benchmark_is_refused(
    benchmarks: dict[str, Sequence], capsys: pytest.CaptureFixture[str], dataset: str, protocol: str, message: str
) -> None:
    assert main(["a/good", "--dataset_name", dataset, "--protocol", protocol]) == 1
    assert message in capsys.readouterr().err


def test_a_number_is_of_one_data_set(benchmarks: dict[str, Sequence]) -> None:
    with pytest.raises(ValueError, match="score each of otb, lasot by itself"):
        evaluate([TRACKER], [benchmarks["otb"], benchmarks["lasot"]])
    with pytest.raises(ResultError, match="of otb has results of all 1 trackers"):
        evaluate([Tracker("a", "none")], [benchmarks["otb"]], skip_missing=True)


def test_lasots_toolkit_is_followed_frame_by_frame() -> None:
    """Its rules once more, as a loop: absent frames are left out, all frames are divided by."""
    rng = np.random.default_rng(7)
    for _ in range(20):
        gt = np.concatenate([rng.uniform(-5, 60, (30, 2)), rng.uniform(5, 40, (30, 2))], axis=1)
        gt[rng.random(30) < 0.1] = 0
        gt[0] = [10, 10, 20, 20]
        pred = gt + rng.normal(0, 6, gt.shape)
        pred[rng.random(30) < 0.1, 2:] = [0, -3]
        visible = rng.random(30) < 0.8
        successes, hits, norm_hits = np.zeros(21), np.zeros(51), np.zeros(51)
        last = gt[0]
        for frame in range(30):
            last = pred[frame] if frame and pred[frame, 2] > 0 and pred[frame, 3] > 0 else last
            if not visible[frame]:
                continue
            overlap, pixels, sizes = -1.0, -1.0, -1.0
            if (gt[frame] > 0).all():
                overlap = float(iou(last, gt[frame]))
                apart = last[:2] + (last[2:] - 1) / 2 - gt[frame, :2] - (gt[frame, 2:] - 1) / 2
                pixels, sizes = np.hypot(*apart), np.hypot(*(apart / gt[frame, 2:]))
            successes += overlap > np.arange(21) / 20
            hits += pixels <= np.arange(51)
            norm_hits += sizes <= np.arange(51) / 100
        found = ope(pred, gt, "lasot", visible)
        np.testing.assert_allclose(found.success, successes / 30, atol=1e-12)
        np.testing.assert_allclose(found.precision, hits / 30, atol=1e-12)
        np.testing.assert_allclose(found.norm_precision, norm_hits / 30, atol=1e-12)


def test_every_protocol_names_its_toolkit() -> None:
    assert len({rules.toolkit for rules in PROTOCOLS.values()}) == len(PROTOCOLS)


def test_the_documentation_has_every_benchmark_and_protocol() -> None:
    docs = Path(__file__).parents[3] / "docs"
    text, data = ((docs / name).read_text("utf-8") for name in ("metrics.md", "data.md"))
    protocols = re.findall(r"^\| `(\w+)` \| ([^|]+) \|", data[data.index("## Absent targets") :], re.MULTILINE)
    assert {name for name, _ in protocols} >= {*PROTOCOLS}
    assert all(f"`{name}`" in text and f"`{name}`" in data for name in VOT_PROTOCOLS)
    rows = [line.split("|") for line in text.splitlines() if line.startswith("| `") and line.count("|") == 5]
    documented = {name: (row[3].strip(), row[4].strip()) for row in rows for name in re.findall(r"`(\w+)`", row[1])}
    for name, metric in BENCHMARK_METRICS.items():
        row = documented.get(name) or documented["got10k_val" if "got10k" in name else "vot2013"]
        assert row == (", ".join(column.head for column in metric.columns), f"`{metric.protocol}`"), name
