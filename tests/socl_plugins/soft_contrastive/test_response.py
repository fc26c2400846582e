"""The term on the response: smallest where the template of one click answers at the other click."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from ltr.models.tracking import FeatureGrid, siamfc_alexnet, siamfc_resnet18
from socl_plugins.soft_contrastive.response import ResponseSettings, ResponseTerm, cross_correlation

GRID = FeatureGrid(cells=8, stride=8, start=16.0)
TERM = ResponseTerm(ResponseSettings(weight=1.0), GRID, template_cells=3, factor=1 / 9)


def in_pixels(cells: list[list[float]]) -> torch.Tensor:
    return (torch.tensor(cells) + 0.5) * GRID.stride + GRID.start


def maps_with(target: list[list[int]], seed: int = 0) -> torch.Tensor:
    """Unit features (2, 6, 8, 8) of noise, with the same 3 x 3 cells around the place x, y of each map."""
    generator = torch.Generator().manual_seed(seed)
    maps = torch.randn(2, 6, 8, 8, generator=generator)
    patch = torch.randn(6, 3, 3, generator=generator)
    for number, (x, y) in enumerate(target):
        maps[number, :, y - 1 : y + 2, x - 1 : x + 2] = patch
    return torch.nn.functional.normalize(maps, dim=1)


def plain(features: torch.Tensor, cells: list[list[float]]) -> float:
    """The same in loops, from the words of the docstring."""
    size, settings, total = TERM.template_cells, TERM.settings, 0.0
    places = features.shape[-1] - size + 1
    for number in range(2):
        (x, y), (other_x, other_y) = cells[number], cells[1 - number]
        left, top = (min(max(round(value - (size - 1) / 2), 0), places - 1) for value in (x, y))
        wanted = other_x - (x - left), other_y - (y - top)
        if not all(-0.5 < value < places - 0.5 for value in wanted):
            continue
        template, search = features[number, :, top : top + size, left : left + size], features[1 - number]
        logits, labels = [], []
        for row in range(places):
            for column in range(places):
                seen = search[:, row : row + size, column : column + size]
                logits.append(float((template * seen).sum()) / size**2 / settings.temperature)
                distance = (column - wanted[0]) ** 2 + (row - wanted[1]) ** 2
                labels.append(math.exp(-distance / 2 / settings.sigma**2))
        log_total = math.log(sum(math.exp(value) for value in logits))
        total -= sum(label * (logit - log_total) for label, logit in zip(labels, logits)) / sum(labels)
    return total / 2


@pytest.mark.parametrize("cells", [[[2, 3], [4, 5]], [[0, 0], [1, 1]], [[0, 7], [7, 0]], [[2.3, 3.4], [4.1, 4.9]]])
def test_it_is_what_loops_give(cells: list[list[float]]) -> None:
    features = maps_with([[2, 3], [4, 5]])
    loss = TERM(features, in_pixels(cells))
    assert loss.item() == pytest.approx(plain(features, cells), rel=1e-5, abs=1e-6)


def test_responses_are_those_of_the_tracker() -> None:
    net = siamfc_resnet18("layer1", border=1)
    features = maps_with([[2, 3], [4, 5]], seed=1).repeat_interleave(2, dim=0)
    features[::2] += 0.1  # two pairs that differ
    starts = torch.tensor([[1, 2], [0, 4], [3, 4], [5, 5]])
    found = net.response_factor(9) * cross_correlation(features, starts, 3)
    for number, (x, y) in enumerate(starts.tolist()):
        template = features[number : number + 1, :, y : y + 3, x : x + 3]
        expected = net.correlate(template, features[(number + 2) % 4][None])
        torch.testing.assert_close(found[number], expected.flatten(), atol=1e-6, rtol=1e-5)


def test_it_is_smallest_where_both_clicks_are_on_the_target() -> None:
    features, target = maps_with([[2, 3], [5, 4]]), [[2, 3], [5, 4]]
    sharp = replace(TERM, settings=ResponseSettings(weight=1.0, sigma=0.3))
    right = sharp(features, in_pixels(target))
    for x, y in ((3, 4), (5, 6), (4, 2), (6, 6)):
        wrong = sharp(features, in_pixels([target[0], [x, y]]))
        assert wrong > right


def test_a_target_that_no_place_of_the_template_shows_counts_as_nothing() -> None:
    # The template starts in the corner of its map, with the click in it, so it cannot show a click in the other corner.
    features = maps_with([[2, 3], [4, 5]]).requires_grad_()
    loss = TERM(features, in_pixels([[0, 0], [7, 7]]))
    loss.backward()
    assert loss.item() == 0 and features.grad is not None and not features.grad.any()


def test_its_gradient_is_right() -> None:
    points, soft = in_pixels([[2, 3], [4, 5]]).double(), replace(TERM, settings=ResponseSettings(1.0, 1.0, 0.5))
    features = maps_with([[2, 3], [4, 5]]).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda maps: soft(maps, points), features)


def test_the_template_is_the_tracker_s() -> None:
    padded, plain_net = siamfc_resnet18(), siamfc_alexnet(normalise=True)
    for net, cells in ((padded, 10), (plain_net, 6)):
        term = ResponseTerm.of(net, 192, ResponseSettings(weight=1.0))
        assert net.eval()(torch.zeros(1, 3, 127, 127)).shape[-1] == term.template_cells == cells
        assert term.factor == net.response_factor(cells**2) == 1 / cells**2 and term.grid == net.grid(192)


def test_a_crop_without_room_to_look_for_the_template_is_refused() -> None:
    with pytest.raises(ValueError, match="10 feature cells leave no room to look for a template of 10"):
        ResponseTerm.of(siamfc_resnet18(), 127, ResponseSettings(weight=1.0))


@pytest.mark.parametrize("wrong", [{"weight": -1.0}, {"sigma": 0.0}, {"temperature": 0.0}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ResponseSettings(**wrong)  # type: ignore[arg-type]
