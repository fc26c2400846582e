"""One learning step each: an actor takes a batch through the network and the objective and returns loss and numbers.

An actor never loads data, never steps an optimizer and never reads settings: it is told what it needs by arguments.
"""

from ltr.actors.dimp import DiMPActor
from ltr.actors.siamfc import SiamFCActor
from ltr.actors.transt import TransTActor

__all__ = ["DiMPActor", "SiamFCActor", "TransTActor"]
