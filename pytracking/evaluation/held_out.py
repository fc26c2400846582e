"""The held-out tracking score: how well a network tracks videos that it does not learn from.

Training calls it between epochs and keeps the checkpoint that tracks best, since the loss may fall while tracking
gets worse.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from ltr.engine.random_state import untouched_random_state
from ltr.registry import HELD_OUT_SCORES
from pytracking.analysis.scoring import score_sequence
from pytracking.evaluation.sequence import SequenceError, SequenceList, from_video_dataset
from pytracking.evaluation.tracker import track_sequence
from pytracking.metrics import OPE
from pytracking.registry import PARAMETERS, TRACKERS

if TYPE_CHECKING:
    from pytracking.parameter.params import TrackerParams


@dataclass
class TrackingScore:
    """A function from a network to the AUC of a tracker with it on each video; see :func:`tracking_auc`.

    ``title`` is what logs call the number.
    """

    sequences: SequenceList
    params: TrackerParams
    tracker: str = "siamfc"
    title: str = "AUC"

    def __call__(self, net: nn.Module) -> dict[str, float]:
        """Returns the AUC of each sequence by its name, 0 to 1."""
        return {name: float(result.auc) for name, result in self.per_sequence(net).items()}

    def per_sequence(self, net: nn.Module) -> dict[str, OPE]:
        """Returns the curves of each sequence by its name."""
        boxes = self.boxes(net)
        return {sequence.name: score_sequence(boxes[sequence.name], sequence) for sequence in self.sequences}

    def boxes(self, net: nn.Module) -> dict[str, np.ndarray]:
        """Returns the tracked boxes (T, 4) of each sequence by its name.

        The network is put into evaluation mode while it tracks and back afterwards, and no random state moves.
        """
        device = _device(net)
        modes = {module: module.training for module in net.modules()}
        try:
            with untouched_random_state(device):
                changes: dict[str, Any] = {"network": net, "device": str(device)}
                tracker = TRACKERS[self.tracker](replace(self.params, **changes))
                return {sequence.name: track_sequence(tracker, sequence).boxes for sequence in self.sequences}
        finally:
            for module, training in modes.items():
                module.training = training


@HELD_OUT_SCORES.register("tracking_auc")
def tracking_auc(
    sequences: Any,
    max_frames: int | None = None,
    params: TrackerParams | None = None,
    parameter_set: str | None = None,
) -> TrackingScore:
    """Returns the score ``network -> AUC of each video`` (protocol pysot) of a tracker over held-out sequences.

    Args:
        sequences: a list of :class:`Sequence`, or a training data set with boxes, whose sequences are tracked from the
            first frame that shows the target.
        max_frames: frames of each sequence that are tracked at most.
        params: SiamFC's parameters; network and device are those of the network that is scored.
        parameter_set: a registered one, such as ``transt/transt50``: the score is then of that tracker; network and
            device are those of the network that is scored.

    Raises:
        SequenceError: there is no sequence, or the data set has no boxes.
    """
    from pytracking.tracker.siamfc import SiamFCParams

    if hasattr(sequences, "get_sequence_info"):
        chosen = from_video_dataset(sequences, max_frames=max_frames)
    else:
        chosen = SequenceList(sequence.shortened(max_frames) for sequence in sequences)
    if not chosen:
        raise SequenceError("the held-out score has no sequence to track")
    if parameter_set is not None:
        return TrackingScore(chosen, PARAMETERS[parameter_set](), parameter_set.partition("/")[0])
    return TrackingScore(chosen, params or SiamFCParams(network=""))


def _device(net: nn.Module) -> torch.device:
    parameter = next(net.parameters(), None)
    return torch.device("cpu") if parameter is None else parameter.device
