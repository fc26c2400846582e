"""Clicks and their cost under the name that scripts and plugins import them by; they live in socl_plugins.clicks."""

from socl_plugins.clicks import *  # noqa: F403

if __name__ == "__main__":
    from socl_plugins.clicks.__main__ import main

    raise SystemExit(main())
