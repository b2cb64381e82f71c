"""What is a relaxed search of the user's own where nothing else is said?"""

import argparse

#: Option of the search -> what it is where it was not given.
SEARCH_DEFAULTS = {"units": "5", "others": "hinge", "alpha": 10.0, "optimizer": "auto"}


SEARCH_OPTIONS = (*SEARCH_DEFAULTS, "start", "steps", "max_seconds")


def with_defaults(options: argparse.Namespace) -> argparse.Namespace:
    """Fills in what was not given."""
    for name, usual in SEARCH_DEFAULTS.items():
        if getattr(options, name) is None:
            setattr(options, name, usual)
    return options
