"""How ECO learns, apart from where its features come from."""

from __future__ import annotations

from dataclasses import dataclass

from pytracking.tracker.eco.regularization import RegularizationSettings


@dataclass(frozen=True)
class LearningSettings:
    """How ECO learns; the defaults are those of its authors' deep variant.

    Attributes:
        label_sigma: standard deviation of the label as a part of the target's mean side.
        interpolation_a: slope of the cubic interpolation kernel.
        regularization: of the filter, in space.
        projection_regularization: weight of the projection's squared entries.
        samples: how many samples are kept apart.
        learning_rate: weight of a new sample.
        gauss_newton_steps: in the first frame, of filter and projection together.
        steps_each: of conjugate gradients in each Gauss-Newton step.
        update_steps: of conjugate gradients in a later update.
        forgetting: an old direction counts (1 - learning_rate) ** forgetting in an update.
        precondition_data: preconditioner: part of a channel's own energy, the rest is the mean of all.
        precondition_regularization: preconditioner: part of the regularization.
        precondition_projection: preconditioner: factor on the projection.
    """

    label_sigma: float = 1 / 8
    interpolation_a: float = -0.75
    regularization: RegularizationSettings = RegularizationSettings()
    projection_regularization: float = 5e-8
    samples: int = 50
    learning_rate: float = 0.01
    gauss_newton_steps: int = 15
    steps_each: int = 15
    update_steps: int = 5
    forgetting: float = 75.0
    precondition_data: float = 0.3
    precondition_regularization: float = 0.015
    precondition_projection: float = 35.0
