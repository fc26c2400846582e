"""The DiMP tracker: its parts against public vectors and plain versions, and the whole on moving targets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from ltr.data.target_crops import BorderMode
from ltr.dataset.synthetic import SyntheticVideo
from ltr.models.bbreg import Modulation
from ltr.models.fold import folded
from ltr.models.target_classifier import LossMaps
from ltr.models.tracking.dimpnet import DiMPNet, dimpnet18
from pytracking.parameter.params import ParameterError, multiplies_bfloat16
from pytracking.registry import PARAMETERS, TRACKERS
from pytracking.tracker.dimp import DiMPParams, DiMPTracker
from pytracking.tracker.dimp.localization import locate
from pytracking.tracker.dimp.memory import DiMPMemory, Samples
from pytracking.tracker.dimp.overlap import IoUPredictor
from pytracking.tracker.dimp.params import NOT_NEGATIVE
from pytracking.tracker.dimp.refinement import Ascent, around, best_box, refine_boxes, refine_on_whole_crop, whole
from pytracking.tracker.dimp.sampling import FirstFrameAugmentation, sample_patch
from tests.oracles.dimp import PlainDiMPTracker

MODES: tuple[BorderMode, ...] = ("fixed", "inside_major", "inside")


@pytest.fixture(scope="module")
def network() -> DiMPNet:
    torch.manual_seed(0)
    return dimpnet18().eval()


# ---- samples --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", range(48))
def test_crops_are_those_of_the_public_tracker(golden: Any, number: int) -> None:
    arrays, name = golden.arrays("processing"), f"sample_patch/{number:02d}"
    y, x, side, _ = arrays[f"{name}/args_pos_size"]
    mode = MODES[int(arrays[f"{name}/mode"])]
    patch = sample_patch(golden.fill.image(800, 240, 320), np.array([x, y]), side, 288, mode, 1.5)
    np.testing.assert_allclose(patch.coordinates, arrays[f"{name}/coord"][0])
    stride = int(arrays[f"{name}/patch__stride"])
    found = patch.pixels.transpose(2, 0, 1).reshape(-1)[::stride]
    np.testing.assert_allclose(found, arrays[f"{name}/patch__sample"], rtol=0, atol=3e-5 * 255)


@pytest.mark.parametrize(("side", "center"), [(90, (80.0, 60.0)), (700, (100.0, 90.0)), (151, (3.0, 118.0))])
def test_a_crop_knows_where_it_lies(side: float, center: tuple[float, float]) -> None:
    ramp = np.zeros((120, 160, 3), np.uint8)
    ramp[..., 0], ramp[..., 1] = np.arange(160)[None], np.arange(120)[:, None]
    patch = sample_patch(ramp, np.array(center), side, 96)
    inside = patch.to_frame(np.array([[40.5, 50.5, 0, 0], [55.5, 44.5, 0, 0]]))[:, :2] - 0.5
    for (x, y), (column, row) in zip(inside, [(40, 50), (55, 44)]):
        if 2 < x < 157 and 2 < y < 117:
            assert abs(patch.pixels[row, column, 0] - x) < 1 and abs(patch.pixels[row, column, 1] - y) < 1
    boxes = np.array([[10.0, 20, 30, 40]])
    np.testing.assert_allclose(patch.to_crop(patch.to_frame(boxes)), boxes)


@pytest.mark.parametrize("side", [150, 289, 400, 700, 900])
def test_a_crop_that_torch_resizes_is_that_of_opencv(network: DiMPNet, side: float) -> None:
    image = np.random.default_rng(0).integers(0, 255, (240, 320, 3)).astype(np.uint8)
    done = sample_patch(image, np.array([150.0, 90.0]), side, 288)
    raw = sample_patch(image, np.array([150.0, 90.0]), side, 288, resized=False)
    assert raw.pixels.dtype == np.uint8
    images = DiMPTracker(DiMPParams(network=network, device="cpu"))._images(raw.pixels[None])
    np.testing.assert_allclose(images[0].permute(1, 2, 0).numpy(), done.pixels, atol=0.02)


def test_a_crop_far_outside_the_frame_shows_its_nearest_pixels() -> None:
    image = np.full((50, 60, 3), 7, np.uint8)
    for center in ([-500.0, 20.0], [1000.0, 1000.0], [30.0, -400.0]):
        assert (sample_patch(image, np.array(center), 80, 96).pixels == 7).all()


def test_the_first_frame_gives_thirteen_crops_that_show_the_target_where_they_say() -> None:
    wide = np.zeros((192, 192, 3), np.float32)
    wide[90:102, 90:102] = 200.0
    made = list(FirstFrameAugmentation().crops(wide, 96, 1 / 3, np.random.default_rng(0)))
    assert len(made) == 13  # and two with dropped features: 15 samples
    for crop, shift in made:
        assert crop.shape == (96, 96, 3)
        rows, columns = np.nonzero(crop[..., 0] > 1)
        middle = np.array(
            [np.average(columns, weights=crop[rows, columns, 0]), np.average(rows, weights=crop[rows, columns, 0])]
        )
        np.testing.assert_allclose(middle, 47.5 + shift, atol=0.6)


# ---- memory ---------------------------------------------------------------------------------------------------------


def test_the_memory_keeps_the_first_frame_and_drops_the_oldest_other_sample() -> None:
    def sample(value: float) -> tuple[torch.Tensor, LossMaps]:
        return torch.full((1, 2, 3, 3), value), LossMaps(*(torch.full((1, 1, 4, 4), value) for _ in range(3)))

    first = LossMaps(*(torch.zeros(2, 1, 4, 4) for _ in range(3)))
    memory = DiMPMemory(5, torch.zeros(2, 2, 3, 3), first, 0.25)
    assert memory.samples.weights.flatten().tolist() == [0.5, 0.5]
    for value in range(1, 40):
        memory.add(*sample(float(value)), 0.1)
        weights = memory.samples.weights.flatten()
        assert weights.sum().item() == pytest.approx(1)
        assert weights[:2].sum().item() >= 0.25 - 1e-6
        assert weights[2:].max() == weights[2 + (value - 1) % 3 if value > 3 else 1 + value]
    assert sorted(memory.samples.features[2:, 0, 0, 0, 0].tolist()) == [37, 38, 39]
    free = DiMPMemory(5, torch.zeros(2, 2, 3, 3), first, 0.0)
    for value in range(1, 40):
        free.add(*sample(float(value)), 0.1)
    assert sorted(free.samples.features[:, 0, 0, 0, 0].tolist()) == [35, 36, 37, 38, 39], "without a least weight"
    assert (memory.samples.features[:2] == 0).all()
    assert torch.equal(memory.samples.maps.label[2:, 0, 0, 0], memory.samples.features[2:, 0, 0, 0, 0])


# ---- localization ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("peaks", "state", "cell"),
    [
        ({(9, 9): 1.0}, "normal", (9, 9)),
        ({(9, 9): 0.2}, "not_found", (9, 9)),
        ({(9, 9): 1.0, (10, 9): 0.95}, "normal", (9, 9)),  # within the target
        ({(9, 9): 1.0, (17, 9): 0.6}, "hard_negative", (9, 9)),
        ({(9, 9): 1.0, (17, 17): 0.9}, "hard_negative", (9, 9)),  # far: not the target
        ({(10, 9): 0.9, (17, 17): 1.0}, "hard_negative", (10, 9)),  # the higher one is far
        ({(6, 9): 1.0, (12, 9): 0.9}, "uncertain", (6, 9)),  # both near
        ({(9, 9): 1.0, (17, 9): 0.3}, "normal", (9, 9)),
    ],
)
def test_peaks(peaks: dict[tuple[int, int], float], state: str, cell: tuple[int, int]) -> None:
    scores = np.zeros((19, 19))
    for (x, y), height in peaks.items():
        scores[y, x] = height
    found = locate(scores, np.array([9.0, 9.0]), np.array([2.0, 2.0]), DiMPParams(network=""))
    assert (found.state, tuple(found.cell)) == (state, cell)


# ---- refinement -----------------------------------------------------------------------------------------------------


def test_refined_boxes_are_those_of_the_public_tracker(golden: Any) -> None:
    arrays = golden.arrays("dimp18")
    net = dimpnet18().eval()
    net.load_state_dict(
        golden.fill.fill_state_dict(json.loads((golden.folder / "dimp18.keys.json").read_text())["state_dict"])
    )
    with torch.no_grad():
        seen = [
            net.extract_backbone(torch.from_numpy(golden.fill.image(seed, 288, 288)).permute(2, 0, 1)[None].float())
            for seed in (100, 200)
        ]
        target, crop = ((each["layer2"], each["layer3"]) for each in seen)
        modulation = net.bb_regressor.modulation(target, torch.from_numpy(arrays["train_boxes"][:1]).float())
        starts = torch.from_numpy(arrays["proposals"]).float()
        boxes, overlaps = refine_boxes(IoUPredictor(net.bb_regressor, modulation), crop, starts, Ascent(5))
    golden.close(arrays, "refined_boxes_5steps", boxes[None])
    golden.close(arrays, "refined_last_iou", overlaps[None])


def test_the_features_around_boxes_are_those_of_the_whole_crop(network: DiMPNet) -> None:
    torch.manual_seed(1)
    features = (torch.randn(1, 128, 36, 36), torch.randn(1, 256, 18, 18))
    judge = IoUPredictor(
        network.bb_regressor, network.bb_regressor.modulation(features, torch.tensor([[100.0, 100, 60, 50]]))
    )
    for box in ([100.0, 90, 60, 70], [-30.0, 10, 50, 60], [200.0, 230, 120, 90], [-50.0, -50, 400, 400]):
        starts = torch.tensor([box]) + torch.tensor([[0.0, 0, 0, 0], [3, -5, 10, 20], [-8, 4, -10, 5]])
        with torch.no_grad():
            everything = whole(judge, features)
            part = around(judge, features, starts)
            assert part.holds(starts)
            fast = refine_boxes(judge, features, starts, Ascent(5))
            plain = refine_boxes(judge, features, starts, Ascent(5), window=everything)
            recordable = refine_on_whole_crop(judge, features, starts, Ascent(5))
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(recordable, plain, rtol=1e-4, atol=1e-3)
    assert part.features[0].shape == everything.features[0].shape


def test_the_judged_overlap_and_its_gradient_are_the_networks(network: DiMPNet) -> None:
    branch = network.bb_regressor
    torch.manual_seed(2)
    features = (torch.randn(1, 256, 36, 36), torch.randn(1, 256, 18, 18))
    modulation = Modulation(torch.rand(1, 256), torch.rand(1, 256))
    boxes = torch.tensor([[100.0, 90, 60, 70], [-30, 10.5, 50, 61], [200, 230, 120, 90], [17.3, 41.7, 9, 200]])
    moving = boxes.clone().requires_grad_()
    overlaps = branch.predict_iou(modulation, features, moving[None])[0]
    gradient = torch.autograd.grad(overlaps.sum(), moving)[0]
    with torch.no_grad():
        judged = IoUPredictor(branch, modulation)(features, boxes)
    torch.testing.assert_close(judged, (overlaps.detach(), gradient), rtol=1e-4, atol=1e-5)


def test_a_network_without_batch_norms_answers_the_same_and_the_given_one_is_left_as_it_is() -> None:
    torch.manual_seed(5)
    net = dimpnet18().train()
    with torch.no_grad():
        net.extract_backbone(torch.rand(2, 3, 96, 96) * 255)  # so that the statistics are not those of the start
    before = {name: value.clone() for name, value in net.state_dict().items()}
    small = folded(net)
    assert net.training and all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in small.modules())
    image = torch.rand(1, 3, 96, 96) * 255
    with torch.no_grad():
        whole_net, without = net.eval().extract_backbone(image), small.extract_backbone(image)
    for name, features in whole_net.items():
        torch.testing.assert_close(without[name], features, rtol=1e-4, atol=1e-4)


def test_thin_boxes_do_not_count() -> None:
    boxes = np.array([[0.0, 0, 10, 10], [0, 0, 100, 10], [2, 2, 10, 10], [50, 50, 10, 10]])
    overlaps = np.array([0.5, 0.9, 0.6, 0.1])
    np.testing.assert_allclose(best_box(boxes, overlaps, 2, 6.0), [1, 1, 10, 10])
    assert best_box(boxes[1:2], overlaps[1:2], 2, 6.0) is None


# ---- the whole ------------------------------------------------------------------------------------------------------


def moving_square(frames: int, grey: bool = False) -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    background = rng.integers(60, 120, (24, 32, 3)).repeat(10, 0).repeat(10, 1).astype(np.uint8)
    texture = rng.integers(0, 255, (8, 8, 3)).repeat(5, 0).repeat(5, 1).astype(np.uint8)
    made = []
    for number in range(frames):
        image = background.copy()
        image[100:140, 120 + 3 * number : 160 + 3 * number] = texture
        made.append(image[..., 0] if grey else image)
    return made


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.long
def test_it_follows_a_target_even_without_training(network: DiMPNet, grey: bool) -> None:
    # A random network's filter is learned online all the same; random boxes are not refined.
    frames = moving_square(5, grey)
    tracker = DiMPTracker(
        DiMPParams(network=network, device="cpu", box_refinement_iter=0, target_not_found_threshold=-1)
    )
    assert tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})["score"] == 1
    assert tracker.memory.count == 15
    outputs = [tracker.track(frame) for frame in frames[1:]]
    for number, output in enumerate(outputs, 1):
        x, y, w, h = output["target_bbox"]
        assert abs(x - 120 - 3 * number) < 8 and abs(y - 100) < 8 and (w, h) == (40, 40)
    assert tracker.memory.count > 15


@pytest.mark.long
def test_the_same_seed_tracks_alike_and_a_lost_target_is_waited_for(network: DiMPNet) -> None:
    frames = moving_square(3)
    runs = []
    for _ in range(2):
        tracker = DiMPTracker(DiMPParams(network=network, device="cpu", net_opt_iter=2))
        tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})
        runs.append([tracker.track(frame) for frame in frames[1:]])
    assert runs[0] == runs[1]
    lost = DiMPTracker(DiMPParams(network=network, device="cpu", net_opt_iter=1, target_not_found_threshold=1e9))
    lost.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})
    np.testing.assert_allclose(lost.track(frames[1])["target_bbox"], [120, 100, 40, 40])
    assert lost.memory.count == 15


@pytest.mark.parametrize("space", ["default", "relative"])
@pytest.mark.long
def test_the_plain_tracker_finds_the_same(network: DiMPNet, space: Any) -> None:
    frames = moving_square(3)
    params = DiMPParams(
        network=network,
        device="cpu",
        net_opt_iter=2,
        train_skipping=2,
        target_not_found_threshold=-1,
        box_jitter_sz=0.2,
        box_refinement_space=space,
        box_refinement_step_length=1.0 if space == "default" else 0.1,
        border_mode="fixed" if space == "default" else "inside_major",
    )
    outputs = []
    for tracker in (DiMPTracker(params), PlainDiMPTracker(params)):
        tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})
        tracked = [tracker.track(frame) for frame in frames[1:]]
        outputs.append([[*output["target_bbox"], output["score"]] for output in tracked])
    np.testing.assert_allclose(outputs[0], outputs[1], rtol=1e-4, atol=1e-2)


class Recorder(DiMPTracker):
    """Notes each descent: its frame, from 1, its recursions and how many samples it learns from."""

    def initialize(self, image: np.ndarray, info: Mapping[str, Any]) -> dict[str, Any]:
        self.descents: list[tuple[int, int, int]] = []
        return super().initialize(image, info)

    def _descend(self, samples: Samples, iterations: int) -> torch.Tensor:
        self.descents.append((self.frame, iterations, len(samples.weights)))
        return super()._descend(samples, iterations)


def test_the_filter_is_updated_on_every_twentieth_frame_and_at_once_when_a_distractor_is_seen(network: DiMPNet) -> None:
    # All numbers are the defaults, the paper's (section 3.7); a small crop is quick.
    tracker = Recorder(DiMPParams(network=network, device="cpu", image_sample_size=96, box_refinement_iter=0))
    heights = {8: 0.6, 10: 0.9, 30: 0.6, 41: 0.6}  # of a second peak, two cells from the target's
    lost = 12

    def peaks(*arguments: Any) -> torch.Tensor:
        scores = torch.zeros(1, 1, 7, 7)
        scores[..., 3, 3] = 0.1 if tracker.frame == lost else 1.0
        scores[..., 3, 5] = heights.get(tracker.frame, 0.0)
        return scores

    tracker._classify = peaks
    image = moving_square(1)[0]
    tracker.initialize(image, {"init_bbox": [120, 100, 40, 40]})
    stored = [tracker.memory.count]
    for _ in range(2, 62):
        tracker.track(image)
        stored.append(tracker.memory.count)
    # Frames 10, where it is not sure which peak is the target, and 12 give no sample.
    samples = [min(14 + frame - sum(doubtful <= frame for doubtful in (10, 12)), 50) for frame in range(1, 62)]
    assert stored == samples and tracker.memory.samples.features.shape[0] == 50
    recursions = {1: 10, 8: 1, 21: 2, 30: 1, 41: 1, 61: 2}
    assert tracker.descents == [(frame, count, samples[frame - 1]) for frame, count in recursions.items()]


@pytest.mark.long
def test_update_strategies_are_small_differences_and_do_what_they_say(network: DiMPNet) -> None:
    def changed(name: str) -> dict[str, object]:
        base = vars(PARAMETERS["dimp/dimp18"]())
        return {key: value for key, value in vars(PARAMETERS[f"dimp/{name}"]()).items() if value != base[key]}

    assert changed("dimp18_no_update") == {"train_skipping": None}
    assert changed("dimp18_averaging") == {"model_averaging_rate": 0.01}
    assert changed("dimp18_init") == {"network": "dimp/dimp18_init", "net_opt_iter": 0, "train_skipping": None}
    assert changed("dimp18_vot18").keys() == changed("dimp50_vot18").keys() - {"network"}
    assert changed("dimp18_gd") == {"network": "dimp/dimp18_gd"}
    frames = moving_square(2)
    base = DiMPParams(
        network=network, device="cpu", net_opt_iter=1, target_not_found_threshold=-1, box_refinement_iter=0
    )
    for changes, moves in (({"train_skipping": None}, False), ({"model_averaging_rate": 0.5}, True)):
        tracker = DiMPTracker(replace(base, **changes))
        tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 40]})
        first = tracker.filter.clone()
        tracker.track(frames[1])
        assert torch.equal(first, tracker.filter) != moves
        assert tracker.memory.count == 15


def test_names_and_wrong_values() -> None:
    assert "dimp" in TRACKERS
    small, large = PARAMETERS["dimp/dimp18"](), PARAMETERS["dimp/dimp50"]()
    assert (small.network, large.network) == ("dimp/dimp18", "dimp/dimp50")
    with pytest.raises(ParameterError, match="sample_memory_size must be more than 15"):
        DiMPParams(network="", sample_memory_size=3)
    DiMPParams(network="", net_opt_iter=0, num_init_random_boxes=0, box_refinement_iter=0, min_side=0, border_limit=1)
    for name in NOT_NEGATIVE:
        with pytest.raises(ParameterError, match=f"{name} must be at least 0, not -1"):
            DiMPParams(network="", **{name: -1})  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="border_limit must be at least 1, or none, not 0.5"):
        DiMPParams(network="", border_limit=0.5)  # it would make the crop larger
    with pytest.raises(ParameterError, match="Linear is none"):
        DiMPTracker(DiMPParams(network=torch.nn.Linear(1, 1), device="cpu"))


@pytest.mark.parametrize("precision", ["bfloat16", "auto"])
def test_bfloat16_is_for_convolutions_and_leaves_everything_else_in_float32(precision: str) -> None:
    video = SyntheticVideo(1, 3, (120, 160), seed=2)
    box = video.get_sequence_info(0)["bbox"][0].numpy()
    torch.manual_seed(0)
    network = dimpnet18()
    trackers = [
        DiMPTracker(DiMPParams(network=network, device="cpu", image_sample_size=144, precision=name))
        for name in ("float32", precision)
    ]
    features = []
    for tracker in trackers:
        tracker.initialize(video.load_frame(0, 0), {"init_bbox": box})
        assert tracker.filter.dtype == tracker.memory.samples.features.dtype == torch.float32
        features.append(tracker.memory.samples.features[0])
        found = tracker.track(video.load_frame(0, 1))
        assert np.isfinite(found["target_bbox"]).all()
    off = float((features[0] - features[1]).norm() / features[0].norm())
    coarse = precision == "bfloat16" or multiplies_bfloat16(torch.device("cpu"))
    assert 1e-4 < off < 3e-2 if coarse else off == 0  # bfloat16 has eight bits
