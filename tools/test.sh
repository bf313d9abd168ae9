#!/usr/bin/env bash
# Sets up .venv if need be, checks style and runs all tests. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
source tools/setup_env.sh
ruff check .
ruff format --check .
# One thread a process: two test processes share the cores.
export OMP_NUM_THREADS=1
python -m pytest -n 2 "$@"
