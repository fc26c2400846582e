"""Golden sequences through files and the command line: what a person reads is the named toolkit's number."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from pytracking.analysis.__main__ import main
from pytracking.evaluation import Sequence, SequenceList, Tracker
from pytracking.evaluation.resets import run_file
from pytracking.evaluation.sequence import POLYGONS
from pytracking.registry import BENCHMARKS

TOLERANCE = 1e-6
SIZE = (320, 240)  # of the golden sequences' frames
# Golden sequences take the names of a benchmark's own, in this order.
OTB = ("Bolt", "Boy", "Coke", "Couple", "Crossing", "Deer", "Doll", "Dudek", "Girl")
UAV = ("bike1", "bike2", "bike3", "boat1", "boat2", "boat3", "boat4", "boat5", "boat6")
LASOT = ("airplane-1", "airplane-9", "airplane-13", "airplane-15", "basketball-1", "basketball-6")


@pytest.fixture
def goldens(shared_data: Path) -> dict[str, np.ndarray]:
    return load(shared_data, "metrics_ope.npz")


def load(shared_data: Path, name: str) -> dict[str, np.ndarray]:
    file = shared_data.parent / "golden" / name
    if not file.is_file():
        pytest.skip(f"{file} is not there")
    return dict(np.load(file))


def sequences_of(golden: dict[str, np.ndarray]) -> list[str]:
    return sorted({key.split("/")[0] for key in golden})


def write_images(folder: Path, count: int, digits: int) -> None:
    """The first is a real one, which tells the size; the others are never opened."""
    folder.mkdir(parents=True)
    image = cv2.imencode(".jpg", np.zeros((SIZE[1], SIZE[0], 3), np.uint8))[1].tobytes()
    for number in range(1, count + 1):
        (folder / f"{number:0{digits}d}.jpg").write_bytes(image)


def write_lines(file: Path, lines: Iterable[str]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("".join(f"{line}\n" for line in lines))


def write_rows(file: Path, rows: np.ndarray) -> None:
    write_lines(file, (",".join(f"{value:.10g}" for value in np.atleast_1d(row)) for row in rows))


def write_result(tracker: Tracker, name: str, boxes: np.ndarray) -> None:
    write_rows(tracker.results_dir / f"{name}.txt", boxes)
    write_rows(tracker.results_dir / f"{name}_time.txt", np.full(len(boxes), 0.01))


def scored(dataset: str, tmp_path: Path, *options: str) -> dict[str, dict[str, float]]:
    """Every number of every sequence (of all: ``""``) that the command writes, and what it prints agrees with them."""
    file = tmp_path / f"{dataset}.csv"
    assert main(["golden/plain", "--dataset_name", dataset, "--csv", str(file), *options]) == 0
    words = ("tracker", "dataset", "scope", "name", "sequences", "protocol", "frames_per_second")
    with file.open(encoding="utf-8") as opened:
        return {
            row["name"]: {key: float(value) for key, value in row.items() if key not in words and value}
            for row in csv.DictReader(opened)
            if row["scope"] in ("all", "sequence")
        }


def expected_numbers(golden: dict[str, np.ndarray], sequence: str, toolkit: str) -> Iterator[tuple[str, float]]:
    """The numbers that a toolkit gave, by their names in files."""
    stored = {key.split("/")[2]: value for key, value in golden.items() if key.startswith(f"{sequence}/{toolkit}/")}
    if "success" in stored and not (sequence == "perfect" and toolkit.startswith("pytracking")):
        yield "auc", stored["success"].mean()  # (there the reference's overlap exceeds 1 by rounding)
    if "precision" in stored:
        yield "precision20", stored["precision"][20]
    if "norm_precision" in stored:
        yield "norm_precision20", stored["norm_precision"][20]
        yield "norm_precision_area", stored["norm_precision"].mean()
    for name, key in (("AO", "ao"), ("SR50", "sr50"), ("SR75", "sr75")):
        if name in stored:
            yield key, float(stored[name])


def compare(
    golden: dict[str, np.ndarray], found: dict[str, dict[str, float]], names: dict[str, str], toolkits: tuple[str, ...]
) -> int:
    """Compares what the command wrote with the goldens, and returns how many numbers there were.

    ``pytest -rP`` shows the largest differences that are printed here.
    """
    compared = 0
    for toolkit in toolkits:
        differences = []
        for name, sequence in names.items():
            for key, value in expected_numbers(golden, sequence, toolkit):
                assert found[name][key] == pytest.approx(value, abs=TOLERANCE), f"{sequence} {toolkit} {key}"
                differences.append(abs(found[name][key] - value))
        compared += len(differences)
        print(f"{toolkit}: {len(differences)} numbers, largest difference {max(differences, default=0):.1e}")
    return compared


def test_every_golden_sequence_in_otbs_layout(
    goldens: dict[str, np.ndarray], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = {name: key for name, key in zip(OTB, sequences_of(goldens)) if key != "nan_gt"}  # OTB has no NaN
    for name, key in names.items():
        write_images(tmp_path / "otb" / name / "img", len(goldens[f"{key}/gt"]), 4)
        write_rows(tmp_path / "otb" / name / "groundtruth_rect.txt", goldens[f"{key}/gt"])
        write_result(Tracker("golden", "plain"), name, goldens[f"{key}/pred"])
    monkeypatch.setenv("PYTRACKING_OTB_DIR", str(tmp_path / "otb"))
    protocols = {
        "pysot": ("pysot_toolkit",),
        "stvir_pysot": ("stvir_pysot",),
        "pytracking": ("pytracking_otb",),
        "pytracking_uav": ("pytracking_uav",),
        "got10k": ("got10k_otb", "got10k_lasot"),
    }
    for protocol, toolkits in protocols.items():
        found = scored("otb", tmp_path, "--protocol", protocol)
        assert compare(goldens, found, names, toolkits) >= len(names)
    default = scored("otb", tmp_path)
    assert compare(goldens, default, names, ("pysot_toolkit",)) == 4 * len(names)
    assert default[""]["auc"] == pytest.approx(np.mean([default[name]["auc"] for name in names]))


def test_golden_sequences_with_nan_in_uav123s_layout(
    goldens: dict[str, np.ndarray],
    workspace: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = {f"uav_{name}": key for name, key in zip(UAV, sequences_of(goldens))}
    for name, key in names.items():
        short = name.removeprefix("uav_")
        write_images(tmp_path / "data_seq" / "UAV123" / short, len(goldens[f"{key}/gt"]), 6)
        write_rows(tmp_path / "anno" / "UAV123" / f"{short}.txt", goldens[f"{key}/gt"])
        write_result(Tracker("golden", "plain"), name, goldens[f"{key}/pred"])
    monkeypatch.setenv("PYTRACKING_UAV_DIR", str(tmp_path))
    for protocol, toolkits in {
        "pysot": ("pysot_toolkit",),
        "stvir_pysot": ("stvir_pysot",),
        "pytracking_uav": ("pytracking_uav",),
        "got10k": ("got10k_otb", "got10k_lasot"),
    }.items():
        assert compare(goldens, scored("uav_shortened", tmp_path, "--protocol", protocol), names, toolkits) >= len(
            names
        )
    assert main(["golden/plain", "--dataset", "uav_shortened", "--protocol", "pytracking"]) == 1  # it refuses NaN
    assert "is NaN in frame" in capsys.readouterr().err


def test_golden_sequences_with_flags_of_absence_in_lasots_layout(
    goldens: dict[str, np.ndarray], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flagged = [key for key in sequences_of(goldens) if f"{key}/full_visible" in goldens]
    assert flagged == ["absent_with_gt", "absent_zero_gt", "drifting"]
    names = dict(zip(LASOT, flagged))
    for name, key in names.items():
        visible = goldens[f"{key}/full_visible"].astype(bool)
        write_lasot(tmp_path / "lasot", name, goldens[f"{key}/gt"], visible)
        write_result(Tracker("golden", "plain"), name, goldens[f"{key}/pred"])
    monkeypatch.setenv("PYTRACKING_LASOT_DIR", str(tmp_path / "lasot"))
    protocols = {
        "pysot": ("pysot_toolkit_absent_removed",),
        "stvir_pysot": (),
        "pytracking": ("pytracking_lasot",),
        "got10k": ("got10k_otb", "got10k_lasot"),
    }
    for protocol, toolkits in protocols.items():
        found = scored("lasot", tmp_path, "--protocol", protocol)
        assert compare(goldens, found, names, toolkits) == (12 if toolkits else 0)
        if protocol != "got10k":  # absent frames are left out, and all are divided by
            assert [round(found["airplane-1"][key], 4) for key in ("auc", "precision20")] == [0.3829, 0.6833]
            assert [round(found["airplane-9"][key], 4) for key in ("auc", "precision20")] == [0.3925, 0.7417]
    assert compare(goldens, scored("lasot", tmp_path), names, ("pysot_toolkit_absent_removed",)) == 12


def write_lasot(root: Path, name: str, boxes: np.ndarray, visible: np.ndarray) -> None:
    folder = root / name.split("-")[0] / name
    write_images(folder / "img", len(boxes), 8)
    write_rows(folder / "groundtruth.txt", boxes)
    write_lines(folder / "full_occlusion.txt", [",".join(str(int(not shown)) for shown in visible)])
    write_lines(folder / "out_of_view.txt", [",".join("0" for _ in visible)])


def test_a_perfect_tracker_on_six_of_ten_frames_has_six_tenths(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    boxes = np.array([[20.0 + t, 30, 40, 50] for t in range(10)])
    write_lasot(tmp_path / "lasot", LASOT[0], boxes, np.arange(10) < 6)
    boxes[6:] = [200, 150, 20, 20]
    write_result(Tracker("golden", "plain"), LASOT[0], boxes)
    monkeypatch.setenv("PYTRACKING_LASOT_DIR", str(tmp_path / "lasot"))
    for protocol in ("pysot", "stvir_pysot", "pytracking", "pytracking_uav", "lasot"):
        found = scored("lasot", tmp_path, "--protocol", protocol)[""]
        assert (round(found["auc"], 4), found["precision20"]) == (0.5714, 0.6)
        assert f"(protocol {protocol})" in (out := capsys.readouterr().out) and "golden/plain  0.571  0.600" in out
    found = scored("lasot", tmp_path, "--protocol", "got10k")[
        ""
    ]  # which counts all frames, and here boxes are elsewhere
    assert (round(found["auc"], 4), found["precision20"]) == (0.5714, 0.6)
    write_result(Tracker("golden", "plain"), LASOT[0], np.array([[20.0 + t, 30, 40, 50] for t in range(10)]))
    assert scored("lasot", tmp_path, "--protocol", "got10k")[""]["precision20"] == 1
    assert scored("lasot", tmp_path)[""]["precision20"] == 0.6


def test_golden_sequences_in_got10ks_layout(
    goldens: dict[str, np.ndarray], workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = [key for key in sequences_of(goldens) if key != "nan_gt"]
    names = {f"GOT-10k_Val_{number:06d}": key for number, key in enumerate(keys, start=1)}
    write_lines(tmp_path / "val" / "list.txt", names)
    for name, key in names.items():
        write_images(tmp_path / "val" / name, len(goldens[f"{key}/gt"]), 8)
        write_rows(tmp_path / "val" / name / "groundtruth.txt", goldens[f"{key}/gt"])
        write_rows(tmp_path / "val" / name / "cover.label", np.full(len(goldens[f"{key}/gt"]), 8))
        write_result(Tracker("golden", "plain"), name, goldens[f"{key}/pred"])
    monkeypatch.setenv("PYTRACKING_GOT10K_VAL_DIR", str(tmp_path / "val"))
    found = scored("got10k_val", tmp_path)
    assert compare(goldens, found, names, ("got10k_got10k_bounded",)) == 3 * len(names)
    overlaps = np.concatenate([goldens[f"{key}/got10k_got10k_bounded/ious"] for key in keys])
    assert found[""]["ao"] == pytest.approx(overlaps.mean(), abs=TOLERANCE)  # pooled
    assert found[""]["sr75"] == pytest.approx((overlaps > 0.75).mean(), abs=TOLERANCE)
    assert compare(goldens, scored("got10k_val", tmp_path, "--protocol", "pysot"), names, ("pysot_toolkit",)) > 0
    report = tmp_path / "report.json"
    assert main(["golden/plain", "--dataset_name", "got10k_val", "--json", str(report)]) == 0
    [benchmark] = json.loads(report.read_text())["benchmarks"]
    assert "GOT-10k's toolkit" in benchmark["metric"]
    curve = benchmark["trackers"][0]["curves"]["success"]
    np.testing.assert_allclose(curve, [(overlaps > k / 100).mean() for k in range(101)], atol=TOLERANCE)


@pytest.mark.parametrize("name", ["no_failure_near_end", "failure_near_end", "three_runs"])
def test_golden_reset_based_runs_in_vots_layout(
    shared_data: Path, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    golden = {
        key.removeprefix(f"{name}/"): value
        for key, value in load(shared_data, "metrics_vot.npz").items()
        if key.startswith(f"{name}/")
    }
    sequences = [key.split("/")[0] for key in golden if key.endswith("/gt")]
    tracker = Tracker("golden", "plain")
    for sequence in sequences:
        truth = golden[f"{sequence}/gt"]
        made = Sequence(sequence, [np.zeros((1, 1, 3), np.uint8)] * len(truth), "vot", truth)
        for year in ("vot2016", "vot2018"):
            write_images(tmp_path / year / sequence, len(truth), 8)
            write_rows(tmp_path / year / sequence / "groundtruth.txt", truth)
        runs = sorted(key for key in golden if key.startswith(f"{sequence}/run") and key.endswith("/state"))
        for number, key in enumerate(runs, start=1):
            boxes = golden[key.replace("/state", "/boxes")]
            lines = (
                str(state) if state < 3 else ",".join(f"{value:.10g}" for value in box)
                for state, box in zip(golden[key].tolist(), boxes)
            )
            write_lines(run_file(tracker, made, number), lines)
    for year in ("vot2016", "vot2018"):
        write_lines(tmp_path / year / "list.txt", sequences)
    monkeypatch.setenv("PYTRACKING_VOT_DIR", str(tmp_path))
    for challenge in ("VOT2016", "VOT2018"):
        for protocol in ("pysot", "matlab", "vot_toolkit"):
            found = scored(challenge.lower(), tmp_path, "--protocol", protocol)[""]
            toolkit = "matlab_literal" if protocol == "matlab" else protocol
            expected = {"eao": golden[f"{challenge}/{toolkit}_EAO"]}
            if protocol == "pysot":
                expected |= {"accuracy": golden["pysot_accuracy"], "robustness": golden["pysot_robustness_percent"]}
            if protocol == "vot_toolkit":
                expected["accuracy"] = golden["vot_toolkit_accuracy_length_weighted"]
                expected["robustness"] = golden["vot_toolkit_failures_length_weighted"]
            for key, value in expected.items():
                assert found[key] == pytest.approx(float(value), abs=TOLERANCE), f"{challenge} {protocol} {key}"
                print(f"{challenge} {protocol} {key}: difference {abs(found[key] - float(value)):.1e}")


@pytest.mark.long
def test_published_auc_on_otb100_is_printed(
    shared_data: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    published = {"SRDCF": 0.598, "SiamFC-3s": 0.582, "CFNet-conv2": 0.568, "KCF": 0.477}
    truth = json.loads((shared_data / "otb100_results" / "OTB100.json").read_text())
    frame = np.zeros((4, 4, 3), np.uint8)
    made = SequenceList(
        Sequence(name, [frame] * len(entry["gt_rect"]), "otb", np.array(entry["gt_rect"], float))
        for name, entry in truth.items()
    )
    assert len(made) == 100
    for tracker in published:
        for sequence in made:
            text = (shared_data / "otb100_results" / "results" / tracker / f"{sequence.name}.txt").read_text()
            boxes = np.array([line.replace(",", " ").split() for line in text.splitlines()], float)
            # As published: KCF's and SRDCF's first boxes are up to two pixels beside the true ones.
            write_result(Tracker("published", tracker), sequence.name, boxes)
    monkeypatch.setattr(BENCHMARKS, "_entries", {**BENCHMARKS._entries, "otb": lambda: made})
    assert main([*(f"published/{tracker}={tracker}" for tracker in published), "--dataset_name", "otb"]) == 0
    out = capsys.readouterr().out
    assert "otb: 100 sequences, one-pass evaluation by pysot-toolkit (protocol pysot)" in out
    rows = [line.split() for line in out.splitlines()[-len(published) :]]
    assert {row[0]: float(row[1]) for row in rows} == published
    assert [row[0] for row in rows] == list(published), "the best first"
    assert "DP@20" in out and "NP" not in out


def test_dasiamrpns_published_row_on_vot2018_is_printed(
    shared_data: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shared_data / "vot2018_results"
    truth = json.loads((folder / "VOT2018.json").read_text())
    tracker, made = Tracker("golden", "plain"), SequenceList()
    for name, entry in truth.items():
        regions = np.array(entry["gt_rect"], float)
        boxes = np.concatenate([regions[:, :2], np.ones((len(regions), 2))], axis=1)
        frames = [np.zeros((entry["height"], entry["width"], 3), np.uint8)] * len(regions)
        made.append(Sequence(name, frames, "vot2018", boxes, meta={POLYGONS: regions}))
        stored = folder / "results" / "DaSiamRPN" / "baseline" / name / f"{name}_001.txt"
        write_lines(run_file(tracker, made[-1], 1), stored.read_text().splitlines())
    monkeypatch.setattr(BENCHMARKS, "_entries", {**BENCHMARKS._entries, "vot2018": lambda: made})
    assert main(["golden/plain", "--dataset_name", "vot2018"]) == 0
    out = capsys.readouterr().out
    assert "vot2018: 60 sequences, reset-based evaluation by pysot-toolkit (protocol pysot)" in out
    assert "golden/plain  0.586  0.276  0.383" in out
