"""Files that appear whole or not at all."""

import glob
import os
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Iterator


@contextmanager
def atomic_write(path: os.PathLike) -> Iterator[BinaryIO]:
    """Opens a temporary file that becomes ``path`` when the block ends well.

    A block that raises leaves ``path`` as it was and no temporary. A process
    killed inside the block leaves one hidden ``.NAME.PID.partial``, which the
    next writer of the same path removes. Of two runs writing one path at once
    the first is refused its rename; the file is never a mixture.

    Args:
        path: The file to write; its folder is created.

    Raises:
        FileNotFoundError: If another run took the temporary away.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    for stale in path.parent.glob(f'.{glob.escape(path.name)}.*.partial'):
        stale.unlink(missing_ok=True)
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    try:
        with open(temporary, 'xb') as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not temporary.exists():
            raise FileNotFoundError(
                f'{path}: another run writes the same file; let it finish, then start again'
            )
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
