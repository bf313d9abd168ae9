"""A skeleton dataset as plain arrays on disk: safe to load, shared by all processes.

A packed dataset is a folder. Every array of the annotations (``keypoint``,
``keypoint_score``) is one ``.npy`` file of all persons' frames, one sample
after another; arrays of another shape (``frame_inds``, ``box_score``) are one
file of all values, with their shapes in the index. ``index.json`` holds
everything else. Nothing in it can run code, and the arrays are mapped into
memory, not read.

The index also records which samples have keypoints that are not finite, or
zero throughout, so that nobody has to read all frames to know. The array files
carry a digest of their content in their names and are never changed in place;
who changes one by hand has to pack the dataset again.
"""

import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

FORMAT = 'i2md-packed-3'
#: What is read: the second form had no arrays of another shape than the keypoints'.
READABLE = ('i2md-packed-2', FORMAT)
INDEX = 'index.json'
#: Coordinates beyond it are no body's, in metres, millimetres or pixels.
MAX_COORDINATE = 1e4

#: What an array field may be called, and its file.
FIELD = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
ARRAY_FILE = re.compile(rf'{FIELD.pattern}-([0-9a-f]{{16}})\.npy')


class PackedAnnotations(Sequence):
    """The annotations of a packed dataset, each made when it is asked for.

    Pickled, for instance on the way to a worker, it is only its path and the
    places taken; every process maps the same pages.

    Args:
        folder: The packed dataset.
        places: Numbers of the samples to offer, in their order; all by default.
        index: Content of its index, where that is not written yet.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the folder is no packed dataset, or not a whole one.

    Example:
        >>> annotations = read_packed('data/ntu60')['annotations']  # doctest: +SKIP
        >>> annotations[0]['keypoint'].shape  # doctest: +SKIP
        (1, 103, 25, 3)
    """

    def __init__(
        self, folder: os.PathLike, places: Optional[Sequence] = None, index: Optional[dict] = None
    ) -> None:
        self.folder = Path(folder)
        index = index or _read_index(self.folder)
        self.split: Dict[str, List[str]] = index['split']
        self.extra: Dict[str, Any] = index['extra']
        self._columns: Dict[str, list] = index['columns']
        self._tuples = frozenset(index['tuples'])
        self._unsound = {number: what for what, numbers in index['unsound'].items() for number in numbers}
        # Older indices do not say.
        self._largest: List[float] = index.get('largest') or [0.0] * len(index['persons'])
        rows = np.multiply(index['persons'], index['frames'], dtype=np.int64)
        stops = np.cumsum(rows)
        self._arrays = {
            field: _map_array(self.folder / name, stops[-1]) for field, name in index['arrays'].items()
        }
        self._loose = {field: _map_loose(self.folder, **where) for field, where in index['loose'].items()}
        # Plain lists: indexing them is several times faster than indexing arrays.
        self._shapes = list(zip(index['persons'], index['frames']))
        self._spans = list(zip((stops - rows).tolist(), stops.tolist()))
        self._places = np.arange(len(rows)) if places is None else np.asarray(places, np.int64)

    def __len__(self) -> int:
        return len(self._places)

    def __getitem__(self, index):
        """The annotation of that number; its arrays are read-only views of the files."""
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f'{self.folder}: sample {index} of {len(self)}')
        place = int(self._places[index])
        start, stop = self._spans[place]
        annotation = {field: column[place] for field, column in self._columns.items()}
        for field in self._tuples:
            annotation[field] = tuple(annotation[field])
        for field, array in self._arrays.items():
            annotation[field] = array[start:stop].reshape(
                *self._shapes[place], *array.shape[1:]
            )  # (M, T, V, C)
        for field, (values, shapes, starts) in self._loose.items():
            shape = tuple(shapes[place])
            annotation[field] = values[starts[place] : starts[place + 1]].reshape(shape)
        return annotation

    def __reduce__(self):
        return type(self), (self.folder, self._places)

    def take(self, places: Sequence) -> 'PackedAnnotations':
        """The annotations at some places of these, over the same mapped files."""
        taken = object.__new__(type(self))
        taken.__dict__.update(self.__dict__, _places=self._places[np.asarray(places, np.int64)])
        return taken

    def names(self) -> List[Optional[str]]:
        """Every sample's name, as the splits refer to it."""
        return self.column('filename' if 'filename' in self._columns else 'frame_dir')

    def column(self, field: str) -> list:
        """A plain field of every sample, without making the annotations; None where there is none."""
        column = self._columns.get(field)
        return [column and column[place] for place in self._places]

    def keypoint_problem(self, index: int, max_coordinate: float = MAX_COORDINATE) -> Optional[str]:
        """What :func:`keypoint_problem` says of a sample, from what was noted when it was packed."""
        place = int(self._places[index])
        return self._unsound.get(place) or _too_large(self._largest[place], max_coordinate)


def keypoint_problem(keypoint: np.ndarray, max_coordinate: float = MAX_COORDINATE) -> Optional[str]:
    """What is wrong with the values of keypoints (M, T, V, C), or None."""
    if not np.isfinite(keypoint).all():
        return 'NaN or infinite values'
    if not keypoint.any():
        return 'zero throughout, nobody was seen'
    return _too_large(largest_coordinate(keypoint), max_coordinate)


def largest_coordinate(keypoint: np.ndarray) -> float:
    """The largest coordinate of keypoints in absolute value; 0 where one is not finite."""
    largest = max(float(keypoint.max(initial=0)), -float(keypoint.min(initial=0)))
    return largest if np.isfinite(largest) else 0.0


def _too_large(largest: float, max_coordinate: float) -> Optional[str]:
    if largest <= max_coordinate:
        return None
    return f'a coordinate of {largest:.3g}, beyond `max_coordinate` of {max_coordinate:.3g}'


def read_packed(path: os.PathLike) -> dict:
    """Opens a packed dataset, which :func:`~.packing.write_packed` wrote.

    Returns:
        ``dict(split=..., annotations=...)`` and what else was packed with
        them, as mmaction2's pickle has it; the annotations are a
        :class:`PackedAnnotations`.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the folder is no packed dataset, or not a whole one.
    """
    annotations = PackedAnnotations(path)
    return dict(split=annotations.split, annotations=annotations, **annotations.extra)


def _read_index(folder: Path) -> dict:
    """Reads and checks ``index.json``."""
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(
            f'{folder / INDEX} is not there; write the folder with tools/data/convert.py pack'
        )
    try:
        index = json.loads((folder / INDEX).read_bytes())
    except ValueError as error:
        raise ValueError(f'{folder / INDEX} is damaged: {error}; pack the dataset again') from error
    if not isinstance(index, dict) or index.get('format') not in READABLE:
        raise ValueError(
            f'{folder / INDEX}: expected format {FORMAT!r}, got {form(index)}; pack the dataset again'
        )
    index.setdefault('loose', {})
    _check_index(index, folder / INDEX)
    names = [*index['arrays'].values(), *(where['name'] for where in index['loose'].values())]
    foreign = [name for name in names if not ARRAY_FILE.fullmatch(name)]
    if foreign:
        raise ValueError(f'{folder / INDEX}: names {foreign}, expected array files of its own folder')
    return index


def _check_index(index: dict, path: Path) -> None:
    """Refuses an index whose parts are missing or do not fit one another."""
    kinds = dict(arrays=dict, split=dict, extra=dict, columns=dict, loose=dict, unsound=dict)
    kinds.update(persons=list, frames=list, tuples=list)
    wrong = [name for name, kind in kinds.items() if not isinstance(index.get(name), kind)]
    if not wrong:
        samples = len(index['persons'])
        counted = {'frames': index['frames'], 'largest': index.get('largest') or index['persons']}
        counted.update(index['columns'])
        counted.update({name: where.get('shapes', ()) for name, where in index['loose'].items()})
        wrong = [name for name, values in counted.items() if len(values) != samples]
        counts = [*index['persons'], *index['frames']]
        wrong += ['persons or frames'] * (not all(type(count) is int and count >= 0 for count in counts))
        wrong += [] if 'keypoint' in index['arrays'] and samples else ['arrays']
    if wrong:
        raise ValueError(f'{path} is damaged in {", ".join(wrong)}; pack the dataset again')


def _map_array(path: Path, rows: int) -> np.ndarray:
    """Maps an array file, and checks that it is whole."""
    try:
        array = np.load(path, mmap_mode='r', allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: {error}; pack the dataset again') from error
    if len(array) != rows:
        raise ValueError(f'{path}: has {len(array)} rows, its index {rows}; pack the dataset again')
    # A plain view: slicing the np.memmap itself is several times slower.
    return array.view(np.ndarray)


def _map_loose(folder: Path, name: str, shapes: List[List[int]]) -> tuple:
    """Maps an array of all values of a field; returns it with each sample's shape and first value."""
    starts = np.concatenate(([0], np.cumsum([int(np.prod(shape)) for shape in shapes], dtype=np.int64)))
    return _map_array(folder / name, starts[-1]), shapes, starts.tolist()


def form(value: Any) -> str:
    """A few words on a value, for errors."""
    if isinstance(value, np.ndarray):
        return f'{value.dtype} {value.shape}'
    return f'{type(value).__name__} {sorted(value) if isinstance(value, dict) else repr(value)[:60]}'
