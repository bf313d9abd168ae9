"""A skeleton dataset as plain arrays on disk: safe to load, shared by all processes.

A packed dataset is a folder. Every array of the annotations (``keypoint``,
``keypoint_score``) is one ``.npy`` file of all persons' frames, one sample
after another; ``index.json`` holds everything else. Nothing in it can run
code, and the arrays are mapped into memory, not read.

The index also records which samples have keypoints that are not finite, or
zero throughout, so that nobody has to read all frames to know. The array files
carry a digest of their content in their names and are never changed in place;
who changes one by hand has to pack the dataset again.
"""

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, List, Optional

import numpy as np

from .readers.atomic import atomic_write

FORMAT = 'i2md-packed-2'
INDEX = 'index.json'

_ARRAY_FILE = re.compile(r'[A-Za-z_]\w*-[0-9a-f]{16}\.npy')


class PackedAnnotations(Sequence):
    """The annotations of a packed dataset, each made when it is asked for.

    Pickled, for instance on the way to a worker, it is only its path and the
    places taken; every process maps the same pages. MMEngine's ``BaseDataset``
    pickles every annotation, and with it all frames, unless
    ``serialize_data=False``.

    Args:
        folder: The packed dataset.
        places: Numbers of the samples to offer, in their order; all by default.

    Raises:
        FileNotFoundError: If there is no index.
        ValueError: If the folder is no packed dataset, or not a whole one.

    Example:
        >>> annotations = read_packed('data/ntu60')['annotations']  # doctest: +SKIP
        >>> annotations[0]['keypoint'].shape  # doctest: +SKIP
        (1, 103, 25, 3)
    """

    def __init__(self, folder: os.PathLike, places: Optional[Sequence] = None) -> None:
        self.folder = Path(folder)
        index = _read_index(self.folder)
        self.split: Dict[str, List[str]] = index['split']
        self.extra: Dict[str, Any] = index['extra']
        self._columns: Dict[str, list] = index['columns']
        self._tuples = frozenset(index['tuples'])
        self._unsound = {number: what for what, numbers in index['unsound'].items() for number in numbers}
        rows = np.multiply(index['persons'], index['frames'], dtype=np.int64)
        stops = np.cumsum(rows)
        self._arrays = {
            field: _map_array(self.folder / name, stops[-1]) for field, name in index['arrays'].items()
        }
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
        column = self._columns.get('filename', self._columns.get('frame_dir'))
        return [column and column[place] for place in self._places]

    def keypoint_problem(self, index: int) -> Optional[str]:
        """What :func:`keypoint_problem` said of a sample's keypoints when they were packed."""
        return self._unsound.get(int(self._places[index]))


def keypoint_problem(keypoint: np.ndarray) -> Optional[str]:
    """What is wrong with the values of keypoints (M, T, V, C), or None."""
    if not np.isfinite(keypoint).all():
        return 'NaN or infinite values'
    if not keypoint.any():
        return 'zero throughout, nobody was seen'
    return None


def read_packed(path: os.PathLike) -> dict:
    """Opens a packed dataset.

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


def write_packed(dataset: dict, path: os.PathLike) -> None:
    """Writes a packed dataset.

    The array files carry a digest of their content in their names and the
    index, written last, names them: a reader finds the old dataset or the
    new one, whole. Array files that the index no longer names are removed.

    Args:
        dataset: ``dict(split=..., annotations=[...])``, and JSON's values
            under other keys; every annotation has ``keypoint`` (M, T, V, C)
            and the fields of the first one. Arrays must have the same (M, T)
            as ``keypoint`` and one dtype and one shape of the rest throughout;
            other values must be JSON's, or tuples.
        path: Folder to write; created.

    Raises:
        ValueError: If the dataset has another form; names the sample.
    """
    path = Path(path)
    if (
        not isinstance(dataset, dict)
        or not {'split', 'annotations'} <= set(dataset)
        or not len(dataset['annotations'])
    ):
        raise ValueError(
            f"{path}: expected a dict of 'split' and a non-empty 'annotations', got {_form(dataset)}"
        )
    annotations = dataset['annotations']
    first = annotations[0]
    arrays = [field for field, value in first.items() if isinstance(value, np.ndarray) and value.ndim]
    if 'keypoint' not in arrays:
        raise ValueError(f"{path}: expected an array 'keypoint' in each annotation, got {_form(first)}")
    unsound: Dict[str, List[int]] = {}
    for number, annotation in enumerate(annotations):
        _check_annotation(annotation, first, arrays, f'{path}: sample {number}')
        problem = keypoint_problem(annotation['keypoint'])
        if problem:
            unsound.setdefault(problem, []).append(number)
    columns = {
        field: [annotation[field] for annotation in annotations] for field in first if field not in arrays
    }
    index = dict(
        format=FORMAT,
        arrays={field: _write_array(path, field, annotations) for field in arrays},
        split={name: list(names) for name, names in dataset['split'].items()},
        persons=[annotation['keypoint'].shape[0] for annotation in annotations],
        frames=[annotation['keypoint'].shape[1] for annotation in annotations],
        tuples=[field for field in columns if isinstance(first[field], tuple)],
        columns=columns,
        unsound=unsound,
        extra={key: value for key, value in dataset.items() if key not in ('split', 'annotations')},
    )
    with atomic_write(path / INDEX) as file:
        file.write(json.dumps(index, default=_plain).encode())
    for old in path.iterdir():
        if (
            old.name.endswith('.partial')
            or _ARRAY_FILE.fullmatch(old.name)
            and old.name not in index['arrays'].values()
        ):
            old.unlink()


def _read_index(folder: Path) -> dict:
    """Reads and checks ``index.json``."""
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(
            f'{folder / INDEX} is not there; write the folder with tools/data/convert.py pack'
        )
    index = json.loads((folder / INDEX).read_bytes())
    if not isinstance(index, dict) or index.get('format') != FORMAT:
        raise ValueError(
            f'{folder / INDEX}: expected format {FORMAT!r}, got {_form(index)}; pack the dataset again'
        )
    foreign = [name for name in index['arrays'].values() if not _ARRAY_FILE.fullmatch(name)]
    if foreign:
        raise ValueError(f'{folder / INDEX}: names {foreign}, expected array files of its own folder')
    return index


def _map_array(path: Path, rows: int) -> np.ndarray:
    """Maps an array file, and checks that it is whole."""
    try:
        array = np.load(path, mmap_mode='r', allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ValueError(f'{path}: {error}; pack the dataset again') from error
    if len(array) != rows:
        raise ValueError(f'{path}: has {len(array)} frames, its index {rows}; pack the dataset again')
    # A plain view: slicing the np.memmap itself is several times slower.
    return array.view(np.ndarray)


def _check_annotation(annotation: dict, first: dict, arrays: List[str], where: str) -> None:
    """Raises ValueError unless the annotation has the form of the first one."""
    if annotation.keys() != first.keys():
        raise ValueError(
            f'{where} has the fields {sorted(annotation)}, sample 0 {sorted(first)}; make them equal'
        )
    lead = annotation['keypoint'].shape[:2]
    for field in arrays:
        value, like = annotation[field], first[field]
        if value.dtype.hasobject or value.dtype != like.dtype or value.shape != (*lead, *like.shape[2:]):
            raise ValueError(
                f'{where}: {field} is {value.dtype} {value.shape}, expected {like.dtype} '
                f'{(*lead, *like.shape[2:])} as in sample 0; cast or repair it'
            )
    for field in annotation.keys() - set(arrays):
        if isinstance(annotation[field], tuple) != isinstance(first[field], tuple):
            raise ValueError(
                f'{where}: {field} is {_form(annotation[field])}, in sample 0 {_form(first[field])}'
            )


def _write_array(folder: Path, field: str, annotations: Sequence) -> str:
    """Writes one field of all samples; returns the name of the file."""
    like = annotations[0][field]
    rows = sum(annotation[field].shape[0] * annotation[field].shape[1] for annotation in annotations)
    if not rows:
        raise ValueError(f'{folder}: no sample has a frame; nothing to pack')
    header = io.BytesIO()
    layout = dict(
        descr=np.lib.format.dtype_to_descr(like.dtype), fortran_order=False, shape=(rows, *like.shape[2:])
    )
    np.lib.format.write_array_header_1_0(header, layout)
    digest = hashlib.sha256(header.getvalue())
    for annotation in annotations:
        digest.update(annotation[field].tobytes())
    name = f'{field}-{digest.hexdigest()[:16]}.npy'
    with atomic_write(folder / name) as file:
        file.write(header.getvalue())
        for annotation in annotations:
            file.write(annotation[field].tobytes())
    return name


def _plain(value: Any) -> Any:
    """NumPy scalars as JSON's; anything else does not fit."""
    if isinstance(value, (np.generic, np.ndarray)) and not value.ndim:
        return value.item()
    raise ValueError(
        f'{_form(value)} cannot be packed; expected numbers, text, lists or arrays of (M, T, ...)'
    )


def _form(value: Any) -> str:
    """A few words on a value, for errors."""
    return f'{type(value).__name__} {sorted(value) if isinstance(value, dict) else repr(value)[:60]}'
