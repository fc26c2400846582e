"""Recipes of DiMP (Bhat et al., ICCV 2019). A variant is its difference from ``dimp18``."""
