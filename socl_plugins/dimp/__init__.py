"""DiMP from weak labels: its classifier learns from clicks and TOP maps, its box branch from pseudo or sparse boxes.

What differs from ``ltr``'s DiMP lives here: what is known of a frame, the crops and labels, the learning step. Clicks,
TOP maps and pseudo boxes themselves do not.
"""

from socl_plugins.dimp.actor import NoiseRobustDiMPActor, WeakDiMPActor
from socl_plugins.dimp.annotated import ClicksAndBoxes
from socl_plugins.dimp.processing import SoftLabelSettings, WeakDiMPProcessing

__all__ = ["ClicksAndBoxes", "NoiseRobustDiMPActor", "SoftLabelSettings", "WeakDiMPActor", "WeakDiMPProcessing"]
