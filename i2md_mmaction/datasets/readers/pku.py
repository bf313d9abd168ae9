"""PKU-MMD I and II: recordings of many actions, cut at their labelled spans."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np

from .samples import ReadError, Reading, find_files, read_raw
from .splits import read_pku_split, split_names

NUM_BODIES, NUM_JOINTS = 2, 25
FRAME_NUMBERS = NUM_BODIES * NUM_JOINTS * 3
# Part II has 41 of the 51 classes of part I, under the same numbers.
NUM_CLASSES = 51
#: What the folders of the downloads are called.
_FOLDERS = dict(skeleton="'skeleton' or 'PKU_Skeleton_Renew'", label="'label' or 'Train_Label_PKU_final'")


class Span(NamedTuple):
    """One labelled action: frames ``start`` to ``end - 1``, counted from 0."""

    label: int
    start: int
    end: int


def read_recording(path: Path) -> np.ndarray:
    """Reads one file of ``skeleton/``: a line of 150 numbers a frame.

    Returns:
        Joints of shape (2, T, 25, 3), float32, metres; an absent body is zeros.

    Raises:
        ReadError: If a line has not 150 numbers.
    """
    data = read_raw(path).rstrip()
    values, num_frames = data.split(), len(data.splitlines())
    try:
        if len(values) != num_frames * FRAME_NUMBERS:
            raise ValueError
        flat = np.fromiter(map(float, values), np.float32, len(values))
    except ValueError:
        raise _bad_line(path, data.splitlines()) from None
    return np.ascontiguousarray(flat.reshape(-1, NUM_BODIES, NUM_JOINTS, 3).swapaxes(0, 1))


def _bad_line(path: Path, lines: List[bytes]) -> ReadError:
    """Names the first line that is not 150 numbers."""
    number = next(number for number, line in enumerate(lines) if not _is_frame(line))
    found = f'{len(lines[number].split())} values in {lines[number][:60]!r}'
    reason = 'truncated file' if number == len(lines) - 1 else 'malformed file'
    return ReadError(path, f'expected {FRAME_NUMBERS} numbers a line, got {found}', reason, number + 1)


def _is_frame(line: bytes) -> bool:
    """Whether a line is 150 numbers."""
    try:
        return len(list(map(float, line.split()))) == FRAME_NUMBERS
    except ValueError:
        return False


def read_labels(path: Path) -> List[Span]:
    """Reads one file of ``label/``: lines of ``label,start,end,confidence``.

    Labels become counted from 0. A span is taken as Python's slices take it:
    from frame ``start``, counted from 0, up to and without frame ``end``.

    Raises:
        ReadError: If a line has another form or a label is out of range.
    """
    spans = []
    for number, line in enumerate(read_raw(path).splitlines(), 1):
        if not line.strip():
            continue
        try:
            label, start, end = (int(float(value)) for value in line.split(b',')[:3])
        except (ValueError, OverflowError):
            raise ReadError(
                path, f'expected label,start,end,confidence, got {line[:60]!r}', line=number
            ) from None
        if not 1 <= label <= NUM_CLASSES:
            raise ReadError(path, f'label {label} is not one of 1 to {NUM_CLASSES}', line=number)
        spans.append(Span(label - 1, start, end))
    return spans


def _part_of(part_of: Dict[str, str], name: str) -> str:
    """The part of the recording from which a sample ``FILE_INDEX`` was cut; '' where it has none."""
    return part_of.get(name.rpartition('_')[0], '')


@dataclass(frozen=True)
class PKU:
    """PKU-MMD I or II.

    Every span of a recording is a sample named ``FILE_INDEX``, the index
    counted from 0 over the lines of the label file. A recording that has a
    label or stands in a split but is not there is dropped by name.

    Args:
        skeletons: Folder of the recordings.
        labels: Folder of the label files, of the same names.
        split_files: File of each protocol, such as ``dict(xsub=Path(...))``.
    """

    skeletons: Path
    labels: Path
    split_files: Dict[str, Path]

    def files(self) -> Dict[str, Path]:
        """Recordings on disk, labelled, or named by a split, sorted."""
        recordings = find_files([self.skeletons], '*.txt')
        known = set(find_files([self.labels], '*.txt')).union(*map(read_pku_split, self.split_files.values()))
        named = {name: Path(self.skeletons) / f'{name}.txt' for name in known}
        return dict(sorted({**named, **recordings}.items()))

    def inputs(self, path: Path) -> Tuple[Path, Path]:
        """What :meth:`read` opens."""
        return path, Path(self.labels) / path.name

    def read(self, path: Path) -> Reading:
        """Makes one sample of every labelled span of a recording."""
        reading, (_, label_path) = Reading(), self.inputs(path)
        for needed in (path, label_path):
            if not needed.exists():
                return reading.drop(path.stem, f'no {needed.parent.name} file of the recording', str(needed))
        spans, bodies = read_labels(label_path), read_recording(path)
        num_frames = bodies.shape[1]
        for index, (label, start, end) in enumerate(spans):
            name = f'{path.stem}_{index}'
            if not 0 <= start < min(end, num_frames):
                detail = f'{label_path}: frames {start} to {end} of {num_frames}'
                reading.drop(name, 'span empty or outside the recording', detail)
                continue
            if end > num_frames:
                reading.notes.append('span ended at the last frame of the recording')
            reading.add(name, label, bodies[:, start:end])
        return reading

    def splits(self, names: Iterable[str]) -> Dict[str, List[str]]:
        """Names of each split: a sample goes where its recording goes."""
        protocols = {name: partial(_part_of, read_pku_split(path)) for name, path in self.split_files.items()}
        return split_names(names, protocols)


def _find_folder(root: Path, kind: str, option: str) -> Path:
    """The one folder below the root that has files and is called after a kind, in whatever case."""
    found = [path for path in (root, *sorted(root.rglob('*'))) if path.is_dir() and kind in path.name.lower()]
    found = [path for path in found if any(path.glob('*.[tT][xX][tT]'))]
    if len(found) != 1:
        raise FileNotFoundError(
            f'{root}: expected one folder of {kind} files, such as {_FOLDERS[kind]}, found '
            f'{list(map(str, found))}; name it with --{option}'
        )
    return found[0]


def pku(root: Path, skeletons: Optional[str] = None, labels: Optional[str] = None, **split_files: str) -> PKU:
    """PKU-MMD under one folder, each part by its path relative to it.

    Args:
        root: Folder of the dataset.
        skeletons: Folder of the recordings; the one whose name has 'skeleton'
            in it by default, such as ``PKU_Skeleton_Renew``.
        labels: Folder of the label files; the one with 'label' by default,
            such as ``Train_Label_PKU_final``.
        **split_files: Split file of ``xsub`` and ``xview``; searched for as
            ``cross*sub*.txt`` and ``cross*view*.txt`` where not given.

    Raises:
        FileNotFoundError: If not exactly one folder or split file is found.
    """
    root, found = Path(root), {}
    for protocol, pattern in (('xsub', 'cross*sub*.txt'), ('xview', 'cross*view*.txt')):
        given = split_files.get(protocol)
        paths = [root / given] if given else sorted(root.rglob(pattern))
        if len(paths) != 1 or not paths[0].is_file():
            raise FileNotFoundError(
                f'{root}: expected one split file {given or pattern} of {protocol}, '
                f'found {list(map(str, paths))}; name it with --{protocol}'
            )
        found[protocol] = paths[0]
    folders = [
        root / given if given else _find_folder(root, kind, option)
        for kind, option, given in (('skeleton', 'skeletons', skeletons), ('label', 'labels', labels))
    ]
    return PKU(*folders, found)
