"""The entry point: importing this module registers what the package adds, and imports none of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ltr.registry import ACTORS, HELD_OUT_SCORES, HOOKS, LABELS, PROCESSINGS, RUN_HOOKS, SAMPLERS, TRAIN_SETTINGS
from pytracking.registry import CLICK_TO_BOX, EXPERIMENTS, PARAMETERS, REPORT_COLUMNS

if TYPE_CHECKING:
    import numpy as np

# Recipes whose networks SiamFC tracks with under the same name.
SIAMESE_RECIPES = {
    "socl": (
        *("gst", "gst_sns", "gst_sns_mix", "full"),  # the rows of SoCL's Table 1
        *("socl_res18", "socl_response", "socl_siamfc", "socl_cf_res18", "box_siam_budget", "bce_siam_res18"),
        *("bce_siam_imagenet", "bce_siam_alexnet", "as_printed"),
    ),
    "pul": ("alex_pul", "res_pul", "noisy_box_res18", "noisy_box_alexnet"),
}

TRANST_RECIPES = ("socl_transt", "box_same_hours")  # of TransT, in the same way


@CLICK_TO_BOX.register("top_map")
def click_box(image: np.ndarray, click: tuple[float, float]) -> np.ndarray:
    """Returns the box (4,) x, y, w, h of the click's TOP map."""
    from socl_plugins.top_map import propose_target
    from socl_plugins.top_map.box import top_map_box

    return top_map_box(propose_target(image, click))


CLICK_TO_BOX.refer("learned", "socl_plugins.click_box.estimate:learned_box")
CLICK_TO_BOX.refer("default", "socl_plugins.click_box.estimate:default_box")
ACTORS.refer("socl", "socl_plugins.soft_contrastive.actor:SoCLActor")
ACTORS.refer("noise_robust", "socl_plugins.progressive.actor:NoiseRobustActor")
ACTORS.refer("progressive", "socl_plugins.progressive.actor:ProgressiveActor")
ACTORS.refer("weak_dimp", "socl_plugins.dimp.actor:WeakDiMPActor")
ACTORS.refer("noise_robust_dimp", "socl_plugins.dimp.actor:NoiseRobustDiMPActor")
PROCESSINGS.refer("soft_contrastive", "socl_plugins.soft_contrastive.processing:SoftContrastiveProcessing")
PROCESSINGS.refer("progressive", "socl_plugins.progressive.processing:ProgressiveProcessing")
PROCESSINGS.refer("weak_dimp", "socl_plugins.dimp.processing:WeakDiMPProcessing")
SAMPLERS.refer("anchor", "socl_plugins.progressive.sampler:AnchorSampler")
HELD_OUT_SCORES.refer("click_precision", "socl_plugins.clicks.click_precision:click_precision")
LABELS.refer("clicks", "socl_plugins.top_map.training_clicks:training_clicks")
LABELS.refer("boxes_within_budget", "socl_plugins.clicks.budget:boxes_within_budget")
LABELS.refer("noisy_boxes", "socl_plugins.clicks.noisy_boxes:noisy_boxes")
LABELS.refer("top_map_boxes", "socl_plugins.pseudo_label.training_boxes:top_map_boxes")
LABELS.refer("pseudo_boxes", "socl_plugins.pseudo_label.training_boxes:pseudo_boxes")
LABELS.refer("boxes_for_same_hours", "socl_plugins.pseudo_label.training_boxes:boxes_for_same_hours")
LABELS.refer("clicks_and_boxes", "socl_plugins.dimp.annotated:clicks_and_boxes")
LABELS.refer("none", "socl_plugins.progressive.patches:Unlabelled")
HOOKS.refer("sample_pictures", "socl_plugins.soft_contrastive.pictures_hook:SamplePictures")
HOOKS.refer("mine_pairs", "socl_plugins.progressive.hooks:MinePairs")
HOOKS.refer("refresh_neighbours", "socl_plugins.progressive.hooks:RefreshNeighbours")
HOOKS.refer("start_backbone", "socl_plugins.dimp.start:StartBackbone")
RUN_HOOKS.refer("label_cost", "socl_plugins.clicks.cost_hook:RecordLabelCost")
REPORT_COLUMNS.refer("label_cost", "socl_plugins.clicks.label_cost:label_cost_columns")
TRAIN_SETTINGS.search("socl_plugins.train_settings", "RECIPE", "run")
EXPERIMENTS.search("socl_plugins.experiments")
for module, names in SIAMESE_RECIPES.items():
    for name in names:
        text = f"SiamFC with the newest best network of `ltr/run_training.py {module} {name}`."
        PARAMETERS.refer(f"siamfc/{name}", "pytracking.tracker.siamfc:SiamFCParams", text, network=f"{module}/{name}")
for name in TRANST_RECIPES:
    text = f"TransT with the newest best network of `ltr/run_training.py transt {name}`."
    PARAMETERS.refer(f"transt/{name}", "pytracking.tracker.transt:TransTParams", text, network=f"transt/{name}")
PARAMETERS.refer(
    "eco/socl_cf",
    "pytracking.tracker.eco.params:ECOParams",
    "SoCL-CF: ECO on histograms and the newest best network of `ltr/run_training.py socl socl_cf_res18`.",
    network="socl/socl_cf_res18",
    hand_crafted=("fhog",),
)
PARAMETERS.refer(
    "eco/socl_cf_network_only",
    "pytracking.tracker.eco.params:ECOParams",
    "SoCL-CF on the network alone: `eco/socl_cf` without histograms, which is faster.",
    network="socl/socl_cf_res18",
    hand_crafted=(),
    side_rule="nearest",
)
PARAMETERS.refer(
    "dimp/socl_dimp18",
    "pytracking.tracker.dimp.params:DiMPParams",
    "The parameters of dimp18 with the newest best network of `ltr/run_training.py dimp socl_dimp18`.",
    network="dimp/socl_dimp18",
)
