"""SoCL-TransT: TransT trained on pseudo boxes of sparse boxes and clicks (SoCL, section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass, fields

from ltr.admin.environment import Environment
from ltr.admin.settings import Settings, SettingsError
from ltr.dataset.defaults import training_videos
from ltr.engine import TrainingResult
from ltr.train_settings.transt import transt50, transt50_got10k
from ltr.train_settings.transt.transt50 import TransTConfig
from socl_plugins.clicks import SparseBoxAnnotated
from socl_plugins.pseudo_label import PseudoBoxAnnotated, method_settings
from socl_plugins.pseudo_label.training_boxes import training_boxes


@dataclass
class SoCLTransTConfig(TransTConfig):
    """Hyper-parameters of SoCL-TransT: TransT's, and what pseudo boxes it learns from.

    Attributes:
        period: T, the frames from one box that a person draws to the next.
        noise_px: shift of the clicks in pixels.
        method: how pseudo boxes are made, see ``python -m socl_plugins.pseudo_label --help``.
    """

    period: int = 10
    noise_px: float = 0.0
    method: str = "fused"

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.period < 1:
            raise SettingsError(f"period is {self.period}; there is a box on every so many frames, from 1 on")
        method_settings(self.method)


def default_config(env: Environment) -> SoCLTransTConfig:
    """Returns the configuration of ``transt transt50_got10k``, with the paper's T = 10.

    Without GOT-10k the boxes of the embedded videos are interpolated between the sparse ones: no tracker has to run.
    """
    base = transt50_got10k.default_config(env)
    method = "fused" if env.got10k_dir is not None else "interpolation"
    return SoCLTransTConfig(**{field.name: getattr(base, field.name) for field in fields(base)}, method=method)


def run(settings: Settings) -> TrainingResult:
    """Trains TransT on the store of pseudo boxes; what it lacks of the embedded videos is made first."""
    config = settings.configure(default_config(settings.env))
    return transt50.train(settings, config, [pseudo_boxes(settings.env, config)])


def pseudo_boxes(env: Environment, config: SoCLTransTConfig) -> PseudoBoxAnnotated:
    """Returns the training videos with the pseudo boxes of their store.

    Raises:
        StoreError: the store is not there or not complete; the message says which command makes it.
    """
    return training_boxes(env, sparse_boxes(env, config), config.method)


def sparse_boxes(env: Environment, config: SoCLTransTConfig) -> SparseBoxAnnotated:
    """Returns the training videos with what people give: sparse boxes and clicks."""
    return SparseBoxAnnotated(training_videos(env, config.videos), config.period, config.noise_px)
