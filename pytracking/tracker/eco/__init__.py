"""ECO, a tracker by correlation filters: from feature maps to boxes.

Every file has one job; none knows where the features come from but ``features``. What never lives here: backbones
(``ltr.models``) and named parameter sets (``pytracking.parameter.eco``).
"""
