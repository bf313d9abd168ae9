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

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional

import numpy as np

from ..io import atomic_write, file_digest, write_file

FORMAT = 'i2md-packed-3'
#: What is read: the second form had no arrays of another shape than the keypoints'.
READABLE = ('i2md-packed-2', FORMAT)
INDEX = 'index.json'

_FIELD = re.compile(r'[A-Za-z_][A-Za-z0-9_]*')
_ARRAY_FILE = re.compile(rf'{_FIELD.pattern}-([0-9a-f]{{16}})\.npy')
_PARTIAL = re.compile(rf'\.({re.escape(INDEX)}|{_FIELD.pattern}-[0-9a-f]{{16}}\.npy)\.\d+\.partial')


class PackedAnnotations(Sequence):
    """The annotations of a packed dataset, each made when it is asked for.

    Pickled, for instance on the way to a worker, it is only its path and the
    places taken; every process maps the same pages. MMEngine's ``BaseDataset``
    pickles every annotation, and with it all frames, unless
    ``serialize_data=False``.

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
    index, written last and only after what it names was opened, names them: a
    reader finds the old dataset or the new one, whole. Array files of earlier
    packings are removed; nothing else in the folder is touched.

    Args:
        dataset: ``dict(split=..., annotations=[...])``, and JSON's values
            under other keys; every annotation has ``keypoint`` (M, T, V, C)
            and the fields of the first one. An array has one dtype
            throughout; other values must be JSON's, or tuples.
        path: Folder to write; created.

    Raises:
        NotADirectoryError: If there is a file of that name.
        ValueError: If the dataset has another form; names sample and field.
    """
    path = Path(path)
    if path.exists() and not path.is_dir():
        raise NotADirectoryError(f'{path} is a file; name a folder to pack into')
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
    if 'keypoint' not in arrays or first['keypoint'].ndim != 4:
        raise ValueError(
            f"{path}: expected an array 'keypoint' (persons, frames, joints, coordinates) in each "
            f'annotation, got {_form(first)}'
        )
    unnameable = [field for field in arrays if not _FIELD.fullmatch(field)]
    if unnameable:
        raise ValueError(
            f'{path}: the array fields {unnameable} cannot name files; rename them to letters, digits and '
            'underscores'
        )
    unsound: Dict[str, List[int]] = {}
    for number, annotation in enumerate(annotations):
        _check_annotation(annotation, first, arrays, f'{path}: sample {number}')
        problem = keypoint_problem(annotation['keypoint'])
        if problem:
            unsound.setdefault(problem, []).append(number)
    framed = [field for field in arrays if _is_framed(field, annotations)]
    loose = [field for field in arrays if field not in framed]
    columns = {
        field: [annotation[field] for annotation in annotations] for field in first if field not in arrays
    }
    index = dict(
        format=FORMAT,
        arrays={field: _write_array(path, field, annotations) for field in framed},
        loose={
            field: dict(
                name=_write_array(path, field, annotations, flat=True),
                shapes=[annotation[field].shape for annotation in annotations],
            )
            for field in loose
        },
        split={name: list(names) for name, names in dataset['split'].items()},
        persons=[annotation['keypoint'].shape[0] for annotation in annotations],
        frames=[annotation['keypoint'].shape[1] for annotation in annotations],
        tuples=[field for field in columns if isinstance(first[field], tuple)],
        columns=columns,
        unsound=unsound,
        extra={key: value for key, value in dataset.items() if key not in ('split', 'annotations')},
    )
    text = json.dumps(index, default=_plain)
    _check_written(PackedAnnotations(path, index=json.loads(text)), annotations, arrays)
    write_file(path / INDEX, text)
    _remove_old(path, {*index['arrays'].values(), *(where['name'] for where in index['loose'].values())})


def _check_written(written: PackedAnnotations, annotations: Sequence, arrays: List[str]) -> None:
    """Opens what was written, at its ends, before it is said to be there."""
    for place in {0, len(annotations) - 1}:
        got, expected = written[place], annotations[place]
        for field in arrays:
            if not np.array_equal(got[field], expected[field], equal_nan=got[field].dtype.kind in 'fc'):
                raise ValueError(
                    f'{written.folder}: {field} of sample {place} was not read back as it was written; check '
                    'the disk and pack again'
                )


def _remove_old(folder: Path, named: set) -> None:
    """Removes the array files of earlier packings and what killed ones left; nothing else."""
    for old in folder.iterdir():
        array = _ARRAY_FILE.fullmatch(old.name)
        # A file that carries its own digest is no one else's.
        ours = array and old.name not in named and file_digest(old).startswith(array[1])
        if ours or _PARTIAL.fullmatch(old.name):
            old.unlink()


def _read_index(folder: Path) -> dict:
    """Reads and checks ``index.json``."""
    if not (folder / INDEX).is_file():
        raise FileNotFoundError(
            f'{folder / INDEX} is not there; write the folder with tools/data/convert.py pack'
        )
    index = json.loads((folder / INDEX).read_bytes())
    if not isinstance(index, dict) or index.get('format') not in READABLE:
        raise ValueError(
            f'{folder / INDEX}: expected format {FORMAT!r}, got {_form(index)}; pack the dataset again'
        )
    index.setdefault('loose', {})
    names = [*index['arrays'].values(), *(where['name'] for where in index['loose'].values())]
    foreign = [name for name in names if not _ARRAY_FILE.fullmatch(name)]
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
        raise ValueError(f'{path}: has {len(array)} rows, its index {rows}; pack the dataset again')
    # A plain view: slicing the np.memmap itself is several times slower.
    return array.view(np.ndarray)


def _map_loose(folder: Path, name: str, shapes: List[List[int]]) -> tuple:
    """Maps an array of all values of a field; returns it with each sample's shape and first value."""
    starts = np.concatenate(([0], np.cumsum([int(np.prod(shape)) for shape in shapes], dtype=np.int64)))
    return _map_array(folder / name, starts[-1]), shapes, starts.tolist()


def _is_framed(field: str, annotations: Sequence) -> bool:
    """Whether an array has the keypoints' (M, T) and one shape of the rest in all samples."""
    rest = annotations[0][field].shape[2:]
    return all(
        annotation[field].shape == (*annotation['keypoint'].shape[:2], *rest) for annotation in annotations
    )


def _check_annotation(annotation: dict, first: dict, arrays: List[str], where: str) -> None:
    """Raises ValueError unless the annotation has the form of the first one."""
    if annotation.keys() != first.keys():
        raise ValueError(
            f'{where} has the fields {sorted(annotation)}, sample 0 {sorted(first)}; make them equal'
        )
    for field in arrays:
        value, like = annotation[field], first[field]
        if not isinstance(value, np.ndarray) or value.dtype.hasobject or value.dtype != like.dtype:
            raise ValueError(
                f'{where}: {field} is {_form(value)}, expected an array of {like.dtype} as in sample 0; '
                'cast it'
            )
    shape, expected = annotation['keypoint'].shape, first['keypoint'].shape
    if len(shape) != 4 or shape[2:] != expected[2:]:
        raise ValueError(
            f'{where}: keypoint is of shape {shape}, expected {(*shape[:2], *expected[2:])} as in sample 0 '
            '(persons, frames, joints, coordinates); repair it'
        )
    for field in annotation.keys() - set(arrays):
        if isinstance(annotation[field], tuple) != isinstance(first[field], tuple):
            raise ValueError(
                f'{where}: {field} is {_form(annotation[field])}, in sample 0 {_form(first[field])}'
            )


def _write_array(folder: Path, field: str, annotations: Sequence, flat: bool = False) -> str:
    """Writes one field of all samples, as rows of frames or flat; returns the name of the file."""
    like = annotations[0][field]
    rest = () if flat else like.shape[2:]
    rows = sum(
        annotation[field].size if flat else annotation[field].shape[0] * annotation[field].shape[1]
        for annotation in annotations
    )
    if not rows and not flat:
        raise ValueError(f'{folder}: no sample has a frame; nothing to pack')

    def blocks() -> Iterator[bytes]:
        header = io.BytesIO()
        descr = np.lib.format.dtype_to_descr(like.dtype)
        layout = dict(descr=descr, fortran_order=False, shape=(rows, *rest))
        np.lib.format.write_array_header_1_0(header, layout)
        yield header.getvalue()
        for annotation in annotations:
            yield annotation[field].tobytes()

    digest = hashlib.sha256()
    for block in blocks():
        digest.update(block)
    name = f'{field}-{digest.hexdigest()[:16]}.npy'
    with atomic_write(folder / name) as file:
        for block in blocks():
            file.write(block)
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
    if isinstance(value, np.ndarray):
        return f'{value.dtype} {value.shape}'
    return f'{type(value).__name__} {sorted(value) if isinstance(value, dict) else repr(value)[:60]}'
