"""Recipes of progressive unsupervised learning (PUL), and of its noise-robust loss on labels."""
