#!/usr/bin/env bash
# Makes and reuses .venv, and activates it in the shell that sources this.
# A stamp written last says what was installed, so a broken install is done again
# and a second call starts at once.
if [ "${BASH_SOURCE[0]}" != "$0" ]; then
    # Sourced: the installation is a process of its own, so that the shell keeps its options and folder.
    PYTHON=${PYTHON:-} bash "${BASH_SOURCE[0]}" && source "$(dirname "${BASH_SOURCE[0]}")/../.venv/bin/activate"
    return
fi
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=${PYTHON:-}
if [ -z "$python" ]; then
    for candidate in python3.11 python3.12 python3.10 python3; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 13))' 2>/dev/null; then
            python=$candidate
            break
        fi
    done
fi
if [ -z "$python" ]; then
    echo 'i2md_mmaction needs Python 3.10, 3.11 or 3.12; install one or name it: PYTHON=/path/to/python' >&2
    exit 1
fi

want=$(cat pyproject.toml setup.py requirements*.txt constraints.txt tools/setup_env.sh | sha256sum | cut -d' ' -f1)-$(pwd)
stamp=.venv/installed
if [ "$(cat "$stamp" 2>/dev/null)" != "$want" ]; then
    echo "Installing into .venv (minutes the first time) ..."
    rm -f "$stamp"
    "$python" -m venv --clear .venv
    pip=(.venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt)
    # torch first: what depends on it must find the pinned one.
    "${pip[@]}" torch
    "${pip[@]}" 'setuptools>=77.0.3,<81' wheel
    "${pip[@]}" -r requirements.txt -r requirements-dev.txt -r requirements-export.txt
    "${pip[@]}" --no-deps --no-build-isolation -e .
    .venv/bin/python -W ignore -c 'import i2md_mmaction'
    echo "$want" >"$stamp"
fi
