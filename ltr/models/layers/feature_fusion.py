"""Attention between the features of a template and those of a search region (Chen et al., TransT, CVPR 2021).

All attention is torch's own and asks for no weights back, so it runs as one fused kernel where the device has one.
Tokens are (N, cells, C); positions are added to queries and keys, and never to values. The names of layers are those
of the published weights: in a pair, 1 is the template's branch and 2 the search region's.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.MultiheadAttention):
    """Multi-head attention with torch's weights; its result is the attended values alone."""

    def __init__(self, channels: int, heads: int, dropout: float) -> None:
        super().__init__(channels, heads, dropout=dropout, batch_first=True)

    def forward(self, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor) -> torch.Tensor:  # type: ignore[override]
        """Returns (N, queries, C) for queries (N, queries, C), keys and values (N, keys, C)."""
        return super().forward(query, key, value, need_weights=False)[0]


class FeatureFusionLayer(nn.Module):
    """Self-attention in each branch, then cross-attention both ways, then a feed-forward network in each branch.

    Norms come after the sums.
    """

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.self_attn1 = Attention(channels, heads, dropout)
        self.self_attn2 = Attention(channels, heads, dropout)
        self.multihead_attn1 = Attention(channels, heads, dropout)
        self.multihead_attn2 = Attention(channels, heads, dropout)
        self.linear11, self.linear12 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.linear21, self.linear22 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.norm11, self.norm12, self.norm13 = (nn.LayerNorm(channels) for _ in range(3))
        self.norm21, self.norm22, self.norm23 = (nn.LayerNorm(channels) for _ in range(3))
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, template: torch.Tensor, search: torch.Tensor, template_pos: torch.Tensor, search_pos: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns both branches' tokens, changed by each other."""
        placed = template + template_pos
        template = self.norm11(template + self.dropout(self.self_attn1(placed, placed, template)))
        placed = search + search_pos
        search = self.norm21(search + self.dropout(self.self_attn2(placed, placed, search)))
        template_placed, search_placed = template + template_pos, search + search_pos
        from_search = self.multihead_attn1(template_placed, search_placed, search)
        from_template = self.multihead_attn2(search_placed, template_placed, template)
        template = self.norm12(template + self.dropout(from_search))
        search = self.norm22(search + self.dropout(from_template))
        inner = self.linear12(self.dropout(F.relu(self.linear11(template))))
        template = self.norm13(template + self.dropout(inner))
        inner = self.linear22(self.dropout(F.relu(self.linear21(search))))
        return template, self.norm23(search + self.dropout(inner))


class CrossAttentionLayer(nn.Module):
    """Cross-attention from the search region to the template, then a feed-forward network."""

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.multihead_attn = Attention(channels, heads, dropout)
        self.linear1, self.linear2 = nn.Linear(channels, hidden), nn.Linear(hidden, channels)
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.dropout = nn.Dropout(dropout)

    def forward(
        self, template: torch.Tensor, search: torch.Tensor, template_pos: torch.Tensor, search_pos: torch.Tensor
    ) -> torch.Tensor:
        """Returns the search region's tokens."""
        found = self.multihead_attn(search + search_pos, template + template_pos, template)
        search = self.norm1(search + self.dropout(found))
        inner = self.linear2(self.dropout(F.relu(self.linear1(search))))
        return self.norm2(search + self.dropout(inner))


class FeatureFusionEncoder(nn.Module):
    """Fusion layers, one after the other."""

    def __init__(self, layers: int, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList(FeatureFusionLayer(channels, heads, hidden, dropout) for _ in range(layers))

    def forward(
        self, template: torch.Tensor, search: torch.Tensor, template_pos: torch.Tensor, search_pos: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Returns both branches' tokens."""
        for layer in self.layers:
            template, search = layer(template, search, template_pos, search_pos)
        return template, search


class FeatureFusionDecoder(nn.Module):
    """One more layer, of cross-attention only, and a last norm."""

    def __init__(self, channels: int, heads: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.layers = nn.ModuleList([CrossAttentionLayer(channels, heads, hidden, dropout)])
        self.norm = nn.LayerNorm(channels)

    def forward(
        self, template: torch.Tensor, search: torch.Tensor, template_pos: torch.Tensor, search_pos: torch.Tensor
    ) -> torch.Tensor:
        """Returns the search region's tokens."""
        for layer in self.layers:
            search = layer(template, search, template_pos, search_pos)
        return self.norm(search)


class FeatureFusionNetwork(nn.Module):
    """What a search region's cells know of a template: fusion layers, then one of cross-attention only.

    Args:
        channels: of the tokens.
        heads: of each attention.
        hidden: width of the feed-forward networks.
        layers: fusion layers.
        dropout: in training, of attention weights and of what is added to tokens.
    """

    def __init__(
        self, channels: int = 256, heads: int = 8, hidden: int = 2048, layers: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.encoder = FeatureFusionEncoder(layers, channels, heads, hidden, dropout)
        self.decoder = FeatureFusionDecoder(channels, heads, hidden, dropout)
        for parameter in self.parameters():
            if parameter.dim() > 1:
                nn.init.xavier_uniform_(parameter)

    def forward(
        self, template: torch.Tensor, search: torch.Tensor, template_pos: torch.Tensor, search_pos: torch.Tensor
    ) -> torch.Tensor:
        """Returns the search region's tokens (N, cells, C).

        Args:
            template: (N, template cells, C).
            search: (N, cells, C).
            template_pos: (1, template cells, C), position encoding of the template's cells.
            search_pos: (1, cells, C), position encoding of the search region's cells.
        """
        template, search = self.encoder(template, search, template_pos, search_pos)
        return self.decoder(template, search, template_pos, search_pos)
