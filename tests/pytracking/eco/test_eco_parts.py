"""What the parts of ECO promise, each by itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from pytracking.tracker.eco.conjugate_gradient import Direction, conjugate_gradient
from pytracking.tracker.eco.continuous import cubic_spectrum
from pytracking.tracker.eco.fourier import inner, odd_size, resized, shifted, to_map, to_spectrum
from pytracking.tracker.eco.localization import find_peak
from pytracking.tracker.eco.memory import ECOMemory
from pytracking.tracker.eco.regularization import Regularization


def spectrum(size: int, *shape: int) -> torch.Tensor:
    return to_spectrum(torch.rand(*shape, size, size, dtype=torch.float64)) / size**2


@pytest.mark.parametrize("size", [7, 8])
def test_a_map_comes_back_from_its_spectrum(size: int) -> None:
    maps = torch.rand(2, size, size, dtype=torch.float64)
    found = to_spectrum(maps)
    assert found.shape == (2, odd_size(size), odd_size(size) // 2 + 1)
    if size % 2:
        torch.testing.assert_close(to_map(found) / size**2, maps)


def test_the_inner_product_is_that_of_the_functions() -> None:
    a, b = spectrum(9), spectrum(9)
    torch.testing.assert_close(inner(a, b), (to_map(a) * to_map(b)).mean())


def test_shifting_by_a_cell_rolls_the_map() -> None:
    a = spectrum(9)
    moved = to_map(shifted(a, 1 / 9, -2 / 9))
    torch.testing.assert_close(moved, to_map(a).roll((-1, 2), (0, 1)))


def test_a_larger_spectrum_is_the_same_function() -> None:
    a = spectrum(5)
    torch.testing.assert_close(resized(resized(a, 15), 5), a)
    torch.testing.assert_close(to_map(resized(a, 15))[::3, ::3], to_map(a))


def test_the_cubic_kernel_has_unit_area_and_the_transform_of_its_samples() -> None:
    a, step = -0.75, 1e-3
    t = torch.arange(-2, 2, step, dtype=torch.float64) + step / 2
    s = t.abs()
    kernel = torch.where(s <= 1, (a + 2) * s**3 - (a + 3) * s**2 + 1, a * (s**3 - 5 * s**2 + 8 * s - 4))
    for frequency in (0.0, 0.3, 0.5, 1.7):
        integral = (kernel * torch.cos(2 * torch.pi * frequency * t)).sum() * step
        torch.testing.assert_close(
            cubic_spectrum(torch.tensor(frequency, dtype=torch.float64), a), integral, atol=1e-5, rtol=0
        )


def test_regularization_multiplies_by_the_squared_window() -> None:
    coefficients = torch.tensor([[0, 0.1, 0], [0.2, 1.0, 0.2], [0, 0.1, 0]], dtype=torch.float64)
    position = 2 * torch.pi * torch.arange(15, dtype=torch.float64) / 15
    window = 1 + 0.2 * torch.cos(position)[:, None] + 0.4 * torch.cos(position)
    f = resized(spectrum(9, 3), 15)  # room for the product's higher frequencies
    torch.testing.assert_close(to_map(Regularization(coefficients)(f)), window**2 * to_map(f))


def test_conjugate_gradients_solve_in_as_many_steps_as_unknowns() -> None:
    generator = torch.Generator().manual_seed(0)
    root = torch.rand(6, 6, dtype=torch.float64, generator=generator)
    matrix, right = root @ root.T + torch.eye(6), torch.rand(6, dtype=torch.float64, generator=generator)
    state = Direction()
    (x,) = conjugate_gradient(
        lambda v: [matrix @ v[0]],
        [right],
        [torch.zeros_like(right)],
        precondition=lambda v: v,
        inner=lambda a, b: a[0] @ b[0],
        iterations=6,
        state=state,
    )
    torch.testing.assert_close(matrix @ x, right)
    assert state.direction is not None


def test_newton_finds_a_peak_between_the_cells() -> None:
    size, (y, x) = 21, (0.113, -0.207)
    bump = torch.outer(*(torch.exp(-2 * (0.1 * torch.pi * torch.arange(-10, 11.0, dtype=torch.float64)) ** 2),) * 2)
    one = shifted(bump[:, 10:].to(torch.complex128), -y, -x)
    peak = find_peak(torch.stack([0.5 * one, one]), newton_steps=5)
    assert peak.scale == 1
    np.testing.assert_allclose([peak.rows, peak.columns], [y, x], atol=1e-9)
    assert size == one.shape[0]


def memory_of(samples: torch.Tensor, capacity: int, rate: float) -> ECOMemory:
    memory = ECOMemory(capacity, rate)
    for sample in samples:
        memory.add([sample])
    return memory


def test_a_full_memory_keeps_its_size_its_mean_and_its_distances() -> None:
    torch.manual_seed(0)
    samples = torch.rand(40, 2, 5, 3, dtype=torch.complex128)
    memory = memory_of(samples, capacity=6, rate=0.1)
    assert memory.count == 6 and memory.spectra[0].shape[0] == 6
    assert float(memory.weights.sum()) == pytest.approx(1)
    flat = torch.view_as_real(memory.spectra[0]).flatten(1)
    torch.testing.assert_close(memory.products, 2 * flat @ flat.T)


def test_merging_keeps_the_weighted_mean_of_all_samples() -> None:
    torch.manual_seed(0)
    samples = torch.rand(9, 1, 3, 2, dtype=torch.complex128)
    memory = memory_of(samples, capacity=4, rate=0.05)  # nothing is light enough to be replaced
    weights = torch.tensor([0.95**8] + [0.05 * 0.95 ** (8 - k) for k in range(1, 9)], dtype=torch.float64)
    mean = (weights[:, None, None, None] * samples).sum(dim=0)
    kept = (memory.weights[:, None, None, None] * memory.spectra[0]).sum(dim=0)
    torch.testing.assert_close(kept, mean)


def test_two_samples_that_are_alike_become_one() -> None:
    far = 10 * torch.eye(4, dtype=torch.float64).to(torch.complex128).reshape(4, 1, 2, 2)
    memory = memory_of(torch.cat([far[:3], far[1:2] + 0.01]), capacity=3, rate=0.1)
    assert memory.weights.tolist() == pytest.approx([0.729 * 1.0, 0.081 + 0.1, 0.09])
    torch.testing.assert_close(memory.spectra[0][[0, 2]], far[[0, 2]])
