from .annotated import ObjectnessAnnotated
from .map import render
from .proposals import Proposals
from .propose import ProposalSettings, propose_target

__all__ = [
    "ObjectnessAnnotated",
    "ProposalSettings",
    "Proposals",
    "propose_target",
    "render",
]
