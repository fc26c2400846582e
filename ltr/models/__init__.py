"""Networks in plain torch, on any device: backbones, layers, whole tracking networks. No data, losses or training."""
