"""A report says the same in every form, and knows what it does not know."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from pytracking.analysis import Report, make_report, plot_results
from pytracking.analysis.__main__ import main
from pytracking.analysis.exports import write_csv, write_json, write_latex
from pytracking.evaluation import ResultError, SequenceList, Tracker
from pytracking.registry import BENCHMARKS


@pytest.fixture
def mine(sequences: SequenceList, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sequences as a benchmark that the command line finds."""
    monkeypatch.setattr(BENCHMARKS, "_entries", {**BENCHMARKS._entries, "mine": lambda: sequences})


def test_the_best_tracker_and_the_worst_sequence_stand_first(report: Report) -> None:
    assert [score.title for score in report.parts[0].scores] == ["the <good> one", "b/bad_50%"]
    assert [sequence.name for sequence in report.parts[0].worst_first()][0] == "Dog"


def test_an_attributes_score_is_the_mean_of_its_sequences(report: Report) -> None:
    assert report.parts[0].attributes == {"blur": ["Car", "Dog"], "occlusion": ["Dog"]}
    good = report.parts[0].rows[0]
    per_sequence = good.scores.per_sequence
    assert good.per_attribute["blur"]["auc"] == pytest.approx(
        (per_sequence["Car"]["auc"] + per_sequence["Dog"]["auc"]) / 2
    )
    assert good.per_attribute["occlusion"]["auc"] == per_sequence["Dog"]["auc"]


def test_csv_has_every_number_with_all_its_digits(report: Report, tmp_path: Path) -> None:
    write_csv(report, tmp_path / "new" / "report.csv")
    rows = list(csv.DictReader((tmp_path / "new" / "report.csv").open(encoding="utf-8")))
    assert len(rows) == 2 * (1 + 2 + 3)
    first = rows[0]
    assert (first["tracker"], first["scope"], first["sequences"]) == ("the <good> one", "all", "3")
    assert float(first["auc"]) == report.parts[0].scores[0].overall["auc"]
    assert float(first["frames_per_second"]) == pytest.approx(50)
    dog = next(row for row in rows if row["name"] == "Dog")
    assert float(dog["precision20"]) == report.parts[0].scores[0].per_sequence["Dog"]["precision20"]


def test_json_holds_curves_and_null_for_what_is_unknown(report: Report, tmp_path: Path) -> None:
    write_json(report, tmp_path / "report.json")
    content = json.loads((tmp_path / "report.json").read_text(encoding="utf-8"))
    [benchmark] = content["benchmarks"]
    good, bad = benchmark["trackers"]
    assert good["curves"]["success"] == report.parts[0].scores[0].overall.curves["success"].tolist()
    assert bad["sequences"]["Owl"]["auc"] == report.parts[0].scores[1].per_sequence["Owl"]["auc"]
    assert benchmark["protocol"] == "pysot" and benchmark["left_out"] == []


def test_latex_is_escaped_and_the_best_is_bold(report: Report, tmp_path: Path) -> None:
    write_latex(report, tmp_path / "report.tex")
    text = (tmp_path / "report.tex").read_text(encoding="utf-8")
    assert "b/bad\\_50\\% & " in text and text.count("\\textbf{") == 4
    assert f"\\textbf{{{100 * report.parts[0].scores[0].overall['auc']:.1f}}}" in text
    assert "Label" not in text  # nothing is known of it


def test_results_that_are_missing_are_left_out_and_named(sequences: SequenceList) -> None:
    tracker = Tracker("a", "good")
    (tracker.results_dir / "Dog.txt").unlink()
    report = make_report([tracker], sequences, "Mine")
    assert report.parts[0].missing == ["Dog"] and "1 without results" in report.parts[0].heading
    with pytest.raises(ResultError, match="on Dog"):
        make_report([tracker], sequences, skip_missing=False)


def test_two_sequences_of_one_name_are_not_mixed(sequences: SequenceList) -> None:
    with pytest.raises(ValueError, match="two sequences, such as 'Car'"):
        make_report([Tracker("a", "good")], [*sequences, *sequences])


def test_plots_are_drawn_as_png_and_pdf(sequences: SequenceList, workspace: Path) -> None:
    pytest.importorskip("matplotlib")
    paths = plot_results([Tracker("a", "good"), Tracker("b", "bad_50%")], sequences, "Mine", plot_types=("success",))
    assert [path.relative_to(workspace).as_posix() for path in paths] == [
        "reports/Mine/success.png",
        "reports/Mine/success.pdf",
    ]
    assert [path.read_bytes()[:4] for path in paths] == [b"\x89PNG", b"%PDF"]


def test_the_command_line_prints_and_writes_all_forms(
    mine: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    arguments = ["a/good=Good", "b/bad_50%", "--dataset", "mine", "--per_sequence", "--attributes"]
    files = ["--csv", "--json", "--latex", "tables/all.tex", "--plots", "--html", "page.html"]
    assert main([*arguments, *files]) == 0
    out = capsys.readouterr().out
    assert "mine: 3 sequences, one-pass evaluation by pysot-toolkit (protocol pysot)" in out and "Owl" in out
    assert re.search("AUC of each attribute\n\n.*occlusion +1 ", out, re.DOTALL)
    for name in ("report.csv", "report.json", "tables/all.tex", "report_plots/norm_prec.pdf", "page.html"):
        assert (tmp_path / name).stat().st_size > 0
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["a/goood"], "Did you mean 'a/good'"),
        (["b/other"], "python pytracking/run_tracker.py b other"),
        (["a/good", "--dataset", "mien"], "Did you mean 'mine'"),
        (["a/good", "--protocol", "pysott"], "Did you mean 'pysot'"),
        (["a/good", "--csv", "/proc/nothing/report.csv"], "cannot write /proc/nothing/report.csv"),
    ],
)
def test_a_mistake_is_one_line_and_no_traceback(
    mine: None, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    chosen = [] if "--dataset" in arguments else ["--dataset", "mine"]
    assert main([*arguments, *chosen]) == 1
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ")


def test_a_tracker_is_named_with_a_slash() -> None:
    with pytest.raises(SystemExit) as stop:
        main(["siamfc"])
    assert stop.value.code == 2
