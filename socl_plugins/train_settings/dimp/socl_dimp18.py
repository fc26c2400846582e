"""SoCL-DiMP: DiMP on a ResNet-18 that never sees a dense box.

The classifier learns from clicks and TOP maps; the box branch from pseudo boxes, which come of sparse boxes and clicks
(SoCL, section 3.3), or from the sparse boxes alone.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from typing import Literal

from torch import Tensor

from ltr.admin.checkpoint import CheckpointError, best_checkpoint, epoch_checkpoints, load_network
from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.dataset.defaults import training_videos
from ltr.engine import TrainingResult
from ltr.engine.progress import say
from ltr.models.tracking import DiMPNet, SiamFCNet
from ltr.train_settings.dimp import dimp18
from ltr.train_settings.dimp.dimp18 import DiMPConfig
from socl_plugins.clicks import LabelCounts, SparseBoxAnnotated, dataset_labels
from socl_plugins.clicks.cost_hook import RecordLabelCost
from socl_plugins.dimp import (
    ClicksAndBoxes,
    NoiseRobustDiMPActor,
    SoftLabelSettings,
    WeakDiMPActor,
    WeakDiMPProcessing,
)
from socl_plugins.progressive.noise_robust import Expansion, LabelNoise
from socl_plugins.pseudo_label import method_settings
from socl_plugins.pseudo_label.training_boxes import training_boxes
from socl_plugins.top_map.propose import ProposalSettings
from socl_plugins.top_map.training_clicks import DEFAULT_STORE, with_proposals

SOCL_RECIPE = "socl/socl_res18"


@dataclass
class SoCLDiMPConfig(DiMPConfig):
    """Hyper-parameters of SoCL-DiMP: DiMP's, and what labels it learns from.

    Attributes:
        backbone: a network learned with SoCL, a recipe such as ``socl/socl_response`` or a checkpoint's path, whose
            layers the backbone starts with; the others start as ``pretrained`` says. ``auto``: that of
            ``socl/socl_res18``, if it was trained in this workspace; none: no network.
        period: T, the frames from one box that a person draws to the next.
        noise_px: shift of the clicks in pixels.
        boxes: what the box branch learns from: ``pseudo`` boxes of all frames, or the ``sparse`` ones alone. With
            ``soft.extent=box`` the classifier's crops are as large, too.
        method: how pseudo boxes are made, see ``python -m socl_plugins.pseudo_label --help``.
        store: folder of stored proposals, see :class:`socl_plugins.top_map.training_clicks.ClickOptions`.
        prepare_frames: likewise.
        click_proposals: what TOP maps are made of.
        soft: what the classifier is to answer.
        noise_robust: how far off clicks are believed to be along x and along y, in pixels of the frame, by the
            noise-robust loss: as much as ``noise_px`` is a fair start, since the train frames' clicks are off, too.
            0: DiMP's loss.
        noise_expansion: see :mod:`socl_plugins.dimp.noise_robust`.
        noise_scale: likewise.
    """

    backbone: str | None = "auto"
    period: int = 10
    noise_px: float = 0.0
    boxes: Literal["pseudo", "sparse"] = "pseudo"
    method: str = "fused"
    store: str = DEFAULT_STORE
    prepare_frames: int = 20_000
    click_proposals: ProposalSettings = field(default_factory=ProposalSettings)
    soft: SoftLabelSettings = field(default_factory=SoftLabelSettings)
    noise_robust: float = 0.0
    noise_expansion: Expansion = "exact"
    noise_scale: float = 1000.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.period < 1:
            raise SettingsError(f"period is {self.period}; there is a box on every so many frames, from 1 on")
        if self.other_sets:
            raise SettingsError("other_sets have boxes, which are not seen here: leave it empty")
        method_settings(self.method)
        self.label_noise()

    def label_noise(self) -> LabelNoise:
        """Returns what is believed of the clicks' error.

        Raises:
            ValueError: a value that is not possible.
        """
        return LabelNoise(frame_px=self.noise_robust, expansion=self.noise_expansion, scale=self.noise_scale)

    def build_actor(self, net: DiMPNet) -> WeakDiMPActor:
        """Returns the learning step of the network."""
        if self.noise_robust == 0:
            return WeakDiMPActor(net, self.loss)
        return NoiseRobustDiMPActor(net, self.label_noise(), self.loss)


def default_config(env: Environment) -> SoCLDiMPConfig:
    """Returns the configuration of ``dimp dimp18``, on GOT-10k alone, with SoCL's T = 10.

    Without GOT-10k the boxes of the embedded videos are interpolated between the sparse ones: no tracker has to run.
    """
    base = replace(dimp18.default_config(env, other_sets=()), tracker_parameters="dimp/socl_dimp18")
    method = "fused" if env.got10k_dir is not None else "interpolation"
    return SoCLDiMPConfig(**{one.name: getattr(base, one.name) for one in fields(base)}, method=method)


def run(settings: Settings) -> TrainingResult:
    """Trains DiMP-18 from clicks, TOP maps and the boxes of every T-th frame."""
    config = settings.configure(default_config(settings.env))
    net = dimp18.build_net(config)
    backbone = config.backbone
    if backbone == "auto":
        # A run that goes on has its weights: what SoCL has learned since is neither taken nor able to stop it.
        goes_on = settings.resume and epoch_checkpoints(settings.checkpoint_dir)
        backbone = None if goes_on else learned_backbone()
    if backbone is not None:
        start_from(net, backbone)
    dataset, labels = weak_labels(settings.env, config)
    processing = WeakDiMPProcessing(config.soft, *dimp18.processing_arguments(config))
    loader = dimp18.training_loader([dataset], config, settings.seed, processing)
    return dimp18.train(settings, config, config.build_actor(net), loader, [RecordLabelCost(labels)])


def weak_labels(env: Environment, config: SoCLDiMPConfig) -> tuple[ClicksAndBoxes, LabelCounts]:
    """Returns the training videos with clicks, proposals and the box branch's boxes, and how many labels these are.

    Raises:
        StoreError: the store of pseudo boxes is not there or not complete.
    """
    sparse = SparseBoxAnnotated(training_videos(env, config.videos), config.period, config.noise_px)
    labels = dataset_labels(sparse)
    boxes: BaseVideoDataset = sparse
    if config.boxes == "pseudo":  # first: a store that is missing is noticed at once, and proposals take minutes
        boxes = training_boxes(env, sparse, config.method)
    else:
        labels = replace(labels, tracked_frames=0)
    clicks = with_proposals(
        sparse.clicks, env, config.click_proposals, config.noise_px, config.store, config.prepare_frames
    )
    return ClicksAndBoxes(clicks, boxes), labels


def learned_backbone() -> str | None:
    """Returns the newest best checkpoint of ``socl socl_res18``, or none if there is none, and says which it is."""
    try:
        path = str(best_checkpoint(SOCL_RECIPE))
    except CheckpointError:
        module, name = SOCL_RECIPE.split("/")
        train = f"python ltr/run_training.py {module} {name}"
        say(f"backbone: as `pretrained` says, since SoCL has learned none here, which `{train}` would change")
        return None
    say(f"backbone: {path}")
    return path


def start_from(net: DiMPNet, name: str) -> None:
    """Gives a network's backbone the weights of one that SoCL learned, as far as that one goes.

    Args:
        net: to change.
        name: of the other, see :func:`ltr.admin.checkpoint.load_network`.

    Raises:
        CheckpointError: there is no such network.
        SettingsError: its backbone is another one.
    """
    other = load_network(name)
    learned: dict[str, Tensor] = {}
    if isinstance(other, SiamFCNet):
        learned = other.get_submodule("backbone").state_dict()
    own = net.feature_extractor.state_dict()
    if not learned or any(key not in own or own[key].shape != value.shape for key, value in learned.items()):
        raise SettingsError(f"backbone={name}: its layers are not those of this network; none: start without it")
    net.feature_extractor.load_state_dict(learned, strict=False)
