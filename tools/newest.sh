#!/usr/bin/env bash
# Do the tests pass with the newest releases that pyproject.toml allows?  bash tools/newest.sh [ARGUMENTS OF pytest]
#
# Installs them into build/newest, which stays for a look and is made anew each time; .venv is left alone.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=build/newest

rm -rf "$venv"
CONSTRAINTS='' bash tools/install.sh "$venv"
"$venv/bin/python" tools/constraints.py --compare
"$venv/bin/python" -m pytest "$@"
echo "newest: the tests passed; to state these releases: $venv/bin/python tools/constraints.py"
