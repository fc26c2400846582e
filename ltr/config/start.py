"""Fine-tuning: weights of another network, as far as they fit, in place of those that a network begins with."""

from __future__ import annotations

from collections.abc import Iterable

from torch import nn

from ltr.admin.checkpoint import load_network
from ltr.config.errors import SettingsError

SHOWN = 6  # groups of weights that a line names


def begin_with(net: nn.Module, start: str) -> str:
    """Gives a network the weights of a checkpoint whose names and shapes are its own, and returns what was taken.

    Args:
        net: changed in place.
        start: a recipe, a file of this project or one that pytracking published, or its name in ``network_dir``.

    Raises:
        CheckpointError: there is no such checkpoint, or it cannot be read.
        SettingsError: nothing of it fits.
    """
    source = load_network(start)
    own, given = net.state_dict(), source.state_dict()
    fitting = {name: value for name, value in given.items() if name in own and own[name].shape == value.shape}
    learned = [name for name, _ in net.named_parameters()]
    taken = [name for name in learned if name in fitting]
    if not taken:
        raise SettingsError(
            f"start={start}: none of its weights fits. It is a {type(source).__name__}, and the recipe trains a "
            f"{type(net).__name__} with other names or sizes; a recipe of its family can start from it"
        )
    net.load_state_dict({**own, **fitting})
    said = f"start: {len(taken)} of {len(learned)} weights are those of {start}"
    new = _groups(name for name in learned if name not in fitting)
    unused = _groups(name for name in given if name not in fitting and not name.endswith("num_batches_tracked"))
    return said + (f"; as initialised: {new}" if new else "") + (f"; not used of it: {unused}" if unused else "")


def _groups(names: Iterable[str]) -> str:
    """Returns the modules that weights belong to, each once."""
    groups = list(dict.fromkeys(".".join(name.split(".")[:2]) if "." in name else name for name in names))
    more = len(groups) - SHOWN
    return ", ".join(groups[:SHOWN]) + (f" and {more} more" if more > 0 else "")
