"""The parameters of DiMP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, get_args

from torch import nn

from ltr.data.target_crops import BorderMode
from pytracking.parameter.params import ParameterError, TrackerParams, check_precision
from pytracking.tracker.dimp.refinement import Space
from pytracking.tracker.dimp.sampling import FirstFrameAugmentation

NOT_NEGATIVE = (
    "net_opt_iter",
    "net_opt_update_iter",
    "net_opt_hn_iter",
    "target_neighborhood_scale",
    "displacement_scale",
    "num_init_random_boxes",
    "box_jitter_pos",
    "box_jitter_sz",
    "box_refinement_iter",
    "box_refinement_step_length",
    "box_refinement_step_decay",
    "min_side",
)


@dataclass(kw_only=True)
class DiMPParams(TrackerParams):
    """Parameters of DiMP; the defaults are those of the paper (section 3.7) and, where it is silent, its authors'.

    Attributes:
        network: the network, or the path or name of its checkpoint.
        features: an ONNX file of the same network, if ONNX Runtime is to compute the features of the frames after the
            first; what is learned from them, and the boxes, stay in torch.
        image_sample_size: side of the crop in pixels.
        search_area_scale: side of the crop's region over the target's mean side.
        border_mode: what the crop does at the frame's border.
            The first frame's crop stays where it is.
        border_limit: how many times smaller than asked it may become for that; none: as small as it must.
        sample_memory_size: samples that the classifier learns from.
        learning_rate: weight of a new sample.
        hard_negative_learning_rate: learning rate of a frame with a distractor in it.
        init_samples_minimum_weight: weight that the first frame's samples keep together; at 0 they, too, are replaced
            when the memory is full.
        net_opt_iter: recursions of the optimizer in the first frame; 0: the filter is the initializer's.
        train_skipping: frames between two updates of the classifier; none: it is never updated.
        model_averaging_rate: if given, the filter moves by this part to the one predicted from each frame alone, and
            what was seen before is not learned from (table 3).
        net_opt_update_iter: recursions of an update.
        net_opt_hn_iter: recursions at once when a distractor is seen.
        use_augmentation: whether the first frame gives many samples, or one.
        augmentation: which ones.
        augmentation_expansion_factor: side of what they are cut out of, over the crop's.
        random_shift_factor: largest shift of an augmented sample over half the crop's side.
        window_output: whether the target's peak is sought under a Hann window, in favour of small moves.
        target_not_found_threshold: a score below which the target is not found.
        distractor_threshold: a second peak above this part of the first makes the target uncertain.
        hard_negative_threshold: a second peak above this part of the first is learned from.
        target_neighborhood_scale: side of the region around a peak that belongs to it, over the target's.
        displacement_scale: how far the target moves in a frame at most, over half the score map's side.
        update_scale_when_uncertain: whether crops follow the box's size in frames in which it is not sure which peak is
            the target.
        num_init_random_boxes: boxes that are refined besides the last one.
        box_jitter_pos: how far their centres are off, over the target's mean side.
        box_jitter_sz: how far their widths and heights are off, over the target's.
        box_refinement_iter: steps of the refinement; 0 keeps the box's size.
        box_refinement_space: what a step is a step in; ``relative`` fits box branches that learned a density, as that
            of SuperDiMP.
        box_refinement_step_length: of each step for a unit of gradient; in box sizes, or relative coordinates.
        box_refinement_step_decay: factor on it after each step.
        iounet_k: number of best boxes that are averaged.
        maximal_aspect_ratio: of a box.
        min_side: sides in pixels that the target keeps.
        precision: of the network's convolutions, ``float32``, ``bfloat16``, or ``auto``: bfloat16 where the CPU has it.
            The filter and overlaps are computed in float32.
    """

    OTHER_NAMES: ClassVar[Mapping[str, str]] = {
        **TrackerParams.OTHER_NAMES,
        "patch_max_scale_change": "it is called border_limit here",
        "dispalcement_scale": "it is called displacement_scale here",
        "update_classifier": "say train_skipping=none for no updates",
        "use_iou_net": "say box_refinement_iter=0 to keep the box's size",
        "advanced_localization": "it is always on here",
        "perform_hn_without_windowing": "it is always so here, where window_output is on",
        "feature_size_odd": "the crop's size says it: image_sample_size",
        "iounet_augmentation": "it is always off here: the target is known from the first crop alone",
        "iounet_use_log_scale": "it has no effect there, either",
        "scale_factors": "one scale is searched here: the box branch finds the size",
        "vot_anno_conversion_type": "polygons are turned into boxes by the data set",
    }

    network: str | Path | nn.Module
    features: str | Path | None = None
    image_sample_size: int = 288
    search_area_scale: float = 5.0
    border_mode: BorderMode = "fixed"
    border_limit: float | None = None
    sample_memory_size: int = 50
    learning_rate: float = 0.01
    hard_negative_learning_rate: float = 0.02
    init_samples_minimum_weight: float = 0.25
    net_opt_iter: int = 10
    train_skipping: int | None = 20
    model_averaging_rate: float | None = None
    net_opt_update_iter: int = 2
    net_opt_hn_iter: int = 1
    use_augmentation: bool = True
    augmentation: FirstFrameAugmentation = FirstFrameAugmentation()
    augmentation_expansion_factor: float = 2.0
    random_shift_factor: float = 1 / 3
    window_output: bool = False
    target_not_found_threshold: float = 0.25
    distractor_threshold: float = 0.8
    hard_negative_threshold: float = 0.5
    target_neighborhood_scale: float = 2.2
    displacement_scale: float = 0.8
    update_scale_when_uncertain: bool = True
    num_init_random_boxes: int = 9
    box_jitter_pos: float = 0.1
    box_jitter_sz: float = 0.5
    box_refinement_iter: int = 5
    box_refinement_space: Space = "default"
    box_refinement_step_length: float = 1.0
    box_refinement_step_decay: float = 1.0
    iounet_k: int = 3
    maximal_aspect_ratio: float = 6.0
    min_side: float = 10.0
    precision: str = "float32"

    def __post_init__(self) -> None:
        check_precision(self.precision)
        averaging = 1.0 if self.model_averaging_rate is None else self.model_averaging_rate
        skipping = 1 if self.train_skipping is None else self.train_skipping
        limit = 1.0 if self.border_limit is None else self.border_limit
        first = self.augmentation.samples if self.use_augmentation else 1
        rules = {
            "image_sample_size": (self.image_sample_size > 0 and self.image_sample_size % 16 == 0, "a multiple of 16"),
            "search_area_scale": (self.search_area_scale > 1, "more than 1"),
            "border_limit": (limit >= 1, "at least 1, or none"),
            "sample_memory_size": (self.sample_memory_size > first, f"more than {first}, the first frame's samples"),
            "augmentation_expansion_factor": (self.augmentation_expansion_factor >= 1, "at least 1"),
            "border_mode": (self.border_mode in get_args(BorderMode), f"one of {', '.join(get_args(BorderMode))}"),
            "box_refinement_space": (self.box_refinement_space in get_args(Space), " or ".join(get_args(Space))),
            "learning_rate": (0 < self.learning_rate < 1, "between 0 and 1"),
            "hard_negative_learning_rate": (0 < self.hard_negative_learning_rate < 1, "between 0 and 1"),
            "init_samples_minimum_weight": (0 <= self.init_samples_minimum_weight < 1, "at least 0 and below 1"),
            "train_skipping": (skipping >= 1, "at least 1, or none"),
            "model_averaging_rate": (0 < averaging <= 1, "above 0 and at most 1, or none"),
            "random_shift_factor": (0 <= self.random_shift_factor <= 1, "between 0 and 1"),
            "iounet_k": (self.iounet_k >= 1, "at least 1"),
            "maximal_aspect_ratio": (self.maximal_aspect_ratio > 1, "more than 1"),
        }
        rules |= {name: (getattr(self, name) >= 0, "at least 0") for name in NOT_NEGATIVE}
        for name, (holds, wanted) in rules.items():
            if not holds:
                raise ParameterError(f"DiMP's {name} must be {wanted}, not {getattr(self, name)!r}")
