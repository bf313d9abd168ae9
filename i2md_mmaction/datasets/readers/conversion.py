"""From the files of a dataset to mmaction2's pickle, on several processes."""

import json
import multiprocessing
import os
import pickle
import signal
import threading
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Protocol, Tuple

import numpy as np

from ...io import atomic_write
from ..transforms import SkeletonPreNormalize
from .samples import Dropped, ReadError, Reading
from .scratch import Scratch, remove_scratch

# Fixed, so that the same input gives the same bytes under any Python.
PICKLE_PROTOCOL = 4
# Wraps an iterable of known length, to show how far it is.
Track = Callable[[Iterable, int], Iterable]


class Source(Protocol):
    """What a dataset has to know to be converted; it travels to the workers.

    A source whose ``read(path)`` opens further files names all it opens by
    ``inputs(path)``, so that a resumed conversion notices when they change.
    """

    def files(self) -> Dict[str, Path]: ...

    def read(self, path: Path) -> Reading: ...

    def splits(self, names: Iterable[str]) -> Dict[str, List[str]]: ...


@dataclass
class Summary:
    """What a conversion kept, changed and left out.

    Args:
        sequences: Number of samples.
        classes: Number of classes that occur.
        frames: Frames of all samples.
        persons: Number of samples by their number of persons.
        splits: Number of samples of each split.
        notes: Number of samples by what was changed in them.
        dropped: What was left out, by reason.
        resumed: Number of files that an earlier run had read; not written
            down, for the output does not depend on it.
    """

    sequences: int = 0
    classes: int = 0
    frames: int = 0
    persons: Dict[int, int] = field(default_factory=dict)
    splits: Dict[str, int] = field(default_factory=dict)
    notes: Dict[str, int] = field(default_factory=dict)
    dropped: Dict[str, List[Dropped]] = field(default_factory=dict)
    resumed: int = 0


def read_file(source: Source, path: Path) -> Reading:
    """Reads one file; a file that cannot be read is dropped, not raised."""
    try:
        return source.read(path)
    except ReadError as error:
        return Reading().drop(path.stem, error.reason, str(error))
    except OSError as error:
        return Reading().drop(path.stem, 'unreadable file', str(error))


def convert(
    source: Source,
    workers: int = 1,
    track: Track = lambda items, total: items,
    out: Optional[Path] = None,
    normalize: Optional[SkeletonPreNormalize] = None,
) -> Tuple[dict, Summary]:
    """Converts a dataset.

    Args:
        source: The dataset, such as :func:`ntu60`.
        workers: Number of processes; 1 reads in this one. The result does not
            depend on it.
        track: Shows the progress, for instance ``rich.progress.track``.
        out: The file that will be written: beside it is kept what was read,
            for the next run if this one is killed. Nowhere by default.
        normalize: Transform of each sample, whose settings the data set notes
            as ``prenormalized``; none by default, and the sensor's
            coordinates are kept.

    Returns:
        mmaction2's ``dict(split=..., annotations=[...])``, each annotation
        with ``frame_dir``, ``label``, ``total_frames`` and ``keypoint``
        (M, T, V, C), float32, metres; and its summary.

    Raises:
        FileNotFoundError: If the dataset has no files.
        ValueError: If no sample is left.
    """
    paths = list(source.files().values())
    scratch = Scratch(out, source, paths) if out else None
    known = scratch.count if scratch else 0
    with _mapping(partial(read_file, source), paths[known:], workers) as readings:
        if scratch:
            readings = chain(scratch.load(), scratch.keep(readings))
        dataset, summary = collect(
            track(readings, len(paths)), source.splits, f'{len(paths)} files', normalize=normalize
        )
    summary.resumed = known
    return dataset, summary


def collect(
    readings: Iterable[Reading],
    splits_of: Callable[[List[str]], Dict[str, List[str]]],
    read: str,
    normalize: Optional[SkeletonPreNormalize] = None,
) -> Tuple[dict, Summary]:
    """Makes one dataset of all readings, with its summary.

    Args:
        readings: What was read, in the order of the samples.
        splits_of: Gives the splits of the names of all samples.
        read: What the readings came from, such as ``12 files``, for the error.
        normalize: As for :func:`convert`.

    Returns:
        What :func:`convert` returns.

    Raises:
        ValueError: If no sample is left.
    """
    annotations, notes, dropped = [], Counter(), {}
    for reading in readings:
        samples = (_annotation(*sample) for sample in reading.samples)
        annotations += map(normalize, samples) if normalize else samples
        notes.update(reading.notes)
        for drop in reading.dropped:
            dropped.setdefault(drop.reason, []).append(drop)
    if not annotations:
        examples = [drops[0] for drops in dropped.values()]
        raise ValueError(f'none of {read} gave a sample; the first of each reason: {examples}')
    splits = splits_of([annotation['frame_dir'] for annotation in annotations])
    unused = len(annotations) - len(set().union(*splits.values()))
    if unused:
        notes['in no split'] = unused
    summary = Summary(
        sequences=len(annotations),
        classes=len({annotation['label'] for annotation in annotations}),
        frames=sum(annotation['total_frames'] for annotation in annotations),
        persons=dict(sorted(Counter(len(annotation['keypoint']) for annotation in annotations).items())),
        splits={name: len(names) for name, names in splits.items()},
        notes=dict(sorted(notes.items())),
        dropped=dict(sorted(dropped.items())),
    )
    dataset = dict(split=splits, annotations=annotations)
    if normalize:
        dataset['prenormalized'] = normalize.settings
    return dataset, summary


def convert_to_pickle(source: Source, path: Path, **options) -> Summary:
    """Converts a dataset into a pickle, with its summary beside it as ``NAME.summary.json``.

    The pickle appears when it is complete: see :func:`atomic_write`. The
    same input gives the same bytes, also where a killed run is started again:
    that takes over what was read but for the last seconds, see
    :class:`.scratch.Scratch`.

    Args:
        source: The dataset.
        path: The pickle to write.
        **options: ``workers``, ``track`` and ``normalize`` of :func:`convert`.
    """
    path = Path(path)
    summary = write_dataset(path, partial(convert, source, out=path, **options))
    remove_scratch(path)
    return summary


def write_dataset(path: Path, make: Callable[[], Tuple[dict, Summary]]) -> Summary:
    """Writes what ``make`` returns, the pickle and beside it the summary, each whole or not at all.

    A path that cannot be written is refused before ``make`` is called.
    """
    path = Path(path)
    with atomic_write(path) as file:
        dataset, summary = make()
        pickle.dump(dataset, file, protocol=PICKLE_PROTOCOL)
    with atomic_write(path.with_suffix('.summary.json')) as file:
        content = asdict(summary)
        del content['resumed']
        content['dropped'] = {
            reason: [d._asdict() for d in drops] for reason, drops in summary.dropped.items()
        }
        file.write(json.dumps(content, indent=1).encode() + b'\n')
    return summary


def _annotation(name: str, label: int, keypoint: np.ndarray) -> dict:
    """mmaction2's form of a sample.

    Copied into a fresh array: one that came from a worker carries a dtype
    object of its own, and a pickle of it would have other bytes.
    """
    own = np.empty(keypoint.shape, np.float32)
    own[...] = keypoint
    return dict(frame_dir=name, label=label, total_frames=own.shape[1], keypoint=own)


@contextmanager
def _mapping(function: Callable, items: List, workers: int) -> Iterator[Iterable]:
    """Maps on processes, in order; leaves none behind."""
    if workers <= 1 or len(items) <= 1:
        yield map(function, items)
        return
    pool = ProcessPoolExecutor(min(workers, len(items)), initializer=_start_worker)
    try:
        yield pool.map(function, items, chunksize=max(1, min(16, len(items) // (4 * workers))))
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _start_worker() -> None:
    """Ties a worker to its parent: it leaves Ctrl-C to it and dies with it, even by kill -9."""

    def end_with_parent() -> None:
        multiprocessing.parent_process().join()
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=end_with_parent, daemon=True).start()
