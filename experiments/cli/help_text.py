"""What does `collide --help` say?  `python -m experiments.cli.help_text` prints it all.

docs/cli.txt holds this text; a test keeps it equal.
"""

import argparse
import os

from experiments.cli.main import parser

WIDTH = 100


def help_text() -> str:
    """Returns the help of `collide` and of each of its commands, in a fixed width."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = str(WIDTH)  # argparse reads it
    try:
        top = parser()
        parts = [("collide --help", top.format_help())]
        for action in top._actions:
            if isinstance(action, argparse._SubParsersAction):
                for name, verb in action.choices.items():
                    if name != "bench":  # its own parser answers, and loads the peers
                        parts.append((f"collide {name} --help", verb.format_help()))
    finally:
        if before is None:
            del os.environ["COLUMNS"]
        else:
            os.environ["COLUMNS"] = before
    return "\n".join(f"$ {command}\n{text}" for command, text in parts)


if __name__ == "__main__":
    print(help_text(), end="")
