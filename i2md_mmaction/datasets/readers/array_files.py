"""The files of arrays that other preparations left: mapped into memory, not read, and checked."""

import zipfile
import zlib
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from ...io import load_pickle
from ...skeletons import SkeletonLayout
from ..packed import form

_PARTS = ('train', 'val', 'test')
_JOINTS = ('data_joint', 'position', 'data')


class Part(NamedTuple):
    """The samples of one split.

    Args:
        name: ``'train'``, ``'val'`` or ``'test'``.
        file: Where the joints are, for errors.
        joints: (N, C, T, V, M), mapped into memory.
        names: Name of each sample.
        labels: Class of each sample, counted from 0; -1 for none.
        num_frames: Frames of each sample; None where nothing says them.
    """

    name: str
    file: str
    joints: np.ndarray
    names: List[str]
    labels: List[int]
    num_frames: Optional[List[int]] = None


def open_arrays(path: Path, layout: SkeletonLayout) -> List[Part]:
    """Opens a folder of ``.npy`` files or an ``.npz`` file, as :func:`.arrays.convert_arrays` takes them.

    Samples that nobody named are called after their array and place, such as
    ``train_000000``. What is tested on is called ``val`` where there is no
    other ``val``, as in the files of other data sets.

    Raises:
        FileNotFoundError: If an array or its labels are missing.
        ValueError: If one of them has another form, or a name occurs twice.
        pickle.UnpicklingError: If a pickle holds more than plain values.
    """
    if not path.is_dir() and not (path.is_file() and path.suffix == '.npz'):
        raise FileNotFoundError(
            f'{path} is neither a folder nor an .npz file; name the folder of the .npy files, or an .npz file'
        )
    parts = list(_open_folder(path, layout) if path.is_dir() else _open_npz(path, layout))
    if 'val' not in [part.name for part in parts]:
        parts = [part._replace(name=part.name.replace('test', 'val')) for part in parts]
    places: Dict[str, str] = {}
    for part in parts:
        for index, name in enumerate(part.names):
            place = f'sample {index} of {part.file}'
            if places.setdefault(name, place) != place:
                raise ValueError(
                    f'{places[name]} and {place} have the same name {name!r}; put the labels alone, as '
                    'label.npy, in the place of label.pkl, and names are made'
                )
    return parts


def _open_folder(folder: Path, layout: SkeletonLayout) -> Iterator[Part]:
    """The parts of a folder of ``.npy`` files."""
    candidates = {part: [folder / f'{part}_{kind}.npy' for kind in _JOINTS] for part in _PARTS}
    found = {part: [file for file in files if file.exists()] for part, files in candidates.items()}
    if not any(found.values()):
        names = ', '.join(file.name for file in candidates['train'])
        raise FileNotFoundError(
            f'{folder}: none of {names} is here, nor of val or test; name the folder that holds them'
        )
    for part, files in found.items():
        if len(files) > 1:
            names = ' and '.join(file.name for file in files)
            raise ValueError(f'{folder}: {names} may each be the joints of {part}; move all but one away')
        for file in files:
            joints = _map_npy(file)
            _check_joints(str(file), joints, layout)
            names, labels = _read_labels(file, part, len(joints))
            yield Part(part, str(file), joints, names, labels, _read_num_frames(file, part, joints.shape))


def _open_npz(path: Path, layout: SkeletonLayout) -> Iterator[Part]:
    """The parts of an ``.npz`` file."""
    with _naming(path), zipfile.ZipFile(path) as archive:
        members = {name.removesuffix('.npy') for name in archive.namelist()}
    if not members & {f'x_{part}' for part in _PARTS}:
        raise FileNotFoundError(
            f'{path} holds {sorted(members)}, expected x_train, y_train, x_test and y_test, as CTR-GCN has '
            'them; name another file, or a folder of .npy files'
        )
    for part in _PARTS:
        if f'x_{part}' not in members:
            continue
        if f'y_{part}' not in members:
            raise FileNotFoundError(f'{path}: x_{part} is without y_{part}, its labels; store both')
        file, flat, width = f'{path}: x_{part}', _map_member(path, f'x_{part}'), 3 * layout.num_joints
        if flat.ndim != 3 or flat.shape[2] % width:
            raise ValueError(
                f'{file} is of shape {flat.shape}, expected (samples, frames, persons * {width}) in layout '
                f'{layout.name!r}; name another layout with --layout'
            )
        joints = flat.reshape(*flat.shape[:2], -1, layout.num_joints, 3).transpose(0, 4, 1, 3, 2)
        _check_joints(file, joints, layout)
        labels = _class_numbers(f'{path}: y_{part}', _map_member(path, f'y_{part}'), len(joints))
        yield Part(part, file, joints, _made_names(part, len(joints)), labels)


@contextmanager
def _naming(file: Any) -> Iterator[None]:
    """Puts the name of the file before what NumPy or zipfile say is wrong with it."""
    try:
        yield
    except (ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(f'{file}: {error}; make the file anew, or fetch it again') from error


def _map_npy(path: Path) -> np.ndarray:
    """An array file, mapped into memory."""
    with _naming(path):
        return np.lib.format.open_memmap(path, mode='r').view(np.ndarray)


def _map_member(path: Path, name: str) -> np.ndarray:
    """An array of an ``.npz`` file, mapped into memory; one that is compressed is read instead."""
    with _naming(f'{path}: {name}'), zipfile.ZipFile(path) as archive, open(path, 'rb') as file:
        member = archive.getinfo(f'{name}.npy')
        if member.compress_type != zipfile.ZIP_STORED:
            with archive.open(member) as stream:
                return np.lib.format.read_array(stream, allow_pickle=False)
        # The member's own header ends with the lengths of its name and of an extra field, which follow it.
        file.seek(member.header_offset + 26)
        lengths = np.frombuffer(file.read(4), '<u2')
        file.seek(int(lengths.sum()), 1)
        version = np.lib.format.read_magic(file)
        first = version == (1, 0)
        read_header = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
        shape, fortran, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError('an array of Python objects, expected one of numbers')
        return np.memmap(file, dtype, 'r', file.tell(), shape, 'F' if fortran else 'C').view(np.ndarray)


def _check_joints(file: str, joints: np.ndarray, layout: SkeletonLayout) -> None:
    """Refuses an array that is not of joints (N, C, T, V, M) in a layout."""
    expected = 'expected (samples, coordinates, frames, joints, persons)'
    if joints.dtype.kind not in 'fiu' or joints.ndim != 5:
        raise ValueError(f'{file} is {form(joints)}, {expected} of real numbers; make the array anew')
    if joints.shape[1] not in (2, 3):
        raise ValueError(
            f'{file} is of shape {joints.shape}: {joints.shape[1]} coordinates where 2 or 3 are expected; '
            f'{expected}, so move the axes, or take out what is no coordinate'
        )
    if joints.shape[3] != layout.num_joints:
        raise ValueError(
            f'{file} is of shape {joints.shape}: {joints.shape[3]} joints where layout {layout.name!r} has '
            f'{layout.num_joints}; name the layout with --layout'
        )


def _read_labels(joints: Path, part: str, samples: int) -> Tuple[List[str], List[int]]:
    """Names and labels of the samples, from ``label.pkl`` or ``label.npy`` beside their joints."""
    pickled, plain = (joints.with_name(f'{part}_label.{suffix}') for suffix in ('pkl', 'npy'))
    if not pickled.exists():
        if not plain.exists():
            raise FileNotFoundError(
                f'{joints} is without {pickled.name} or {plain.name}; put its labels there, -1 for a sample '
                'that has none'
            )
        return _made_names(part, samples), _class_numbers(str(plain), _map_npy(plain), samples)
    content = load_pickle(pickled)
    if not isinstance(content, (list, tuple)) or len(content) != 2:
        raise ValueError(
            f'{pickled} holds {form(content)}, expected the pair of names and labels; put labels without '
            f'names in {plain.name}'
        )
    labels = _class_numbers(str(pickled), content[1], samples)
    names = list(content[0]) if isinstance(content[0], (list, tuple, np.ndarray)) else []
    if len(names) != samples or not all(isinstance(name, str) for name in names):
        raise ValueError(
            f'{pickled} names its samples by {form(content[0])}, expected a list of {samples} names, one for '
            f'each sample of {joints.name}; put labels without names in {plain.name}'
        )
    return [str(name).removesuffix('.skeleton') for name in names], labels


def _made_names(part: str, samples: int) -> List[str]:
    """Names for samples that have none."""
    return [f'{part}_{index:06d}' for index in range(samples)]


def _class_numbers(file: str, given: Any, samples: int) -> List[int]:
    """Labels, which are numbers or one-hot rows, as numbers."""
    with _naming(file):
        labels = np.asarray(given)
    if labels.shape[:1] != (samples,) or labels.ndim > 2:
        raise ValueError(
            f'{file} holds labels of shape {labels.shape}, expected one for each of the {samples} samples; '
            'put the labels of the same preparation there'
        )
    kinds = 'iu' if labels.ndim == 1 else 'iufb'
    if labels.dtype.kind not in kinds:
        raise ValueError(f'{file} holds labels of {labels.dtype}, expected whole numbers; convert them')
    if labels.ndim == 1:
        wrong, expected = labels < -1, 'a class counted from 0, or -1 for none'
    else:
        wrong = ((labels != 0) & (labels != 1)).any(axis=1) | (np.count_nonzero(labels, axis=1) != 1)
        expected = 'a one-hot row, one 1 among zeros'
    if wrong.any():
        index = int(wrong.argmax())
        raise ValueError(
            f'{file}: the label of sample {index} is {labels[index].tolist()}, expected {expected}; repair it'
        )
    return (labels if labels.ndim == 1 else labels.argmax(axis=1)).tolist()


def _read_num_frames(joints: Path, part: str, shape: Tuple[int, ...]) -> Optional[List[int]]:
    """Frames of each sample, from ``num_frame.npy`` beside joints of that shape; None where there is none."""
    path = joints.with_name(f'{part}_num_frame.npy')
    if not path.exists():
        return None
    numbers, (samples, _, frames, *_) = _map_npy(path), shape
    if numbers.shape != (samples,) or numbers.dtype.kind not in 'iu':
        problem = f'is {form(numbers)}, expected a whole number for each of the {samples} samples'
    elif (outside := (numbers < 1) | (numbers > frames)).any():
        index = int(outside.argmax())
        problem = f'gives sample {index} {numbers[index]} frames, expected 1 to the {frames} of the array'
    else:
        return numbers.tolist()
    raise ValueError(f'{path} {problem}; repair it, or move it away to have the end found from the zeros')
