"""Named parameter sets of the trackers: ``<tracker>/<name>.py`` with one function ``parameters() -> TrackerParams``.

What lives here: values. What never does: tracking code, and the network weights that the values name.
"""
