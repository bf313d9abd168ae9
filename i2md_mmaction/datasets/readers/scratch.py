"""What an unfinished conversion has read, kept beside its output for the next run."""

import hashlib
import inspect
import pickle
import re
import shutil
import time
from pathlib import Path
from typing import Any, Iterable, Iterator, List, Tuple

from ...io import atomic_write, load_pickle
from .samples import Dropped, Reading, Sample

# What a killed run loses at most.
FLUSH_SECONDS = 5.0


class Scratch:
    """A hidden folder ``.NAME.KEY.resume`` beside the file that a conversion writes.

    It holds readings in the order of the files, a few seconds' worth in each
    chunk. The key is a digest of the source and its options, of path, size and
    time of change of every file it reads, and of the readers' own code: where
    any of them differs, another folder is used and nothing is taken over.

    Args:
        out: The file that the conversion writes.
        source: The dataset, see :class:`.conversion.Source`. If it reads other
            files than the one it is given, its ``inputs(path)`` names them all.
        paths: Its files, in order.
    """

    def __init__(self, out: Path, source: Any, paths: List[Path]) -> None:
        self.folder = out.with_name(f'.{out.name}.{_key(source, paths)}.resume')
        self._chunks: List[Path] = []
        self.count = 0
        for chunk in sorted(self.folder.glob('[0-9]*-[0-9]*.readings')):
            start, stop = map(int, chunk.stem.split('-'))
            if start == self.count:
                self._chunks.append(chunk)
                self.count = stop

    def load(self) -> Iterator[Reading]:
        """The first ``count`` readings, from an earlier run."""
        for chunk in self._chunks:
            try:
                readings = load_pickle(chunk)
            except pickle.UnpicklingError as error:
                raise ValueError(f'{error}; remove the folder {self.folder} and start again') from error
            for samples, dropped, notes in readings:
                yield Reading([Sample(*fields) for fields in samples], [Dropped(*d) for d in dropped], notes)

    def keep(self, readings: Iterable[Reading]) -> Iterator[Reading]:
        """Passes the further readings on, and writes them down every few seconds."""
        start, chunk, written = self.count, [], time.monotonic()
        for reading in readings:
            chunk.append(_as_plain(reading))
            if time.monotonic() - written >= FLUSH_SECONDS:
                stop = start + len(chunk)
                with atomic_write(self.folder / f'{start:08d}-{stop:08d}.readings') as file:
                    pickle.dump(chunk, file, protocol=4)
                start, chunk, written = stop, [], time.monotonic()
            yield reading


def remove_scratch(out: Path) -> None:
    """Removes what was kept beside an output, by whatever run, after it was written."""
    for folder in out.parent.iterdir():
        if re.fullmatch(rf'\.{re.escape(out.name)}\.[0-9a-f]{{16}}\.resume', folder.name):
            shutil.rmtree(folder, ignore_errors=True)


def _as_plain(reading: Reading) -> Tuple[List[tuple], List[tuple], List[str]]:
    """A reading without classes of ours, so that it loads as data only."""
    return [tuple(s) for s in reading.samples], [tuple(d) for d in reading.dropped], reading.notes


def _key(source: Any, paths: List[Path]) -> str:
    """A digest of all that the readings depend on."""
    digest = hashlib.sha256(repr((type(source).__qualname__, _ordered(vars(source)))).encode())
    for code in [*sorted(Path(__file__).parent.glob('*.py')), Path(inspect.getfile(type(source)))]:
        digest.update(code.read_bytes())
    inputs = getattr(source, 'inputs', lambda path: (path,))
    for path in (path for main in paths for path in inputs(main)):
        state = path.stat() if path.exists() else None
        digest.update(repr((str(path), state and (state.st_size, state.st_mtime_ns))).encode())
    return digest.hexdigest()[:16]


def _ordered(value: Any) -> Any:
    """A value whose ``repr`` is the same in every process: sets and dicts in order."""
    if isinstance(value, dict):
        return sorted((str(key), _ordered(item)) for key, item in value.items())
    if isinstance(value, (set, frozenset)):
        return sorted(map(str, value))
    return [_ordered(item) for item in value] if isinstance(value, (list, tuple)) else str(value)
