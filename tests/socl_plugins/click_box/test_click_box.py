"""The box of a click is learned from boxes by one command, and then found by whatever asks for the box of a click."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ltr.admin.weight_files import CheckpointError
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.backbone.resnet import resnet18
from ltr.registry import load_plugins
from pytracking.live.session import click_to_box
from pytracking.metrics import iou
from pytracking.registry import CLICK_TO_BOX
from socl_plugins.click_box import __main__ as command
from socl_plugins.click_box import estimate
from socl_plugins.click_box.estimate import box_of_click, fuse
from socl_plugins.click_box.fit import FitSettings, overlaps
from socl_plugins.click_box.network import FILE_NAME, SIDES, ClickBoxNet, load, pool, save
from socl_plugins.clicks.page.feedback import feedback
from socl_plugins.top_map import propose_target
from socl_plugins.top_map.box import top_map_box
from socl_plugins.top_map.propose import score_windows


@pytest.fixture
def networks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of networks with a backbone that was never trained: what is learned needs only its shapes."""
    load_plugins(["socl_plugins.plugin"])
    monkeypatch.setenv("PYTRACKING_NETWORK_DIR", str(tmp_path))
    torch.manual_seed(0)
    torch.save(resnet18("layer3", 16).state_dict(), tmp_path / "resnet18_imagenet.pth")
    return tmp_path


def frame_with_box(video: int = 0) -> tuple[np.ndarray, np.ndarray, tuple[float, float]]:
    dataset = SyntheticVideo(3, num_frames=6, seed=1)
    box = dataset.get_sequence_info(video)["bbox"][0].double().numpy()
    x, y = (box[:2] + box[2:] / 2).tolist()
    return dataset.load_frame(video, 0), box, (x, y)


def test_what_the_squares_say_is_fused_by_their_precision() -> None:
    sides = torch.tensor(SIDES).float()
    exact = torch.stack([(40 / sides).log(), (90 / sides).log(), 3 / sides, -5 / sides], dim=1)[None]
    errors = torch.zeros(1, len(SIDES), 4)
    found = fuse(exact, errors)
    assert torch.allclose(found.boxes(torch.tensor([[100.0, 200.0]])), torch.tensor([[83.0, 150.0, 40.0, 90.0]]))
    wrong = exact.clone()
    wrong[:, 0] += 2  # one square is far off, and knows it
    errors[:, 0] = 3
    errors[:, 1:] = -3
    assert torch.allclose(fuse(wrong, errors).values, found.values, atol=0.01)
    assert (fuse(wrong, errors).errors < fuse(wrong, errors + 1).errors).all()


def test_pooled_features_turn_with_the_picture() -> None:
    maps = torch.rand(2, 3, 8, 8)
    left, right = pool(maps), pool(maps.flip(-1))
    assert left.shape == (2, 15)
    assert torch.allclose(left[:, 9:12], -right[:, 9:12], atol=1e-6)  # left against right
    assert torch.allclose(left[:, [0, 4, 8, 12, 14]], right[:, [0, 4, 8, 12, 14]], atol=1e-6)


def test_the_overlap_is_the_metric_s() -> None:
    boxes = np.random.default_rng(0).uniform(1, 50, (40, 4))
    found = overlaps(torch.from_numpy(boxes[:20]), torch.from_numpy(boxes[20:]))
    assert np.allclose(found, [iou(a, b) for a, b in zip(boxes[:20], boxes[20:])])


@pytest.mark.long
def test_the_command_learns_a_box_that_every_click_then_gets(
    networks: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ltr.dataset.named.EMBEDDED_VIDEOS", 16)
    image, truth, click = frame_with_box()
    before = top_map_box(propose_target(image, click))
    assert np.array_equal(click_to_box(image, click), before)  # the TOP map's, as long as nothing is learned
    words = ["--set", "frames=2", "--set", "epochs=30", "--set", "batch=16", "--set", "rate=0.003"]
    assert command.main(["fit", "synthetic", *words]) == 0
    assert "64 clicks on 16 videos of synthetic" in capsys.readouterr().out
    assert (networks / FILE_NAME).is_file() and (networks / f"{FILE_NAME}.sha256").is_file()
    learned = click_to_box(image, click)
    assert np.array_equal(learned, click_to_box(image, click, "learned")) and not np.array_equal(learned, before)
    assert np.array_equal(feedback(image, click).box, learned)
    estimates = [box_of_click(load(networks / FILE_NAME), *frame_with_box(n)[::2], choose=False) for n in range(3)]
    guess = np.mean([frame_with_box(n)[1][2:] for n in range(3)])
    truths = [frame_with_box(n)[1] for n in range(3)]
    squares = [[*(t[:2] + t[2:] / 2 - guess), 2 * guess, 2 * guess] for t in truths]
    found = np.mean([iou(np.array(a), b) for a, b in zip(estimates, truths)])
    assert found > np.mean([iou(np.array(a), b) for a, b in zip(squares, truths)])
    assert command.main(["measure", "synthetic", "--method", "top_map", "--method", "learned"]) == 0
    rows = re.findall(r"synthetic +(\w+) +(0\.\d+) +(\d\.\d+) +(0\.\d+) +\d+ +\d+", capsys.readouterr().out)
    assert [row[0] for row in rows] == ["top_map", "learned", "estimate"]
    words = ["--method", "learned", "--tracker", "siamfc/untrained_res18", "--max-frames", "3"]
    assert command.main(["track", "synthetic", *words]) == 0
    rows = re.findall(r"synthetic +(true box|learned) +(0\.\d+)", capsys.readouterr().out)
    assert [row[0] for row in rows] == ["true box", "learned"] and float(rows[0][1]) > float(rows[1][1])

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the same click was looked at twice")

    monkeypatch.setattr(estimate, "box_of_click", never)
    assert np.array_equal(CLICK_TO_BOX["learned"](image, click), learned)


@pytest.mark.long
def test_the_same_seed_learns_the_same(networks: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ltr.dataset.named.EMBEDDED_VIDEOS", 4)
    words = ["fit", "synthetic", "--set", "frames=1", "--set", "epochs=1"]
    for name in ("a", "b"):
        assert command.main([*words, "--out", str(networks / f"{name}.safetensors")]) == 0
    a, b = (load(networks / f"{name}.safetensors").state_dict() for name in "ab")
    assert all(torch.equal(value, b[name]) for name, value in a.items())


def test_the_box_is_one_of_the_proposals_and_does_not_depend_on_who_made_them(networks: Path) -> None:
    image, _, click = frame_with_box()
    network = ClickBoxNet().eval()
    box = box_of_click(network, image, click)
    windows = score_windows(image, click)
    assert np.array_equal(box, box_of_click(network, image, click, windows=windows))
    assert any(np.allclose(box, proposal, atol=1e-4) for proposal in windows.best(estimate.CANDIDATES).boxes)


def test_a_large_frame_gives_the_box_of_the_small_one_in_its_pixels(networks: Path) -> None:
    image, _, (x, y) = frame_with_box()
    large = np.repeat(np.repeat(image, 8, axis=0), 8, axis=1)
    network = ClickBoxNet().eval()
    side = np.sqrt(image.shape[0] * image.shape[1])
    box = box_of_click(network, large, (8 * x, 8 * y), choose=False)
    reduced = box * min(512 / (8 * side), 1)
    assert 0 < reduced[2] < 768 * np.exp(2) and abs(box[0] + box[2] / 2 - 8 * x) < 8 * side


def test_where_nothing_was_learned_or_the_file_is_another_that_is_told(networks: Path) -> None:
    image, _, click = frame_with_box()
    with pytest.raises(CheckpointError, match=r"was not learned yet.*click_box fit"):
        click_to_box(image, click, "learned")
    other = networks / FILE_NAME
    save(ClickBoxNet(), other, "nothing")
    content = bytearray(other.read_bytes())
    content[-5] ^= 1
    other.write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match="click_box.safetensors"):
        click_to_box(image, click)


def test_settings_out_of_range_and_data_without_boxes_are_told(
    networks: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for wrong in ({"epochs": 0}, {"dropout": 1.0}, {"far": -1.0}, {"rate": float("nan")}):
        with pytest.raises(ValueError, match=next(iter(wrong))):
            FitSettings(**wrong)  # type: ignore[arg-type]
    assert command.main(["fit", "synthetic", "--set", "epoch=3"]) != 0
    assert "epochs" in capsys.readouterr().err
    (tmp_path / "empty").mkdir()
    assert command.main(["fit", str(tmp_path / "empty")]) == 1
    assert command.main(["fit", "sinthetic"]) == 1
    assert "synthetic" in capsys.readouterr().err
