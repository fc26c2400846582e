"""Recipes of DiMP (Bhat et al., ICCV 2019). A variant is its difference from ``dimp18``,
and ``super_dimp`` from ``dimp50``.

The paper's table 1 is ``dimp18_init``, ``dimp18_gd`` and ``dimp18``. Table 2 is ``dimp18`` with ``--set``, from its
first column to its last, which is ``dimp18`` itself:

- SD: ``network.initializer=false``, ``network.clf_feat_blocks=none``, ``network.online_loss=hinge`` and
  ``network.frozen_backbone_layers=conv1,bn1,layer1,layer2,layer3``;
- +Init: without ``network.initializer=false``;
- +FT: also without ``network.frozen_backbone_layers``;
- +Cls: also without ``network.clf_feat_blocks=none``.

Table 3 is a matter of tracking: the parameter sets ``dimp/dimp18_no_update`` and ``dimp/dimp18_averaging``.
"""
