"""Losses: pure functions of predictions and targets. What calls them in a learning step is an actor."""
