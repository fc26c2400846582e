"""Pictures of soft samples in TensorBoard, as training goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ltr.admin.tensorboard import TensorBoardCurves
from ltr.config.errors import SettingsError
from ltr.data.tensordict import TensorDict
from ltr.dataset.base_video_dataset import BaseVideoDataset
from ltr.engine import distributed
from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from ltr.engine.random_state import untouched_random_state
from ltr.models.mode import evaluating
from ltr.models.tracking import FeatureGrid
from ltr.registry import HOOKS
from socl_plugins.soft_contrastive.actor import SoCLActor
from socl_plugins.soft_contrastive.loss import SoftContrastiveSettings
from socl_plugins.soft_contrastive.processing import SoftContrastiveProcessing, TopMapCropSettings
from socl_plugins.soft_contrastive.show import draw_pairs, explain

if TYPE_CHECKING:
    from ltr.engine import LTRTrainer

PAIRS = 3


@HOOKS.register("sample_pictures")
class SamplePictures(Hook):
    """Draws, every so many epochs, where the soft samples of the same few pairs come from.

    Args:
        dataset: shows ``point`` and ``proposals``.
        crop: what the network sees of a frame.
        grid: where its feature cells lie in that.
        settings: of the loss.
        interval: epochs between two pictures.
    """

    def __init__(
        self,
        dataset: BaseVideoDataset,
        crop: TopMapCropSettings,
        grid: FeatureGrid,
        settings: SoftContrastiveSettings,
        interval: int = 1,
    ) -> None:
        if interval < 1:
            raise SettingsError(f"hooks.sample_pictures.interval is {interval}, but must be at least 1")
        self.dataset = dataset
        self.crop = crop
        self.grid = grid
        self.settings = settings
        self.interval = interval
        self._pairs: list[TensorDict] = []
        self._curves: TensorBoardCurves | None = None

    @classmethod
    def from_recipe(
        cls,
        dataset: BaseVideoDataset,
        processing: SoftContrastiveProcessing,
        actor: SoCLActor,
        interval: int = 1,
    ) -> SamplePictures:
        """Returns the hook of a SoCL recipe, on its first data set; ``interval`` as for the class."""
        return cls(dataset, processing.crop, processing.grid, actor.objective, interval)

    def after_epoch(self, trainer: LTRTrainer) -> None:
        """Draws the pictures with the network as it is."""
        if not distributed.is_main() or (trainer.epoch % self.interval and trainer.epoch != trainer.max_epochs):
            return
        with untouched_random_state(trainer.device):
            if self._curves is None:
                self._curves = TensorBoardCurves(trainer.settings.env.tensorboard_dir / trainer.settings.project_path)
                self._pairs = draw_pairs(self.dataset, self.crop, self.grid, PAIRS)
            with evaluating(trainer.net):
                shown = list(explain(trainer.net, self._pairs, self.grid, self.settings))  # type: ignore[arg-type]
        warning = self._curves.add_picture("soft samples", trainer.epoch, np.vstack([one.picture for one in shown]))
        if warning:
            say(warning)

    def close(self) -> None:
        """Closes the event file."""
        if self._curves is not None:
            self._curves.close()
