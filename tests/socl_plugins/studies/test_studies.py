"""Studies: rows that differ in what they say alone, runs that go on, and tables of what was measured."""

from __future__ import annotations

import csv
import itertools
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from ltr.admin.ownership import LOCK_FILE
from ltr.admin.records import RecordError
from ltr.models.builder import NETWORKS, build_network
from ltr.registry import TRAIN_SETTINGS
from pytracking.registry import PARAMETERS
from socl_plugins.studies import run as study_run
from socl_plugins.studies.__main__ import main
from socl_plugins.studies.catalogue import STUDIES
from socl_plugins.studies.measure import HELD_OUT, videos_of_test
from socl_plugins.studies.report import ReportError, collect, study_table
from socl_plugins.studies.run import RunOptions, _missing_tests, read_result, result_path
from socl_plugins.studies.study import Study, StudyError
from tests.recipes import TINY, recipe

ROWS = ["untrained", "Box-Siam, boxes"]


def run(out: Path, video: Path, *words: str) -> int:
    options = [f"--set={key}={value}" for key, value in TINY.items()]
    tested = ["--out", str(out), "--seeds", "0", "--tests", str(video), "--device", "cpu"]
    return main(["run", "labels", *tested, *options, "--rows", *ROWS, *words])


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES.keys())
def test_every_row_names_what_there_is(study: Study) -> None:
    titles = [row.title for row in study.rows]
    assert len(set(titles)) == len(titles) > 1
    for row in study.rows:
        assert row.tracker in PARAMETERS
        assert not row.recipe or row.recipe in TRAIN_SETTINGS
        assert not row.network or row.network in NETWORKS


@pytest.mark.parametrize("study", STUDIES.values(), ids=STUDIES.keys())
def test_the_settings_of_every_row_fit_its_recipe(study: Study) -> None:
    for cell in study.cells([0], {}):
        if cell.recipe:
            made = recipe(cell.recipe, dict(cell.settings))
            assert made.score is None and made.schedule.samples_per_video is None


def test_each_row_of_dimps_table_2_learns_one_part_more() -> None:
    learning = []
    for cell in STUDIES["dimp_parts"].cells([0], {}):
        network = recipe(cell.recipe, dict(cell.settings)).network
        net = build_network(network.name, **{**network.options, "pretrained": None})
        learning.append({name for name, weight in net.named_parameters() if weight.requires_grad})
    assert all(fewer < more for fewer, more in itertools.pairwise(learning))
    parts = ["classifier.filter_initializer", "feature_extractor", "classifier.feature_extractor"]
    for part, fewer, more in zip([*parts, "classifier.filter_optimizer"], learning, learning[1:]):
        assert all(name.startswith(f"{part}.") for name in more - fewer), part


def test_rows_share_the_schedule_and_keep_what_they_differ_in() -> None:
    study = STUDIES["noise"]
    cells = list(study.cells([0, 1], {"schedule.epochs": "3"}))
    assert [cell.seed for cell in cells] == [0] * 4 + [1] * 4, "seeds outermost"
    settings = [dict(cell.settings) for cell in cells]
    assert {one["schedule.epochs"] for one in settings} == {"3"}
    assert {one["optimizer.learning_rate"] for one in settings} == {"1e-3"}
    assert [one.get("data.labels.noise_px") for one in settings[:4]] == [None, "20", None, "20"]
    assert len({cell.key for cell in cells}) == 8
    with pytest.raises(StudyError, match="data.labels.noise_px is what rows of noise differ in"):
        study.cell(study.rows[0], 0, {"data.labels.noise_px": "20"})


def test_a_tracker_that_is_used_as_it_is_has_one_result_whatever_the_seeds() -> None:
    study = STUDIES["correlation_filter"]
    cells = [cell for cell in study.cells([0, 1, 2], {}) if not cell.recipe]
    assert len(cells) == 6 and len(set(cells)) == 2


def test_what_two_studies_share_is_run_once() -> None:
    table, labels = (STUDIES[name] for name in ("table1", "labels"))
    full = {cell.key for cell in table.cells([0], {})} & {cell.key for cell in labels.cells([0], {})}
    assert len(full) == 2  # the untrained network, and SoCL with all its samples


@pytest.mark.long
def test_a_study_runs_goes_on_and_is_reported(
    workspace: Path, tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(study_run, "SECONDS_BETWEEN_LINES", 0.2)
    out = tmp_path / "out"
    assert run(out, video) == 0
    said = capsys.readouterr().out
    assert "2 cells run, 0 were there, 0 failed" in said
    assert re.search(
        r"^socl-box_siam_budget\S+: (training|labels|epoch|held-out|\S+: 1 of 1 tracked)", said, re.MULTILINE
    )
    assert run(out, video) == 0
    assert "0 cells run, 2 were there, 0 failed" in capsys.readouterr().out
    assert run(out, video, "--precision", "bfloat16") == 0
    assert "2 cells run, 0 were there, 0 failed" in capsys.readouterr().out, "tracked with in another precision"
    assert not list(out.glob("*/checkpoints")), "workspaces are not kept unless asked for"

    options = ["--out", str(out), "--seeds", "0", *(f"--set={key}={value}" for key, value in TINY.items())]
    document = tmp_path / "results.md"
    document.write_text("before\n<!-- study labels -->\nold\n<!-- end of study labels -->\nafter\n")
    assert main(["report", "labels", *options, "--into", str(document), "--note", "On a test machine."]) == 0
    text = document.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "On a test machine." in text
    assert "](labels.png)" in text and (tmp_path / "labels.png").read_bytes().startswith(b"\x89PNG")
    assert main(["report", "labels", *options, "--csv", str(tmp_path / "files")]) == 0
    with (tmp_path / "files" / "labels.csv").open(encoding="utf-8") as file:
        written = {row["row"]: row for row in csv.DictReader(file)}
    assert list(written) == ROWS and (tmp_path / "files" / "labels.png").is_file()
    boxes = written["Box-Siam, boxes"]
    assert boxes["machine"].rstrip("s").endswith("CPU core") and boxes["learned_from"] == "synthetic, 48 videos"
    assert written["untrained"]["learned_from"] == "", "nothing was learned"
    assert boxes["command"].startswith("python -m socl_plugins.studies run labels --tests ") and boxes["seeds"] == "1"
    (line,) = [line for line in text.splitlines() if line.startswith("| Box-Siam")]
    result = json.loads(result_path(out, STUDIES["labels"].cell(STUDIES["labels"].rows[2], 0, TINY)).read_text())
    assert [cell.strip() for cell in line.split("|")[2:5]] == [
        "1",
        f"{result['hours']:.2f}",
        f"{result['dollars']:.2f}",
    ]
    assert f"{100 * result['tests'][str(video)]['auc']:.1f}" in line

    assert main(["report", "labels", *options, "--tests", "elsewhere"]) == 1
    assert "no result of labels" in capsys.readouterr().err, "it was tested on something else"

    assert main(["report", "table1", *options, "--into", str(document)]) == 1  # the untrained row, but no marks
    assert "<!-- study table1 -->" in capsys.readouterr().err
    assert main(["report", "noise", *options]) == 1
    assert "no result of noise" in capsys.readouterr().err


def test_what_a_jpeg_decoder_says_is_no_progress(tmp_path: Path) -> None:
    log = tmp_path / "cell.log"
    warnings = [f"Corrupt JPEG data: {500 + n % 13} extraneous bytes before marker 0xd0" for n in range(164)]
    log.write_text("\n".join(["otb: 9 of 12 videos tracked, Man with AUC 0.830", *warnings, ""]))
    assert study_run.last_line(log) == "otb: 9 of 12 videos tracked, Man with AUC 0.830"


@pytest.mark.long
def test_a_cell_that_fails_is_counted_and_stops_no_other(
    workspace: Path, tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(tmp_path / "out", video, "--set", "optimizer.learning_rat=1") == 1
    printed = capsys.readouterr().out
    assert "1 cells run, 0 were there, 1 failed" in printed
    (log,) = (tmp_path / "out" / "logs").glob("socl-box*.log")
    assert str(log) in printed and "learning_rate" in log.read_text()


def test_a_test_that_does_not_exist_is_an_error_before_anything_is_trained(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["run", "labels", "--out", str(tmp_path / "out"), "--rows", "Box-Siam, boxes", "--tests", "synthetix"]
    assert main(words) == 1
    assert "'synthetix'" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_table_has_means_and_deviations_over_seeds(tmp_path: Path) -> None:
    study = STUDIES["labels"]
    for seed, auc in enumerate((0.40, 0.42, 0.47)):
        cell = study.cell(study.rows[1], seed, {})
        tests = {"otb": {"auc": auc, "dp20": 0.5}}
        result_path(tmp_path, cell).write_text(json.dumps({"tests": tests, "hours": 2.0, "dollars": 10}))
    table = study_table(study, collect(study, tmp_path, [0, 1, 2, 2], {}))
    assert "| SoCL-Siam, clicks | 3 | 2.00 | 10.00 | 43.0 ± 3.6 | 50.0 ± 0.0 |" in table


def test_a_plot_of_lines_shows_the_deviations_that_its_table_shows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = next(study for study in STUDIES.values() if study.x_label and all(row.x for row in study.rows if row.line))
    for row in study.rows:
        for seed, auc in enumerate((0.40, 0.42, 0.47)):
            result = {"tests": {"otb": {"auc": auc, "dp20": 0.5}}, "hours": 2.0, "dollars": 10}
            result_path(tmp_path, study.cell(row, seed, {})).write_text(json.dumps(result))
    drawn: list[Any] = []
    monkeypatch.setattr("socl_plugins.studies.report.line_plot", lambda *given, **more: drawn.append(given) or b"")
    document = tmp_path / "results.md"
    document.write_text(f"<!-- study {study.name} -->\n<!-- end of study {study.name} -->\n")
    words = ["report", study.name, "--out", str(tmp_path), "--seeds", "0", "1", "2", "--into", str(document)]
    assert main(words) == 0
    points = [point for line in drawn[0][1].values() for point in line]
    assert points and all(point[1:] == pytest.approx((43.0, 3.6056), abs=1e-4) for point in points)
    assert "43.0 ± 3.6" in document.read_text()


def test_otb13_is_the_mean_over_its_sequences_among_those_of_otb(tmp_path: Path) -> None:
    study = STUDIES["table1"]
    assert study.paper == "OTB-13 AUC / VOT EAO" and study.rows[-1].paper == "60.9 / .244"
    otb = {"auc": 0.4, "dp20": 0.5, "per_sequence_auc": {"Basketball": 0.6, "Bolt": 0.4, "Biker": 0.2}}
    result_path(tmp_path, study.cell(study.rows[1], 0, {})).write_text(json.dumps({"tests": {"otb": otb}}))
    head, _, line = study_table(study, collect(study, tmp_path, [0], {})).splitlines()
    assert "AUC, otb13" in head and "| 50.0 |" in line, "Biker is of OTB-2015 only"
    other = STUDIES["labels"]  # has no number on OTB-13 beside it
    result_path(tmp_path, other.cell(other.rows[1], 0, {})).write_text(json.dumps({"tests": {"otb": otb}}))
    assert "otb13" not in study_table(other, collect(other, tmp_path, [0], {}))


def test_networks_that_learned_from_other_videos_are_not_put_into_one_table(tmp_path: Path) -> None:
    study = STUDIES["labels"]
    for row, videos in zip(study.rows[1:3], ("got10k, 52 videos", "synthetic, 64 videos")):
        result = {"tests": {"otb": {"auc": 0.5, "dp20": 0.5}}, "recipe": row.recipe, "learned_from": videos}
        result_path(tmp_path, study.cell(row, 0, {})).write_text(json.dumps(result))
    with pytest.raises(ReportError, match="learned from different videos"):
        collect(study, tmp_path, [0], {})


def test_results_of_two_precisions_are_not_put_into_one_table(tmp_path: Path) -> None:
    study = STUDIES["labels"]
    for row, precision in zip(study.rows[1:4], ("float32", None, "bfloat16")):
        result = {"tests": {"otb": {"auc": 0.5, "dp20": 0.5}}, "recipe": row.recipe, "precision": precision}
        result_path(tmp_path, study.cell(row, 0, {})).write_text(json.dumps(result))
    with pytest.raises(ReportError, match="tracked with in bfloat16 and float32: run it again with one --precision"):
        collect(study, tmp_path, [0], {})


@contextmanager
def running_study(out: Path, video: Path, ignore_ctrl_c: bool = False) -> Iterator[subprocess.Popen[str]]:
    """A study in the background whose first cell has started. It ends with the block, whatever happens."""
    words = ["run", "labels", "--out", str(out), "--seeds", "0", "--tests", str(video), "--rows", "Box-Siam, boxes"]
    handler = signal.SIG_IGN if ignore_ctrl_c else signal.SIG_DFL
    # In a session of its own: the signal goes to the command alone, as from a scheduler, not from a terminal.
    process = subprocess.Popen(
        [sys.executable, "-m", "socl_plugins.studies", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, handler),
    )
    try:
        assert wait_for(lambda: any(log.stat().st_size for log in out.glob("logs/*.log"))), "no cell has started"
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def wait_for(condition: Callable[[], bool], seconds: float = 240) -> bool:
    until = time.monotonic() + seconds
    while not condition() and time.monotonic() < until:
        time.sleep(0.1)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.long
def test_a_study_that_is_stopped_stops_its_cells_and_leaves_nothing_behind(
    workspace: Path, tmp_path: Path, video: Path, number: int
) -> None:
    out = tmp_path / "out"
    with running_study(out, video, ignore_ctrl_c=number == signal.SIGTERM) as process:
        process.send_signal(number)
        error = process.communicate(timeout=240)[1]
    assert process.returncode == 130 and "goes on" in error and "Traceback" not in error
    assert {path.name for path in out.iterdir()} == {"logs", LOCK_FILE}


@pytest.mark.long
def test_the_cells_of_a_killed_study_end_with_it_and_the_next_run_takes_over(
    workspace: Path, tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    with running_study(out, video) as process:
        assert run(out, video) == 1
        assert f"is being written to by process {process.pid}" in capsys.readouterr().err
        cells = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        process.wait()
        assert cells and wait_for(lambda: not any(alive(cell) for cell in cells))
    assert list(out.glob(".*.workspace")), "the cell was running"
    assert run(out, video) == 0
    assert "takes it over" in capsys.readouterr().err
    assert not list(out.glob(".*.workspace"))


def alive(process: psutil.Process) -> bool:
    try:
        return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


@pytest.mark.parametrize("content", [b"\xff", b"{", b"{}", b'{"tests": {"otb": 3}}'])
def test_a_damaged_result_is_named_set_aside_and_made_again(
    workspace: Path, tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    cell = STUDIES["labels"].cell(STUDIES["labels"].rows[0], 0, TINY)
    path = result_path(tmp_path, cell)
    path.write_bytes(content)
    options = ["--out", str(tmp_path), "--seeds", "0", *(f"--set={key}={value}" for key, value in TINY.items())]
    assert main(["report", "labels", *options]) == 1
    error = capsys.readouterr().err
    assert f"error: {path} is damaged" in error and "Traceback" not in error
    with pytest.raises(RecordError, match="is damaged"):
        read_result(tmp_path, cell)
    asked = RunOptions(tmp_path, [str(video)])
    assert _missing_tests(cell, asked) == [str(video)]
    assert path.with_suffix(".damaged").read_bytes() == content and not path.exists()


def test_a_result_of_other_videos_is_named_and_set_aside(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = STUDIES["labels"]
    cell = study.cell(study.rows[1], 0, {})
    path = result_path(tmp_path, cell)
    content = json.dumps({"tests": {"otb": {"auc": 0.5}}, "learned_from": "got10k, 52 videos"})
    path.write_text(content)
    assert _missing_tests(cell, RunOptions(tmp_path, ["otb"], learned_from="got10k, 52 videos")) == []
    assert _missing_tests(cell, RunOptions(tmp_path, ["otb"], learned_from="got10k, 253 videos")) == ["otb"]
    assert path.with_suffix(".other_videos").read_text() == content and not path.exists()
    assert f"{path} is of a network that learned from got10k, 52 videos" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "hint"),
    [(["run", "tabel1"], "table1"), (["run", "table1", "--rows", "GTS"], "GST"), (["run", "x"], "list")],
)
def test_unknown_names_are_told_with_near_ones(
    words: list[str], hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--out", str(tmp_path)]) == 1
    assert hint in capsys.readouterr().err


def test_the_held_out_videos_are_none_of_those_that_are_learned_from() -> None:
    sequences = videos_of_test(HELD_OUT)
    assert len(sequences) == 20 and {len(sequence) for sequence in sequences} == {40}
