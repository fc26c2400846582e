"""Networks in plain torch: backbones, layers and whole tracking networks, on any device. No data, no losses, no training."""
