"""What SoCL-TransT is compared with: boxes on all frames of fewer videos, for the same hours (SoCL, Table 7)."""

from __future__ import annotations

from ltr.admin.settings import Settings
from ltr.dataset.defaults import training_videos
from ltr.engine import TrainingResult
from ltr.train_settings.transt import transt50
from socl_plugins.clicks import WithinBudget, annotation_cost, dataset_labels
from socl_plugins.train_settings.transt import socl_transt


def run(settings: Settings) -> TrainingResult:
    """Trains TransT on whole videos with boxes, drawn at random, for the hours that ``transt socl_transt`` costs."""
    config = settings.configure(socl_transt.default_config(settings.env))
    hours = annotation_cost(dataset_labels(socl_transt.sparse_boxes(settings.env, config))).hours
    dataset = WithinBudget(training_videos(settings.env, config.videos), hours, settings.seed)
    return transt50.train(settings, config, [dataset])
