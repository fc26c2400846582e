"""DiMP's loss for labels that may be off: what it is without noise, what it sums, and what answers it asks for."""

from __future__ import annotations

import math
from typing import cast, get_args

import pytest
import torch

from ltr.actors.dimp import DiMPLossSettings
from ltr.data.tensordict import TensorDict
from ltr.dataset.named import embedded_videos
from ltr.models.loss.lb_hinge import lb_hinge
from ltr.models.tracking import DiMPNet
from socl_plugins.dimp import NoiseRobustDiMPActor, WeakDiMPActor
from socl_plugins.dimp.noise_robust import cell_probabilities, first_loss, noise_robust_hinge
from socl_plugins.progressive.noise_robust import Expansion, LabelNoise
from tests.recipes import SMALL_DIMP, assembled, recipe

SHAPE = (7, 9)
STD = torch.tensor([0.5, 1.2, 2.0], dtype=torch.float64)
STILL = torch.zeros(3, dtype=torch.float64)
THRESHOLD = 0.05


def gaussians(centers: torch.Tensor, shape: tuple[int, int] = SHAPE, sigma: float = 0.9) -> torch.Tensor:
    """Returns labels (N, H, W) around centers (N, 2) x, y."""
    rows, columns = torch.meshgrid(*(torch.arange(cells, dtype=torch.float64) for cells in shape), indexing="ij")
    x, y = (centers[:, axis, None, None] for axis in (0, 1))
    return torch.exp(-((columns - x).square() + (rows - y).square()) / (2 * sigma**2))


def labels() -> torch.Tensor:
    """Returns labels (3, H, W): in the middle, at the border, and one of no particular form."""
    return torch.cat([gaussians(torch.tensor([[4.3, 2.8], [0.2, 6.1]])), random_scores(1, 4)[0, :1].abs()])


def random_scores(filters: int = 2, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.4 * torch.randn(filters, 3, *SHAPE, generator=generator, dtype=torch.float64)


def plain_likelihood(scores: torch.Tensor, label: torch.Tensor, std: float, scale: float) -> list[float]:
    """Returns E[exp g], E[g] and E[g^2] of one map (H, W), label by moved label and cell by cell."""
    height, width = label.shape
    row, column = divmod(int(label.argmax()), width)

    def probability(cells: int) -> float:
        return (math.erf((cells + 0.5) / (math.sqrt(2) * std)) - math.erf((cells - 0.5) / (math.sqrt(2) * std))) / 2

    total, sums = 0.0, [0.0, 0.0, 0.0]
    for down in range(-row, height - row):
        for right in range(-column, width - column):
            moved = torch.zeros_like(label)
            for y in range(height):
                for x in range(width):
                    if 0 <= y - down < height and 0 <= x - right < width:
                        moved[y, x] = label[y - down, x - right]
            g = -scale * float(lb_hinge(scores, moved, THRESHOLD))
            p = probability(down) * probability(right)
            total += p
            sums = [one + p * value for one, value in zip(sums, (math.exp(g), g, g * g))]
    return [one / total for one in sums]


@pytest.mark.parametrize("expansion", ["exact", "centred"])
def test_without_noise_it_is_dimp_s_loss(expansion: Expansion) -> None:
    scores, label = random_scores(), labels()
    expected = torch.stack([lb_hinge(each, label, THRESHOLD) for each in scores])
    for std in (STILL, STILL + 0.05):
        loss = noise_robust_hinge(scores, label, std, THRESHOLD, expansion)
        torch.testing.assert_close(loss, expected, rtol=1e-12, atol=1e-12)
    single = noise_robust_hinge(scores.float(), label.float(), STILL.float(), THRESHOLD, expansion)
    torch.testing.assert_close(single, expected.float(), rtol=1e-5, atol=0)


def test_it_is_what_a_plain_loop_over_moved_labels_sums() -> None:
    scores, label, scale = random_scores(1), labels(), 30.0
    sums = [plain_likelihood(scores[0, n], label[n], float(STD[n]), scale) for n in range(3)]
    first, second = (torch.tensor([one[number] for one in sums], dtype=torch.float64) for number in (1, 2))
    expected = {
        "exact": torch.tensor([math.log(one[0]) for one in sums], dtype=torch.float64),
        "centred": first + torch.log1p((second - first.square()) / 2),
        "taylor": torch.log1p(first + second / 2),
    }
    assert set(expected) == set(get_args(Expansion))
    for expansion in get_args(Expansion):
        loss = noise_robust_hinge(scores, label, STD, THRESHOLD, expansion, scale)
        torch.testing.assert_close(loss, -expected[expansion].mean()[None] / scale, rtol=1e-10, atol=0)


def test_moved_by_whole_cells_labels_stand_for_labels_that_are_off_by_any_part_of_one() -> None:
    """Random clicks, each with its own Gaussian, against the sum over cells."""
    center, shape = torch.tensor([[9.0, 9.0]], dtype=torch.float64), (19, 19)
    label = gaussians(center, shape)
    scores = gaussians(center + 0.7, shape)[None]
    half_a_cell = lb_hinge(gaussians(center + 0.5, shape), label, THRESHOLD)
    normal = torch.randn(4000, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    for std in (0.35, 1.2, 2.0):
        drawn = gaussians(center + std * normal, shape)
        losses = torch.stack([lb_hinge(scores[0, 0], each, THRESHOLD) for each in drawn])
        for scale in (1, 100, 1000):
            expected = -((-scale * losses).logsumexp(0) - math.log(len(losses))) / scale
            loss = noise_robust_hinge(scores, label, torch.tensor([std], dtype=torch.float64), THRESHOLD, scale=scale)[
                0
            ]
            # Whole cells add 1/12 cell^2 to the variance, and a sharp likelihood sees what is left of a cell.
            assert abs(loss - expected) < (0.07 * expected if scale <= 100 else 0.5 * half_a_cell)


def test_the_expected_label_is_the_wider_gaussian_of_the_closed_form() -> None:
    """N(0, sigma^2) moved by N(0, std^2) is N(0, sigma^2 + std^2), lower by the ratio of the variances."""
    center, sigma, std = torch.tensor([[9.0, 9.0]], dtype=torch.float64), 0.9, 1.2
    probability = cell_probabilities(gaussians(center, (19, 19)), torch.tensor([std], dtype=torch.float64))
    wide = math.hypot(sigma, std)
    cells = torch.stack(torch.meshgrid(*[torch.arange(19.0, dtype=torch.float64)] * 2, indexing="xy"), -1).flatten(0, 1)
    mean = torch.einsum("k,khw->hw", probability.flatten(), gaussians(cells, (19, 19)))
    closed = (sigma / wide) ** 2 * gaussians(center, (19, 19), wide)[0]
    torch.testing.assert_close(mean, closed, rtol=0, atol=0.02)


def test_a_peak_at_the_border_does_not_leave_the_map() -> None:
    probability = cell_probabilities(labels(), STD)
    torch.testing.assert_close(probability.sum(dim=(1, 2)), torch.ones(3, dtype=torch.float64))
    assert probability[1].argmax() == labels()[1].argmax(), "the likeliest place is where the label is"
    assert (cell_probabilities(labels(), STILL).flatten(1).max(dim=1).values == 1).all()


@pytest.mark.parametrize("expansion", get_args(Expansion))
def test_gradients_are_those_of_finite_differences(expansion: Expansion) -> None:
    scores = random_scores().requires_grad_()
    assert torch.autograd.gradcheck(lambda s: noise_robust_hinge(s, labels(), STD, THRESHOLD, expansion, 30.0), scores)


def best_response(robust: bool, scale: float = 1000.0, expansion: Expansion = "exact") -> torch.Tensor:
    """Returns the one map (H, W) that answers labels best that are 1.2 cells off in every direction."""
    shape, std = (19, 19), 1.2
    angle = torch.arange(24, dtype=torch.float64) * 2 * math.pi / 24
    off = std * math.sqrt(2) * torch.stack([angle.cos(), angle.sin()], dim=1)  # clicks: of one length
    label = gaussians(9.0 + off, shape).float()
    response = torch.zeros(shape, requires_grad=True)
    optimizer = torch.optim.Adam([response], 0.02)
    for _ in range(150):
        scores = response.expand(1, len(label), *shape)
        if robust:
            loss = noise_robust_hinge(scores, label, torch.full((len(label),), std), THRESHOLD, expansion, scale)[0]
        else:
            loss = lb_hinge(scores[0], label, THRESHOLD)
        optimizer.zero_grad()
        (100 * loss).backward()
        optimizer.step()
    return response.detach().clamp(min=0)  # how far below zero does not matter on the background


@pytest.mark.long
def test_from_labels_that_are_off_it_learns_a_sharp_response_at_the_centre_and_dimp_s_loss_a_flat_one() -> None:
    clean = gaussians(torch.tensor([[9.0, 9.0]]), (19, 19))[0].float()
    dimp, robust = best_response(False), best_response(True)
    assert divmod(int(robust.argmax()), 19) == (9, 9)
    assert dimp.max() < 0.5 and robust.max() > 0.75
    assert (robust - clean).square().sum() < 0.2 * (dimp - clean).square().sum()
    # The docstring's reasons for the scale and against the expansion.
    assert best_response(True, scale=100).max() < dimp.max()
    assert best_response(True, expansion="centred").max() < 0.5


class Answers(torch.nn.Module):
    """Gives the same scores and overlaps, whatever it sees."""

    stride = DiMPNet.stride

    def __init__(self, scores: list[torch.Tensor]) -> None:
        super().__init__()
        self.scores = scores

    def forward(self, *inputs: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        return self.scores, torch.zeros(2, 3, 4)


def test_the_learning_step_differs_in_the_classifier_s_loss_alone_and_a_click_s_error_scales_with_the_crop() -> None:
    generator = torch.Generator().manual_seed(0)
    net = Answers([0.3 * torch.randn(2, 3, *SHAPE, generator=generator) for _ in range(4)])
    data = TensorDict(
        **{name: torch.zeros(2, 3, 1) for name in ("train_images", "test_images", "train_anno", "train_box")},
        test_proposals=torch.zeros(2, 3, 4, 4),
        proposal_iou=torch.ones(2, 3, 4),
        test_has_box=torch.ones(2, 3, dtype=torch.bool),
        test_label=labels().float().repeat(2, 1, 1).unflatten(0, (2, 3)),
        test_scale=torch.tensor([[0.5, 1, 2], [1, 1, 1]]),
    )

    def stats(noise: LabelNoise | None, scale: float = 1.0) -> dict[str, float]:
        seen = TensorDict({**data, "test_scale": scale * data["test_scale"]})
        actor = WeakDiMPActor(net) if noise is None else NoiseRobustDiMPActor(net, noise)  # type: ignore[arg-type]
        found: dict[str, float] = actor(seen)[1]
        return found

    weak, still, robust = (stats(noise) for noise in (None, LabelNoise(), LabelNoise(20, scale=1)))
    assert still == pytest.approx(weak, rel=1e-5)
    assert {name for name in weak if robust[name] == weak[name]} == {"Loss/iou"}
    assert stats(LabelNoise(10, scale=1), 2.0) == robust != stats(LabelNoise(10, scale=1))
    # Each filter, map by map, as the function has it.
    std = 20 * data["test_scale"].flatten() / 16
    scores, label = net.scores[3].flatten(0, 1)[None], data["test_label"].flatten(0, 1)
    expected = noise_robust_hinge(scores, label, std, THRESHOLD, scale=1)
    assert robust["ClfTrain/test_loss"] == pytest.approx(float(expected))
    assert robust["Loss/target_clf"] == pytest.approx(DiMPLossSettings().test_clf * float(expected))


def test_the_printed_expansion_starts_above_its_minimum_or_is_refused() -> None:
    label = labels().float()
    start = first_loss(label, THRESHOLD)
    zeros = torch.zeros(1, *label.shape)
    assert start == pytest.approx(float(lb_hinge(zeros[0], label, THRESHOLD)))
    net = Answers([])
    data = TensorDict(test_label=label[None], test_scale=torch.ones(1, len(label)))
    for scale, refused in ((None, False), (0.9 / start, False), (1.1 / start, True), (1000.0, True)):
        actor = NoiseRobustDiMPActor(net, LabelNoise(20, expansion="taylor", scale=scale))  # type: ignore[arg-type]
        if refused:
            with pytest.raises(ValueError, match="taylor.*such as 1"):
                actor.classification_losses([zeros], data)
        else:
            assert torch.isfinite(actor.classification_losses([zeros], data)[0])


def test_the_recipe_s_batches_say_how_large_a_pixel_is_and_the_loss_learns_from_them() -> None:
    settings = {
        **SMALL_DIMP,
        "data.labels.noise_px": 20,
        "data.labels.boxes": "sparse",
        "data.labels.store": "none",
        "data.labels.prepare_frames": 0,
        "data.labels.proposals.random_count": 200,
        "data.labels.proposals.keep": 16,
    }

    def loss(more: dict[str, object]) -> tuple[torch.Tensor, DiMPNet, TensorDict]:
        torch.manual_seed(0)
        parts = assembled("dimp/socl_dimp18", {**settings, **more}, [embedded_videos(2)])
        (data,) = parts.loader
        return parts.actor(data)[0], cast(DiMPNet, parts.actor.net), data

    plain, _, data = loss({})
    assert data["test_scale"].shape == data["test_label"].shape[:2] == (1, 2)
    robust = {"actor": "noise_robust_dimp", "actor.noise.scale": 1000}
    hardly, _, _ = loss({**robust, "actor.noise.frame_px": 1e-3})
    believed, net, _ = loss({**robust, "actor.noise.frame_px": 20})
    assert hardly.item() == pytest.approx(plain.item(), rel=1e-4) != believed.item()
    believed.backward()  # type: ignore[no-untyped-call]
    weight = net.classifier.filter_initializer.filter_conv.weight
    assert weight.grad is not None and torch.isfinite(weight.grad).all() and weight.grad.abs().max() > 0


def test_a_noise_that_makes_no_sense_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="frame_px"):
        recipe("dimp/socl_dimp18", {"actor": "noise_robust_dimp", "actor.noise.frame_px": -1})
