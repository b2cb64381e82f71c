"""`python -m experiments.cli`: the command `collide`."""

import sys

from experiments.cli.main import main

sys.exit(main())
