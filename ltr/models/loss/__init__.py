"""Losses and what they are held against: pure functions of tensors. No network and no data lives here."""
