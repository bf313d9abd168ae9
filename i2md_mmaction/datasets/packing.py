"""Writing a packed dataset, the folder that :mod:`.packed` reads."""

import hashlib
import io
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Dict, Iterator, List

import numpy as np

from ..io import atomic_write, file_digest, write_file
from .packed import (
    ARRAY_FILE,
    FIELD,
    FORMAT,
    INDEX,
    PackedAnnotations,
    form,
    keypoint_problem,
    largest_coordinate,
)

_PARTIAL = re.compile(rf'\.({re.escape(INDEX)}|{FIELD.pattern}-[0-9a-f]{{16}}\.npy)\.\d+\.partial')


def check_target(path: os.PathLike) -> None:
    """Refuses a file in the place of the folder to pack into.

    Raises:
        NotADirectoryError: If there is a file of that name.
    """
    if Path(path).exists() and not Path(path).is_dir():
        raise NotADirectoryError(f'{path} is a file; name a folder to pack into')


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
    check_target(path)
    arrays = _array_fields(dataset, path)
    annotations = dataset['annotations']
    first = annotations[0]
    unsound: Dict[str, List[int]] = {}
    for number, annotation in enumerate(annotations):
        _check_annotation(annotation, first, arrays, f'{path}: sample {number}')
        problem = keypoint_problem(annotation['keypoint'], max_coordinate=np.inf)
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
        largest=[largest_coordinate(annotation['keypoint']) for annotation in annotations],
        extra={key: value for key, value in dataset.items() if key not in ('split', 'annotations')},
    )
    text = json.dumps(index, default=_plain)
    _check_written(PackedAnnotations(path, index=json.loads(text)), annotations, arrays)
    write_file(path / INDEX, text)
    _remove_old(path, {*index['arrays'].values(), *(where['name'] for where in index['loose'].values())})


def _array_fields(dataset: dict, path: Path) -> List[str]:
    """The fields of a dataset that are arrays; ValueError if it is none, or one cannot name a file."""
    if (
        not isinstance(dataset, dict)
        or not {'split', 'annotations'} <= set(dataset)
        or not len(dataset['annotations'])
    ):
        raise ValueError(
            f"{path}: expected a dict of 'split' and a non-empty 'annotations', got {form(dataset)}"
        )
    first = dataset['annotations'][0]
    arrays = [field for field, value in first.items() if isinstance(value, np.ndarray) and value.ndim]
    if 'keypoint' not in arrays or first['keypoint'].ndim != 4:
        raise ValueError(
            f"{path}: expected an array 'keypoint' (persons, frames, joints, coordinates) in each "
            f'annotation, got {form(first)}'
        )
    unnameable = [field for field in arrays if not FIELD.fullmatch(field)]
    if unnameable:
        raise ValueError(
            f'{path}: the array fields {unnameable} cannot name files; rename them to letters, digits and '
            'underscores'
        )
    return arrays


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
        array = ARRAY_FILE.fullmatch(old.name)
        # A file that carries its own digest is no one else's.
        ours = array and old.name not in named and file_digest(old).startswith(array[1])
        if ours or _PARTIAL.fullmatch(old.name):
            old.unlink()


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
                f'{where}: {field} is {form(value)}, expected an array of {like.dtype} as in sample 0; '
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
                f'{where}: {field} is {form(annotation[field])}, in sample 0 {form(first[field])}'
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
        f'{form(value)} cannot be packed; expected numbers, text, lists or arrays of (M, T, ...)'
    )
