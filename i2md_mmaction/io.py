"""Files: written whole or not at all, read without running code, told apart by content."""

import errno
import hashlib
import os
import pickle
import re
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Iterator, Union

import numpy as np

#: What a full or failing disk answers to a write.
_DISK_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}


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
        IsADirectoryError: If there is a folder of that name; before the block.
        OSError: If the file cannot be written; the message names it, and what
            was there before is kept.
        FileNotFoundError: If another run took the temporary away.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     with atomic_write(Path(folder, 'greeting')) as file:
        ...         _ = file.write(b'hello')
        ...     Path(folder, 'greeting').read_bytes()
        b'hello'
    """
    path = Path(path)
    if path.is_dir():
        raise IsADirectoryError(errno.EISDIR, 'a file is to be written where a folder is', str(path))
    temporary = path.with_name(f'.{path.name}.{os.getpid()}.partial')
    stale = re.compile(rf'\.{re.escape(path.name)}\.\d+\.partial')
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for old in path.parent.iterdir():
            if stale.fullmatch(old.name):
                old.unlink(missing_ok=True)
        file = open(temporary, 'xb')  # noqa: SIM115, closed below
    except OSError as error:
        raise _not_written(path, error) from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if not temporary.exists():
            raise FileNotFoundError(
                f'{path}: another run writes the same file; let it finish, then start again'
            )
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno in _DISK_ERRORS:
            raise _not_written(path, error) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _not_written(path: Path, error: OSError) -> OSError:
    """The same error with the name of the file that was to be written, and what is left."""
    kept = 'the file that was there is kept' if path.is_file() else 'no part of it is left'
    return OSError(error.errno, f'{os.strerror(error.errno)}; it was not written and {kept}', str(path))


def write_file(path: os.PathLike, content: Union[bytes, str]) -> Path:
    """Writes a file whole or not at all; see :func:`atomic_write`. Text is UTF-8."""
    with atomic_write(path) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    return Path(path)


def write_arrays(path: os.PathLike, **arrays: np.ndarray) -> Path:
    """Writes a compressed ``.npz`` whole or not at all; see :func:`atomic_write`."""
    with atomic_write(path) as file:
        np.savez_compressed(file, **arrays)
    return Path(path)


def file_digest(path: os.PathLike) -> str:
    """SHA-256 of a file's content, in hexadecimal digits."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


_PICKLE_GLOBALS = {
    ('__builtin__', 'bytes'),
    ('_codecs', 'encode'),
    ('numpy', 'dtype'),
    ('numpy', 'ndarray'),
    *(
        (f'numpy.{core}.multiarray', name)
        for core in ('core', '_core')
        for name in ('_reconstruct', 'scalar')
    ),
    *((f'numpy.{core}.numeric', '_frombuffer') for core in ('core', '_core')),
}


class _PlainUnpickler(pickle.Unpickler):
    """Takes plain values and NumPy arrays only."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _PICKLE_GLOBALS:
            raise pickle.UnpicklingError(
                f'holds {module}.{name}, expected plain values and NumPy arrays only. '
                'Convert it to those first, if you trust where it comes from'
            )
        return super().find_class(module, name)


def load_pickle(path: os.PathLike) -> Any:
    """Loads a pickle of plain values and NumPy arrays, and nothing that could run code.

    Raises:
        FileNotFoundError: If the file is not there.
        pickle.UnpicklingError: If the file names any other class or function,
            or is no whole pickle.
    """
    with open(path, 'rb') as file:
        try:
            return _PlainUnpickler(file).load()
        except Exception as error:  # bytes that are no pickle raise nearly anything
            raise pickle.UnpicklingError(f'{path}: {error or "no whole pickle"}') from error
