"""The command line of TOP maps: stores, pictures, measures, fitting, and what it says when it cannot."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from ltr.dataset import Got10k, SyntheticVideo, export_got10k
from socl_plugins.clicks import PointAnnotated
from socl_plugins.stores import StoreError
from socl_plugins.top_map import Proposals, ProposalSettings, annotated
from socl_plugins.top_map.__main__ import main
from socl_plugins.top_map.store import ProposalReader, pack, proposal_writer, store_path

TINY = ProposalSettings(random_count=200, edge_count=50, keep=16)
OPTIONS = ["--set", "random_count=200", "--set", "edge_count=50", "--set", "keep=16"]


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exported")
    export_got10k(SyntheticVideo(2, num_frames=3, size=(96, 128), seed=7), folder, "train")
    return folder


@pytest.fixture
def videos(exported: Path, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in GOT-10k's layout, two videos of three frames, on a machine where it is set."""
    folder = tmp_path / "got10k"
    shutil.copytree(exported, folder)
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(folder))
    return folder


def run(command: str, *options: str | Path, dataset: str = "got10k_train") -> int:
    return main([command, "--dataset", dataset, *OPTIONS, *map(str, options)])


def build(*options: str | Path) -> int:
    return run("build", "--jobs", "1", *options)


def clicks(folder: Path) -> dict[str, tuple[float, float]]:
    """Returns the middle of the box of each frame, in the numbers that the files' readers give."""
    dataset = PointAnnotated(Got10k(folder, "train"))
    return {
        dataset.frame_name(video, frame): tuple(dataset.get_frames(video, [frame])[1]["point"][0].tolist())
        for video in range(2)
        for frame in range(3)
    }


def lines_of_clicks(folder: Path) -> dict[str, str]:
    lines: dict[str, str] = {}
    for name, (x, y) in clicks(folder).items():
        video = name.split("/")[0]
        lines[video] = lines.get(video, "") + f"{x},{y}\n"
    return lines


# ----------------------------------------------------------------------------------------------------- build
def test_build_fills_a_store_in_the_workspace_and_computes_nothing_twice(
    videos: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store_path(workspace / "top_maps", "got10k_train", TINY)
    assert build() == 0
    assert f"{path}: 6 frames computed, 0 were there" in capsys.readouterr().out
    assert len(ProposalReader(path)) == 6
    assert ProposalReader(path).about["dataset"] == "got10k_train"
    assert build() == 0
    assert f"{path}: 0 frames computed, 6 were there" in capsys.readouterr().out


def test_other_settings_make_another_store(videos: Path, tmp_path: Path) -> None:
    assert build("--store", tmp_path / "stores") == 0
    assert build("--store", tmp_path / "stores", "--set", "keep=8") == 0
    assert len(list((tmp_path / "stores").glob("got10k_train.*.sqlite"))) == 2


def test_an_unreadable_frame_is_named_counted_and_left_out_until_it_is_mended(
    videos: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frame = videos / "train" / "synthetic_7_00001" / "00000002.jpg"
    content = frame.read_bytes()
    frame.write_bytes(content[: len(content) // 2])
    path = store_path(workspace / "top_maps", "got10k_train", TINY)
    assert build() == 1
    printed = capsys.readouterr()
    assert "5 frames computed" in printed.out
    assert str(frame) in printed.err and "1 frames could not be read" in printed.err
    assert "Traceback" not in printed.err
    assert len(ProposalReader(path)) == 5

    assert build() == 1, "it is still unreadable, and said so again"
    assert str(frame) in capsys.readouterr().err
    frame.write_bytes(content)
    assert build() == 0
    assert "1 frames computed, 5 were there" in capsys.readouterr().out
    assert len(ProposalReader(path)) == 6


def test_a_defect_of_the_program_is_not_taken_for_an_unreadable_frame(
    videos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(annotated, "propose_target", lambda *arguments: 1 // 0)
    assert build() == 1
    assert "ZeroDivisionError" in capsys.readouterr().err


# ------------------------------------------------------------------------------------------------------ show
def test_show_draws_a_row_for_each_frame(videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "top.png"
    assert run("show", "--out", out, "--frames", "2") == 0
    assert capsys.readouterr().out.strip() == str(out)
    one_row, picture = 290 + 6, cv2.imread(str(out))
    assert picture.shape == (2 * one_row, 3 * round(128 * 290 / 96) + 3 * 6 + 12, 3) and picture.std() > 10


def test_show_writes_a_page_that_holds_its_pictures(videos: Path, tmp_path: Path) -> None:
    assert run("show", "--out", tmp_path / "top.html", "--frames", "99") == 0
    page = (tmp_path / "top.html").read_text()
    assert page.count("data:image/jpeg;base64,") == page.count("<figcaption>") == 6
    assert "synthetic_7_00001/00000003" in page and "src=http" not in page


def test_show_draws_what_the_store_holds(videos: Path, workspace: Path, tmp_path: Path) -> None:
    assert build() == 0
    path = store_path(workspace / "top_maps", "got10k_train", TINY)
    mark = Proposals(np.array([[4, 4, 90, 60]], np.float32), np.array([0.25], np.float32)).rounded()
    points = clicks(videos)
    with proposal_writer(path, "got10k_train", TINY) as writer:
        writer.add({name: pack(mark, point) for name, point in points.items()})
    assert run("show", "--out", tmp_path / "top.html") == 0
    assert (tmp_path / "top.html").read_text().count("1 proposals, best 0.25</figcaption>") == 6


def test_show_says_that_a_store_was_made_with_other_settings_and_goes_on(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build() == 0
    assert run("show", "--out", tmp_path / "top.png", "--set", "keep=8") == 0
    assert "keep 16, not 8" in capsys.readouterr().err


def test_a_picture_of_an_unknown_kind_is_refused(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("show", "--out", tmp_path / "top.doc", "--frames", "1") == 1
    error = capsys.readouterr().err
    assert "top.doc" in error and ".png, .jpg, .jpeg, .html" in error and not (tmp_path / "top.doc").exists()


# ---------------------------------------------------------------------------------------------- stats and fit
def test_stats_prints_the_measures_for_each_noise_of_the_clicks(
    videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("stats", "--every", "2", "--noise-px", "0", "5") == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split() == ["4", "frames", "exact", "click", "5", "px", "off"]
    rows = {line[:34].strip(): [float(value) for value in line[34:].split()] for line in lines[1:-1]}
    recall = [rows[f"recall at IoU 0.5, {number} kept"] for number in (1, 4, 16, 64)]
    assert np.all(np.diff(recall, axis=0) >= 0) and np.all((np.array(recall) >= 0) & (np.array(recall) <= 1))
    assert all(0 < value < 1 for value in rows["mass of the map in the box"])
    assert all(len(values) == 2 for values in rows.values())


def test_stats_draws_recall_against_kept_proposals(videos: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed (pip install matplotlib)")
    assert run("stats", "--noise-px", "0", "--step", "2", "--plot", tmp_path / "recall.png") == 0
    picture = cv2.imread(str(tmp_path / "recall.png"))
    assert picture is not None and picture.std() > 5


def test_stats_needs_boxes(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for video, lines in lines_of_clicks(videos).items():
        (videos / "train" / video / "groundtruth.txt").unlink()
        (videos / "train" / video / "points.txt").write_text(lines)
    assert run("stats", "--noise-px", "0") == 1
    assert "video synthetic_7_00000: stats needs boxes" in capsys.readouterr().err


def test_fit_writes_a_table_that_other_commands_take(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "table.json"
    assert run("fit", "--out", table, "--every", "1", "--windows", "150", "--bins", "8") == 0
    content = json.loads(table.read_text())
    assert np.array(content["log_ratio"]).shape == (7, 8)
    assert "fitted on 2 of the 2 annotated videos of got10k_train" in content["source"]
    assert str(table) in capsys.readouterr().out
    assert build("--set", f"likelihoods={table}") == 0
    assert "6 frames computed" in capsys.readouterr().out


def test_fit_without_a_video_says_what_it_needs(
    videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("fit", "--out", tmp_path / "table.json", "--start", "2") == 1
    assert "likelihoods need windows on annotated objects" in capsys.readouterr().err
    assert not (tmp_path / "table.json").exists()


# -------------------------------------------------------------------------------------------------- messages
def refused(capsys: pytest.CaptureFixture[str], *words: str) -> None:
    """Says that the last command ended with one message, not with a traceback, and that it holds these words."""
    error = capsys.readouterr().err
    assert error.startswith("error: ") and "Traceback" not in error
    for word in words:
        assert word in error


@pytest.mark.parametrize("command", ["build", "show", "stats", "fit"])
def test_an_unknown_setting_gives_a_near_name(
    command: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--out", tmp_path / "out.png"] if command in ("show", "fit") else []
    assert run(command, "--set", "keeep=3", *out) == 1
    refused(capsys, "unknown setting 'keeep'", "Did you mean 'keep'?")


def test_a_setting_out_of_range_is_an_error(videos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert build("--set", "keep=0") == 1
    refused(capsys, "keep is 0, at least 1")


@pytest.mark.parametrize(
    ("dataset", "words"),
    [
        ("nosuch", ["'nosuch'", "got10k"]),
        ("nosuch_train", ["'nosuch_train'"]),
        ("got10", ["Did you mean 'got10k'?"]),
        ("got10k_trian", ["no data set 'got10k_trian'", "Did you mean 'got10k_train'"]),
        ("got10k_val", ["val", "list.txt"]),
    ],
)
def test_an_unknown_data_set_is_named(
    dataset: str, words: list[str], videos: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("build", dataset=dataset) == 1
    refused(capsys, *words)


def test_a_folder_that_is_not_set_says_how_to_set_it(
    workspace: Path, exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build() == 1
    refused(capsys, "got10k_dir is not set", "PYTRACKING_GOT10K_DIR", "--root")
    assert build("--root", workspace / "nowhere") == 1
    refused(capsys, "nowhere")
    assert build("--root", exported) == 0


@pytest.mark.parametrize("inside", ["", "below"])
def test_a_store_folder_that_cannot_be_made_is_named(
    inside: str, videos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert build("--store", tmp_path / "file" / inside) == 1
    refused(capsys, str(tmp_path / "file"), "--store")


def test_a_file_that_is_no_store_is_an_error_that_names_it(
    videos: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = store_path(workspace / "top_maps", "got10k_train", TINY)
    path.parent.mkdir()
    path.write_bytes(b"something else " * 999)
    assert build() == 1
    refused(capsys, str(path))


def test_a_backend_that_is_not_installed_is_an_error_that_names_it(
    videos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    monkeypatch.setitem(sys.modules, "ray.util.joblib", None)
    assert build("--backend", "ray") == 1
    refused(capsys, "pip install ray")


def test_ctrl_c_ends_with_130_and_says_that_what_was_stored_is_safe(
    videos: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*arguments: object) -> Proposals:
        raise KeyboardInterrupt

    monkeypatch.setattr(annotated, "propose_target", interrupt)
    assert build() == 130
    assert "what was stored is safe" in capsys.readouterr().err


@pytest.mark.parametrize("command", [[], ["build"], ["show"], ["stats"], ["fit"]])
def test_help_tells_the_options(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    assert ("--dataset" if command else "exit status") in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["build"], ["biuld"], ["build", "--dataset", "synthetic", "--set", "keep"]])
def test_wrong_usage_ends_with_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "usage:" in capsys.readouterr().err


# ------------------------------------------------------------------------------------- stores that do not fit
def test_a_store_for_other_noise_is_refused_and_kept(
    videos: Path, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert build() == 0
    assert build("--noise-px", "9") == 1
    assert "0 px of noise, not 9" in capsys.readouterr().err
    assert len(ProposalReader(store_path(workspace / "top_maps", "got10k_train", TINY))) == 6


def test_a_store_can_be_opened_twice_and_one_that_is_cut_off_is_refused(videos: Path, workspace: Path) -> None:
    assert build() == 0
    path = store_path(workspace / "top_maps", "got10k_train", TINY)
    one, other = ProposalReader(path), ProposalReader(path)
    assert len(one) == len(other) == 6
    cut = path.with_name("cut.sqlite")
    cut.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(StoreError, match=r"cut\.sqlite is damaged"):
        ProposalReader(cut)


@pytest.mark.parametrize("setting", ["likelihoods", "edge_model"])
def test_a_file_of_the_settings_that_is_missing_is_named(
    videos: Path, capsys: pytest.CaptureFixture[str], setting: str
) -> None:
    assert build("--set", f"{setting}=nowhere.bin") == 1
    error = capsys.readouterr().err
    assert f"{setting} is nowhere.bin" in error and "Traceback" not in error


@pytest.mark.parametrize("options", [["--jobs", "0"], ["--backend", "nosuch"]])
def test_a_wrong_number_of_workers_or_backend_is_wrong_usage(options: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("build", *options)
    assert stopped.value.code == 2
