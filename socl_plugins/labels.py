"""Clicks and their cost under the name that scripts and plugins import them by; they live in socl_plugins.clicks."""

if __name__ == "__main__":
    from socl_plugins.clicks.__main__ import main

    raise SystemExit(main())

from socl_plugins.clicks import *  # noqa: E402, F403 # not for the command, which starts at once
