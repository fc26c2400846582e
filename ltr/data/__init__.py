"""From a frame on disk to a batch in memory: decoding, crops, transforms, samplers, the loader and ``TensorDict``.

Everything here knows frames, points and boxes, and takes its randomness as an explicit ``rng``. Where videos lie and
how their files are written belongs to ``ltr.dataset``; what a network makes of a batch belongs to ``ltr.actors``.
"""
