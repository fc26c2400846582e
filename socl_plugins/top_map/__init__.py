"""The target objectness prior (TOP map, SoCL section 3.1): from a frame and a click to where the target may be.

What is kept of a map is what it is made of, the proposals; it is rendered from them at any crop. What is learned from
it lives in ``soft_contrastive``.
"""

from socl_plugins.top_map.annotated import ObjectnessAnnotated
from socl_plugins.top_map.proposals import Proposals
from socl_plugins.top_map.propose import ProposalSettings, propose_target
from socl_plugins.top_map.render import render, score_map

__all__ = ["ObjectnessAnnotated", "ProposalSettings", "Proposals", "propose_target", "render", "score_map"]
