"""Layers without a home in torch: small, pure, differentiable, on any device. Whole networks do not live here."""
