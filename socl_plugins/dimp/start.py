"""Where the backbone of SoCL-DiMP starts: from the weights that SoCL has learned."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

from ltr.admin.checkpoint import CheckpointError, best_checkpoint, load_network
from ltr.admin.environment import program
from ltr.config.errors import SettingsError
from ltr.engine.hooks import Hook
from ltr.engine.progress import say
from ltr.models.tracking import DiMPNet, SiamFCNet
from ltr.registry import HOOKS

if TYPE_CHECKING:
    from ltr.engine import LTRTrainer

SOCL_RECIPE = "socl/socl_res18"


@HOOKS.register("start_backbone")
class StartBackbone(Hook):
    """Gives a network's backbone, before training, the layers of one that was learned with SoCL.

    A run that goes on has its weights: what SoCL has learned since is not taken.

    Args:
        net: the network that learns.
        backbone: a recipe such as ``socl/socl_response`` or a checkpoint's path, whose layers the backbone starts with;
            the others start as ``network.pretrained`` says. ``auto``: that of ``socl/socl_res18``, if it was trained in
            this workspace; none: no network.
    """

    def __init__(self, net: DiMPNet, backbone: str | None = "auto") -> None:
        self.net = net
        self.backbone = backbone

    def before_training(self, trainer: LTRTrainer) -> None:
        """Sets the weights, unless the run goes on."""
        if trainer.epoch == 0:
            backbone = learned_backbone() if self.backbone == "auto" else self.backbone
            if backbone is not None:
                start_from(self.net, backbone)


def learned_backbone() -> str | None:
    """Returns the newest best checkpoint of ``socl socl_res18``, or none if there is none, and says which it is."""
    try:
        path = str(best_checkpoint(SOCL_RECIPE))
    except CheckpointError:
        module, name = SOCL_RECIPE.split("/")
        train = f"python {program('ltr/run_training.py')} {module} {name}"
        say(f"backbone: as network.pretrained says, since SoCL has learned none here, which `{train}` would change")
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
        raise SettingsError(
            f"hooks.start_backbone.backbone={name}: its layers are not those of this network; none: start without it"
        )
    net.feature_extractor.load_state_dict(learned, strict=False)
