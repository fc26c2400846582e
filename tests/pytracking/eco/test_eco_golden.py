"""The ECO tracker follows the public Python implementation, from the label to the boxes of a clip."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from ltr.data.crops import crop_square
from ltr.models.backbone import resnet18
from ltr.registry import load_plugins
from pytracking.parameter.eco import hog
from pytracking.registry import PARAMETERS
from pytracking.tracker.eco.continuous import gaussian_label_spectrum, interpolation
from pytracking.tracker.eco.features import Features, JoinedFeatures, normalised, odd_side, odd_sides
from pytracking.tracker.eco.first_frame import principal_directions, project
from pytracking.tracker.eco.hog import CHANNELS as HOG_CHANNELS
from pytracking.tracker.eco.hog import HogFeatures, fhog
from pytracking.tracker.eco.params import ECOParams
from pytracking.tracker.eco.regularization import Regularization, RegularizationSettings, regularization_filter
from pytracking.tracker.eco.scale_filter import ScaleFilter, ScaleFilterSettings, reduced_size
from pytracking.tracker.eco.tracker import ECOTracker

CORE = ((60, 61), (15, 15))  # cells and size of the spectrum of each block
HAND_CRAFTED = ((47, 47), (31, 31))


@pytest.fixture
def golden(shared_data: Path) -> Path:
    directory = shared_data.parent / "golden"
    if not (directory / "eco_core.npz").is_file():
        pytest.skip(f"{directory / 'eco_core.npz'} is not there")
    return directory


@pytest.fixture
def fill(golden: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("fill", golden / "fill.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class BlockFeatures:
    """The stand-in for a CNN that the golden vectors were made with."""

    cells = (4, 16)
    dimensions = (16, 64)

    def __init__(self, fill: ModuleType) -> None:
        self.fill = fill

    def sample_side(self, wanted: float) -> int:
        return odd_side(wanted, 16)

    def __call__(self, patches: Tensor) -> list[Tensor]:
        images = patches.permute(0, 2, 3, 1).numpy()
        blocks = [[self.fill.block_features(im, *kind) for im in images] for kind in ((4, 64), (16, 256))]
        return [normalised(torch.from_numpy(np.stack(maps)).permute(0, 3, 1, 2)) for maps in blocks]


class Stored:
    """The features of the first frame as they are stored: the table of colour names is not at hand."""

    cells = (4, 6)
    dimensions = (3, 10)

    def __init__(self, data: np.lib.npyio.NpzFile) -> None:
        stored = [data[f"block{block}/features_frame0"] for block in range(2)]
        self.maps = [torch.from_numpy(part).permute(3, 2, 0, 1) for part in stored]

    def sample_side(self, wanted: float) -> int:
        return odd_sides(wanted, self.cells)

    def __call__(self, patches: Tensor) -> list[Tensor]:
        assert len(patches) == 1, "only one patch of one frame is stored"
        return self.maps


FEATURES: dict[str, Callable[[ModuleType], Features]] = {
    "core": BlockFeatures,
    "deep": lambda fill: JoinedFeatures([HogFeatures(), BlockFeatures(fill)]),
}


def as_stored(spectrum: Tensor) -> np.ndarray:
    """A spectrum (D, m, h) as the golden vectors have it: (m, h, D, re im), columns from -h to 0."""
    values = spectrum.flip(-1, -2).conj().resolve_conj().numpy()
    values = np.moveaxis(values, 0, -1)
    return np.stack([values.real, values.imag], -1)


def check(data: np.lib.npyio.NpzFile, key: str, values: np.ndarray, atol: float) -> None:
    if key in data.files:
        np.testing.assert_allclose(values.ravel(), data[key].ravel(), atol=atol, rtol=0)
    else:
        sample = values.ravel()[:: int(data[f"{key}__stride"])]
        np.testing.assert_allclose(sample, data[f"{key}__sample"], atol=atol, rtol=0)


def with_signs(filters: Tensor, projection: Tensor) -> tuple[Tensor, Tensor]:
    """The sign of a projection's column is arbitrary: its largest entry is made positive."""
    signs = projection.gather(0, projection.abs().argmax(dim=0, keepdim=True)).sign()[0]
    return filters * signs[:, None, None], projection * signs


@pytest.mark.parametrize(("name", "sizes", "sigma"), [("core", CORE, 1 / 8), ("hc", HAND_CRAFTED, 1 / 14)])
def test_label_interpolation_and_regularization(
    golden: Path, name: str, sizes: Sequence[tuple[int, int]], sigma: float
) -> None:
    data = np.load(golden / f"eco_{name}.npz")
    side = float(data["img_sample_sz"][0])
    coefficients = regularization_filter(side, (50, 40), RegularizationSettings())
    for block, (_, size) in enumerate(sizes):
        label = gaussian_label_spectrum(size, sigma * (50 * 40) ** 0.5 / side)
        rows, columns = interpolation(size, -0.75)
        check(data, f"block{block}/yf", label.flip(0, 1).numpy(), 1e-15)
        check(data, f"block{block}/interp_row", torch.view_as_real(rows).numpy(), 1e-11)
        half = torch.cat([columns[1:].flip(0).conj(), columns]).resolve_conj()
        check(data, f"block{block}/interp_col", torch.view_as_real(half).numpy(), 1e-11)
        check(data, f"block{block}/reg_filter", coefficients.numpy(), 1e-7)
        energy = Regularization(coefficients).energy
        assert energy == pytest.approx(float(data[f"block{block}/reg_energy"]), rel=1e-6)


def test_the_sides_of_samples(golden: Path) -> None:
    mean_side = (50 * 40) ** 0.5
    assert odd_side(5 * mean_side, 16) == np.load(golden / "eco_core.npz")["img_sample_sz"][0]
    assert odd_sides(4 * mean_side, [4, 6]) == np.load(golden / "eco_hc.npz")["img_sample_sz"][0]


@pytest.mark.parametrize("name", ["eco/res18_cf", "eco/socl_cf"])
@pytest.mark.long
def test_the_sides_of_samples_for_a_network_are_those_of_socls_base(
    golden: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_plugins()
    monkeypatch.setattr("ltr.models.backbone.resnet._load_imagenet", lambda *_: None)  # weights do not matter here
    if not (golden / "papers_misc.npz").is_file():
        pytest.skip(f"{golden / 'papers_misc.npz'} is not there")
    data = np.load(golden / "papers_misc.npz")
    params: Any = PARAMETERS[name]()
    params = replace(params, network=resnet18("layer3", stride=16), device="cpu")
    assert params.hand_crafted == ("fhog",), "histograms and a network, no colour names"
    tracker = ECOTracker(params)
    sides = [tracker.features.sample_side(wanted) for wanted in data["eco/wanted_side"]]
    assert sides == data["eco/sample_side"].tolist()
    small = np.zeros((240, 320, 3), np.uint8)
    small[100:120, 100:120] = 255
    tracker.initialize(small, {"init_bbox": [100, 100, 20, 20]})
    assert tracker.side == 240 and tracker.side * tracker.first_scale / 20 == pytest.approx(5.4)


def test_histograms_of_gradients(golden: Path, fill: ModuleType) -> None:
    frame = fill.clip(41, 1, 300, 400, (120, 100, 40, 50), (3, 1.5), 1.012)[0][0]
    for name, block, cell, side in (("deep", 0, 4, 240), ("hc", 1, 6, 188)):
        stored = np.load(golden / f"eco_{name}.npz")[f"block{block}/features_frame0"][..., 0]
        patch = torch.from_numpy(crop_square(frame, (140, 125), side, side)[0]).permute(2, 0, 1).float()
        difference = normalised(fhog(patch[None], cell))[0].permute(1, 2, 0).numpy() - stored
        # The reference's magnitudes are estimates, right to about 12 bits; features go to 2.1.
        assert np.abs(difference).max() < 5e-4
        assert np.sqrt(np.square(difference).mean()) < 5e-5


@pytest.mark.parametrize("name", ["core", "deep"])
@pytest.mark.long
def test_the_first_frame(golden: Path, fill: ModuleType, name: str) -> None:
    data = np.load(golden / f"eco_{name}.npz")
    frame = fill.clip(41, 1, 300, 400, (120, 100, 40, 50), (3, 1.5), 1.012)[0][0]
    tracker = ECOTracker(ECOParams(search_area=5.0, device="cpu"), FEATURES[name](fill))
    tracker.initialize(frame, {"init_bbox": [120, 100, 40, 50]})
    maps = [part[0] for part in tracker._features(frame, [(np.array([140.0, 125.0]), 1.0)])]
    for block, features in enumerate(maps):
        if len(features) != HOG_CHANNELS:
            check(data, f"block{block}/features_frame0", features.permute(1, 2, 0).numpy(), 1e-5)
    check_first_filters(data, tracker, maps)


def test_the_first_frame_of_given_hand_crafted_features(golden: Path, fill: ModuleType) -> None:
    data = np.load(golden / "eco_hc.npz")
    frame = fill.clip(41, 1, 300, 400, (120, 100, 40, 50), (3, 1.5), 1.012)[0][0]
    params = hog.parameters()
    params.device = "cpu"
    tracker = ECOTracker(params, Stored(data))
    tracker.initialize(frame, {"init_bbox": [120, 100, 40, 50]})
    assert tracker.side == data["img_sample_sz"][0]
    check_first_filters(data, tracker, [part[0] for part in Stored(data).maps])


def check_first_filters(data: np.lib.npyio.NpzFile, tracker: ECOTracker, maps: Sequence[Tensor]) -> None:
    """The projections and filters that a tracker has learned from its first frame's features (C, n, n)."""
    model = tracker.model
    for block, features in enumerate(maps):
        first = principal_directions(features, model.dimensions[block])
        check(data, f"block{block}/proj_init", first.numpy(), 1e-3)
        filters, projection = with_signs(model.filters[block], model.projections[block])
        check(data, f"block{block}/proj_after_GN", projection.numpy(), 1e-3)
        check(data, f"block{block}/filter_after_GN", as_stored(filters), 1e-5)
        back = project(model.filters[block], model.projections[block].T)
        check(data, f"block{block}/backprojected_filter_after_GN", as_stored(back), 1e-5)


def test_the_scale_filter_in_places_that_are_given(golden: Path, fill: ModuleType) -> None:
    data = np.load(golden / "eco_hc.npz")
    frames, _ = fill.clip(41, 14, 300, 400, (120, 100, 40, 50), (3, 1.5), 1.012)
    scales = data["scale_factor_per_frame"]
    centers = data["boxes_xywh"][:, :2] + data["boxes_xywh"][:, 2:] / 2
    settings, size = ScaleFilterSettings(), np.array([40.0, 50.0])
    # The reference looks at targets in a patch whose width and height are swapped.
    one = ScaleFilter(size, reduced_size(size, settings)[::-1], settings)
    one.update(frames[0], np.array([139.5, 124.5]), 1.0)
    known = 1.0
    for frame, center, scale in zip(frames[1:], centers, scales):
        # In patches of 500 pixels a single one whose orientation the reference's estimates change can be seen.
        assert known * one.find(frame, center, known) == pytest.approx(scale, abs=1e-3)
        one.update(frame, center, scale)
        known = scale


@pytest.mark.parametrize("name", ["core", "deep"])
@pytest.mark.long
def test_a_clip(golden: Path, fill: ModuleType, name: str) -> None:
    data = np.load(golden / f"eco_{name}.npz")
    frames, _ = fill.clip(41, 14, 300, 400, (120, 100, 40, 50), (3, 1.5), 1.012)
    tracker = ECOTracker(ECOParams(search_area=5.0, device="cpu"), FEATURES[name](fill))
    tracker.initialize(frames[0], {"init_bbox": [120, 100, 40, 50]})
    names = {6: "first", 12: "last"}
    assert list(names) == data["trained_before_returning_frame"].tolist()
    for number, frame in enumerate(frames[1:], start=1):
        box = tracker.track(frame)["target_bbox"]
        # The reference takes x + (w - 1) / 2 for the centre, but goes back from it by w / 2: its boxes drift to the
        # left and top by half a pixel in the first frame, and stay there.
        np.testing.assert_allclose(np.array(box) - [0.5, 0.5, 0, 0], data["boxes_xywh"][number - 1], atol=1e-3)
        weights = data["prior_weights_per_frame"][number - 1]
        np.testing.assert_allclose(tracker.model.memory.weights.numpy(), weights, atol=1e-6)
        if number in names:
            for block in range(len(tracker.features.cells)):
                filters, _ = with_signs(tracker.model.filters[block], tracker.model.projections[block])
                check(data, f"block{block}/filter_after_{names[number]}_update", as_stored(filters), 1e-5)
