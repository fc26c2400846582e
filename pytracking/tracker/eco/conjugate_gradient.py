"""The method of conjugate gradients for normal equations whose unknown is a list of tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

Vector = list[Tensor]


@dataclass
class Direction:
    """What one solution leaves to the next: direction, residual and its weighted square. Empty at first."""

    direction: Vector | None = None
    residual: Vector | None = None
    rho: Tensor | None = None

    def forget(self, factor: float) -> None:
        """Lets the old direction count less: a ``factor`` under 1 makes the next step steeper."""
        if self.rho is not None:
            self.rho = self.rho / factor


def conjugate_gradient(
    operator: Callable[[Vector], Vector],
    right: Vector,
    start: Vector,
    *,
    precondition: Callable[[Vector], Vector],
    inner: Callable[[Vector, Vector], Tensor],
    iterations: int,
    flexible: bool = False,
    state: Direction | None = None,
) -> Vector:
    """Returns the solution of ``operator(x) = right`` after some iterations from ``start``.

    Args:
        operator: linear, self-adjoint and positive definite with regard to ``inner``.
        right: the right-hand side.
        start: the first guess.
        precondition: applies the inverse of an approximation of the operator.
        inner: the inner product of two vectors, a tensor without dimensions.
        iterations: how many.
        flexible: Polak-Ribiere's update of the direction, cut off at zero, instead of Fletcher-Reeves's. It forgets old
            directions by itself where the operator has changed since ``state``.
        state: where the last solution ended; carries on from there, and is written to.
    """
    state = state if state is not None else Direction()
    x = start
    residual = combined(right, operator(x), -1)
    for step in range(iterations):
        steepest = precondition(residual)
        rho = inner(residual, steepest)
        if state.direction is None or state.rho is None:
            direction = steepest
        else:
            gain = rho
            if flexible and state.residual is not None:
                gain = rho - inner(state.residual, steepest)
            beta = torch.where(state.rho == 0, 0, gain / state.rho).clamp(min=0)
            direction = combined(steepest, state.direction, beta)
        moved = operator(direction)
        curvature = inner(direction, moved)
        alpha = torch.where(curvature == 0, 0, rho / curvature)  # at the solution both are zero
        state.direction, state.residual, state.rho = direction, residual, rho
        x = combined(x, direction, alpha)
        if step + 1 < iterations:
            residual = combined(residual, moved, -alpha)
    return x


def combined(a: Sequence[Tensor], b: Sequence[Tensor], factor: float | Tensor) -> Vector:
    """Returns a + factor * b."""
    return [left + factor * right for left, right in zip(a, b, strict=True)]
