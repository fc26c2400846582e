"""How long the rows of studies are trained: what a cell of a table takes some minutes for on two cores."""

from __future__ import annotations

NO_HELD_OUT_SELECTION = {"score": "none", "runtime.num_workers": "0"}
"""No held-out video chooses among epochs: the averaged weights after the last one are what is tested."""

SHORT = {
    **NO_HELD_OUT_SELECTION,
    "schedule.epochs": "20",
    "schedule.samples_per_video": "none",
    "schedule.samples_per_epoch": "720",
    "schedule.batch_size": "12",
    "schedule.decay": "cosine",
    "optimizer.learning_rate": "1e-3",
}
"""1,200 steps of 12 pairs from random weights, with a cosine: some minutes on two cores."""

FROM_IMAGENET = {
    **SHORT,
    "network.pretrained": "imagenet",
    "schedule.epochs": "4",
    "optimizer.learning_rate": "3e-5",
}
"""240 steps from where the papers start; docs/lab_notes/studies.md says how learning rates were chosen."""

SHORT_DIMP = {
    **NO_HELD_OUT_SELECTION,
    "network.pretrained": "imagenet",
    "network.frozen_backbone_layers": "conv1,bn1,layer1,layer2,layer3",
    "sampler.num_train_frames": "2",
    "sampler.num_test_frames": "2",
    "schedule.epochs": "10",
    "schedule.samples_per_video": "none",
    "schedule.samples_per_epoch": "600",
    "schedule.batch_size": "4",
    "schedule.decay": "epochs",
    "schedule.decay_epochs": "7",
    "optimizer.rates.classifier.filter_initializer": "2.5e-4",
    "optimizer.rates.classifier.filter_optimizer": "2.5e-3",
    "optimizer.rates.classifier.feature_extractor": "2.5e-4",
    "optimizer.rates.bb_regressor": "1e-3",
}
"""1,500 steps of 4 segments of 2 + 2 frames. The backbone does not learn, as in ATOM, which halves the time of a step;
what does begins with random weights."""

LEARNS = {"network.frozen_backbone_layers": "none", "optimizer.rates.feature_extractor": "2e-5"}
"""DiMP's backbone learns, too; for so few steps from ImageNet's weights, at a tenth of the release's rate."""

SHORT_TRANST = {
    **NO_HELD_OUT_SELECTION,
    "network": "transt18",
    "network.pretrained": "imagenet",
    "network.hidden": "512",
    "network.fusion_layers": "2",
    "network.dropout": "0",
    "schedule.epochs": "5",
    "schedule.samples_per_video": "none",
    "schedule.samples_per_epoch": "1280",
    "schedule.batch_size": "16",
    "schedule.decay": "epochs",
    "schedule.decay_epochs": "4",
    "optimizer.learning_rate": "5e-4",
    "optimizer.rates.backbone": "5e-5",
}
"""400 steps of 16 pairs, with a small network: what a CPU core does in ten minutes."""
