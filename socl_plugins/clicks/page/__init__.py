"""The page on which people click: a small server on this machine, and one web page without anything from outside.

``session`` is what the page can ask for, ``server`` says it over HTTP and refuses whoever has no business here,
``proposals`` tracks ahead of the person, ``asking`` says which frames matter, ``feedback`` draws what a click becomes.
"""
