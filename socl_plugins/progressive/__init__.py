"""Progressive unsupervised learning (PUL): hard mini-batches, mined pairs of patches, and a loss for uncertain labels.

Wu, Wan and Chan, Progressive Unsupervised Learning for Visual Object Tracking, CVPR 2021. Equation numbers are those of
the supplement. The loss serves recipes with clicks, too; no recipe lives here.
"""
