"""What tests of killed and interrupted processes ask."""

import time
from pathlib import Path


def is_running(pid):
    """Whether a process is there and has not ended."""
    try:
        return Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()[0] not in 'ZX'
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_for(condition, seconds):
    """Waits until a condition holds; fails after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
