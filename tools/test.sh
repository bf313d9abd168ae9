#!/usr/bin/env bash
# Sets up .venv if need be, checks style and runs all tests. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
ruff check .
ruff format --check .
# One thread a process: two test processes share the cores.
export OMP_NUM_THREADS=1
# The slow tests come last in their files: a worker that is done takes some of the other's.
python -m pytest -n 2 --dist worksteal "$@"
