"""Online tracking and evaluation: from a checkpoint to boxes, numbers and pictures.

What lives here: trackers, their named parameter sets, benchmark sequences, the running of trackers over them, the
metrics and tables made of the results, and the command lines for all of that. What never does: anything that learns
offline (that is ``ltr``), and anything that only one plugin needs.
"""
