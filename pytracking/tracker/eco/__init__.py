"""ECO, a tracker by correlation filters: from feature maps to boxes.

Every file has one job; none knows where the features come from but ``features`` (from
a network) and ``hog`` (from the pixels). What never lives here: backbones
(``ltr.models``) and named parameter sets (``pytracking.parameter.eco``).
"""
