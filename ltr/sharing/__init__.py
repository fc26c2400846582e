"""Networks to give away: folders of weights, a description and a model card, written, read and downloaded.

No code of such a folder is ever run. What never lives here: how a network is built (``ltr.models``), and checkpoints of
training (``ltr.admin.checkpoint``).
"""
