"""The main job, small: ``run_training.py socl socl_res18`` and tracking with what it leaves."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ltr import run_training
from ltr.admin.checkpoint import CheckpointError, best_checkpoint, load_checkpoint, load_network
from ltr.config.overrides import flat
from ltr.dataset.export import export_got10k
from ltr.dataset.got10k import Got10k
from ltr.dataset.named import embedded_videos
from ltr.dataset.synthetic import SyntheticVideo
from ltr.engine import LTRTrainer
from ltr.registry import load_plugins
from pytracking import run_tracker
from pytracking.registry import PARAMETERS, TRACKERS
from socl_plugins.clicks import PointAnnotated, write_points
from socl_plugins.top_map import ObjectnessAnnotated, ProposalSettings
from socl_plugins.top_map.build import store_proposals
from socl_plugins.top_map.store import proposal_writer, store_name, store_path
from tests import recipes

ROOT = Path(__file__).resolve().parents[2]
SMALL = {
    **recipes.SMALL,
    **recipes.FEW_PROPOSALS,
    "schedule.epochs": 2,
    "score.interval": 1,
    "score.frames": 4,
    "data.embedded_videos": 3,
    "network.output_layer": "layer1",
    "processing.crop.size": 128,
}


def train(*more: str) -> int:
    return run_training.main(["socl", "socl_res18", "--device", "cpu", *recipes.as_words(SMALL), *more])


@pytest.mark.long
def test_from_clicks_to_a_tracked_video(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    load_plugins()
    with pytest.raises(CheckpointError, match=r"run_training\.py socl socl_res18"):
        TRACKERS["siamfc"](PARAMETERS["siamfc/socl_res18"]())

    assert train() == 0
    output = capsys.readouterr().out
    last = output.strip().splitlines()[-1]
    assert last.startswith("held-out AUC: ") and " -> " in last
    assert f"{sys.executable} pytracking/run_tracker.py siamfc socl_res18" in output
    assert "no data set is configured" in output
    path = best_checkpoint("socl/socl_res18")
    checkpoint = load_checkpoint(path)
    assert f"-> {checkpoint['score']['value']:.3f}" in last
    labels = checkpoint["stats"]["labels"]
    clicks = round(labels["dollars"][0] / 0.005)
    assert 80 < clicks <= 90 and labels["hours"][checkpoint["epoch"]] == pytest.approx(clicks * 2.27 / 3600)
    assert f"labels: {clicks} clicks, {clicks * 2.27 / 3600:.2f} hours, ${clicks * 0.005:.2f}" in output

    # The same seed gives the same numbers and the same weights; another one gives others.
    assert train() == 0
    again = capsys.readouterr().out.strip().splitlines()[-1]
    assert again == last
    repeated = load_checkpoint(path)["net"]
    assert all(torch.equal(value, repeated[name]) for name, value in checkpoint["net"].items())
    assert train("--seed", "1") == 0
    other = load_checkpoint(path)["net"]
    assert any(not torch.equal(value, other[name]) for name, value in checkpoint["net"].items())

    name = "synthetic-0000"
    words = ["siamfc", "socl_res18", "--dataset", "synthetic", "--sequence", name]
    assert run_tracker.main(words) == 0
    boxes = (workspace / "tracking_results" / "siamfc" / "socl_res18" / f"{name}.txt").read_text().splitlines()
    assert len(boxes) == 60 and all(len(line.split("\t")) == 4 for line in boxes)


@pytest.mark.long
def test_a_network_that_learning_ruins_is_not_handed_over(
    workspace: Path, shared_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ruin = {
        "network.pretrained": shared_data / "weights" / "resnet18_imagenet_to_layer3.pth",
        "network.output_layer": "layer2",
        "optimizer.learning_rate": 3,
        "data.labels.noise_px": 100,
        "score.videos": 3,
        "score.frames": 10,
    }
    assert train(*recipes.as_words(ruin)) == 0
    last = capsys.readouterr().out.strip().splitlines()[-1]
    before, after = last.removeprefix("held-out AUC: ").split(" (")[0].split(" -> ")
    assert before == after and "learning did not help" in last
    assert load_checkpoint(best_checkpoint("socl/socl_res18"))["epoch"] == 0
    assert all(bool(torch.isfinite(value).all()) for value in load_network("socl/socl_res18").state_dict().values())


@pytest.mark.long
def test_one_held_out_video_is_not_trusted(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--set", "score.videos=1") == 0
    assert "one held-out video chose, which is not to be trusted" in capsys.readouterr().out.strip().splitlines()[-1]


@pytest.mark.long
def test_the_whole_run_is_the_same_without_the_boxes_of_the_training_videos(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for split, seed in (("train", 21), ("val", 22)):
        export_got10k(SyntheticVideo(3, num_frames=5, seed=seed), tmp_path / "data", split)
    monkeypatch.setenv("PYTRACKING_GOT10K_DIR", str(tmp_path / "data"))
    assert train() == 0
    path = best_checkpoint("socl/socl_res18")
    with_boxes = load_checkpoint(path)
    write_points(PointAnnotated(Got10k(tmp_path / "data", "train")), tmp_path / "data" / "train")
    for boxes in (tmp_path / "data" / "train").rglob("groundtruth.txt"):
        boxes.unlink()
    assert train() == 0
    without = load_checkpoint(path)
    assert all(torch.equal(value, without["net"][name]) for name, value in with_boxes["net"].items())
    assert with_boxes["score"] == without["score"]


@pytest.mark.long
def test_a_resumed_run_equals_an_unbroken_one(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert train() == 0
    unbroken = load_checkpoint(best_checkpoint("socl/socl_res18").with_name("SiamFCNet_ep0002.pth.tar"))

    one_epoch = LTRTrainer._train_epoch

    def only_the_first(trainer: LTRTrainer) -> None:
        if trainer.epoch == 2:
            raise KeyboardInterrupt
        one_epoch(trainer)

    with monkeypatch.context() as patch:
        patch.setattr(LTRTrainer, "_train_epoch", only_the_first)
        assert train() == 130
    assert train("--resume") == 0
    resumed = load_checkpoint(best_checkpoint("socl/socl_res18").with_name("SiamFCNet_ep0002.pth.tar"))
    assert resumed["stats"]["train"] == unbroken["stats"]["train"]
    assert all(torch.equal(value, resumed["net"][name]) for name, value in unbroken["net"].items())


@pytest.mark.long
def test_two_processes_train_together_and_read_one_store(workspace: Path) -> None:
    words = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2"]
    words += [str(ROOT / "ltr" / "run_training.py"), "socl", "socl_res18", "--device", "cpu"]
    words += recipes.as_words({**SMALL, "data.labels.prepare_frames": 1000})
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.count("held-out AUC: ") == 1, "one process speaks"
    computed = load_checkpoint(best_checkpoint("socl/socl_res18"))["net"]

    clicks = ObjectnessAnnotated(PointAnnotated(embedded_videos(3)), ProposalSettings(random_count=200))
    path = store_path(workspace / "top_maps", store_name(clicks), clicks.settings)
    with proposal_writer(path, clicks.name, clicks.settings) as writer:
        built = store_proposals(clicks, writer, jobs=1, progress=False)
    shutil.rmtree(workspace / "checkpoints")
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    assert built.made > 80 and f"TOP maps: {built.made} frames are stored" in done.stdout
    stored = load_checkpoint(best_checkpoint("socl/socl_res18"))["net"]
    assert all(torch.equal(value, stored[name]) for name, value in computed.items())


@pytest.mark.parametrize(
    "wrong",
    [
        "processing.crop.search_factor=-1",
        "data.labels.proposals.keep=0",
        "network.border=-1",
        "actor.objective.tau=0",
        "sampler.max_gap=0",
    ],
)
def test_an_impossible_hyper_parameter_is_an_error_that_names_it(
    workspace: Path, capsys: pytest.CaptureFixture[str], wrong: str
) -> None:
    assert train("--set", wrong) == 1
    error = capsys.readouterr().err
    assert wrong.partition("=")[0].rpartition(".")[2] in error and "Traceback" not in error


def test_a_misspelt_hyper_parameter_is_an_error_with_a_near_name(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train("--set", "actor.objective.tua=0.5") == 1
    assert "tau" in capsys.readouterr().err
    assert not list(workspace.rglob("*.pth.tar"))


@pytest.mark.long
def test_pretrained_weights_are_read_from_a_file_and_checked(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = load_network_weights(seed=4)
    torch.save(weights, tmp_path / "weights.pth")
    assert train("--set", f"network.pretrained={tmp_path / 'weights.pth'}") == 0
    trained = load_network("socl/socl_res18").state_dict()
    # Statistics of pre-trained norm layers are kept; random ones would have moved.
    assert torch.equal(trained["backbone.bn1.running_mean"], weights["bn1.running_mean"])
    del weights["conv1.weight"]
    torch.save(weights, tmp_path / "weights.pth")
    capsys.readouterr()
    assert train("--set", f"network.pretrained={tmp_path / 'weights.pth'}") == 1
    assert "conv1.weight" in capsys.readouterr().err


def load_network_weights(seed: int) -> dict[str, torch.Tensor]:
    """Returns the state_dict of a torchvision ResNet-18 up to layer3, as a file of weights would hold it."""
    from torchvision.models import resnet18

    torch.manual_seed(seed)
    return {name: value for name, value in resnet18().state_dict().items() if not name.startswith(("layer4", "fc"))}


def test_a_folder_of_stores_that_is_not_there_is_named(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert train("--set", "data.labels.store=nowhere") == 1
    assert f"there is no folder {workspace / 'nowhere'}" in capsys.readouterr().err


def test_the_rows_of_table_1_differ_in_their_samples_alone() -> None:
    load_plugins()
    names = [f"actor.objective.use_{kind}" for kind in ("negatives", "mixing", "local")]
    rows = [flat(recipes.recipe(f"socl/{name}")) for name in ("gst", "gst_sns", "gst_sns_mix", "socl_res18")]
    assert [[row.pop(name) for name in names] for row in rows] == [
        [False, False, False],
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    assert all(row == rows[0] for row in rows)
