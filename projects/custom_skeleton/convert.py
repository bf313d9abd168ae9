"""Converts a folder of CSV or NumPy files, one a sequence, into mmaction2's pickle.

PYTHONPATH=. python projects/custom_skeleton/convert.py data/custom/raw --val-subjects P03 P06 \
    --out data/custom/nite15.pkl

The files are CLASS/SUBJECT_ANYTHING.csv (or .npy); see the README for what is in them.
"""

import argparse
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, FrozenSet, Iterable, List, Tuple

import numpy as np
from rich.console import Console

from i2md_mmaction.datasets.readers import ReadError, Reading, convert_to_pickle
from i2md_mmaction.datasets.readers.console import print_summary, track_files
from i2md_mmaction.datasets.readers.samples import find_files
from i2md_mmaction.datasets.readers.splits import split_names, train_if
from i2md_mmaction.skeletons import SkeletonLayout
from projects.custom_skeleton.nite15 import NITE15


def column_names(layout: SkeletonLayout) -> List[str]:
    """The columns of a CSV file; their order in a file is free."""
    return ['frame', 'person', *(f'{joint}_{axis}' for joint in layout.joints for axis in 'xyz')]


def read_csv(path: Path, layout: SkeletonLayout, frames: str = 'number') -> np.ndarray:
    """Reads joints (M, T, V, 3) of a CSV file; what has no row is zero.

    Args:
        path: The file.
        layout: Layout of the joints.
        frames: What the column ``frame`` is: ``'number'``, where a missing one
            is a frame in which nobody was seen, or ``'order'``, such as a time
            stamp, where frames follow one another without gaps.

    Raises:
        ReadError: If a column is missing, a row is not of numbers, or most
            frame numbers have no row, as if they were time stamps.
    """
    with open(path, encoding='utf-8-sig') as file:
        header = [name.strip() for name in file.readline().split(',')]
        missing = [name for name in column_names(layout) if name not in header]
        if missing:
            raise ReadError(path, f'no column {missing[:5]}; layout {layout.name!r} needs it', line=1)
        rows = [row for row in file if row.strip()]
    if not rows:
        return np.zeros((1, 0, layout.num_joints, 3), np.float32)
    try:
        table = np.loadtxt(rows, delimiter=',', ndmin=2)  # (rows, columns)
    except ValueError as error:
        raise ReadError(path, f'expected numbers in every row, got: {error}') from None
    table = table[:, [header.index(name) for name in column_names(layout)]]
    times, order = np.unique(table[:, 0], return_inverse=True)
    persons, person = np.unique(table[:, 1], return_inverse=True)
    if len(np.unique(np.column_stack((order, person)), axis=0)) < len(table):
        raise ReadError(path, 'expected one row for each pair of frame and person')
    if frames == 'order':
        frame = order
    else:
        if (table[:, :2] % 1).any():
            problem = 'expected whole numbers as frame and person; for time stamps say --frames order'
            raise ReadError(path, problem)
        frame = (table[:, 0] - times[0]).astype(int)
        step = np.gcd.reduce(np.diff(times).astype(int)) if len(times) > 2 else 1
        if step > 1 or 2 * len(times) <= frame.max() + 1:
            problem = (
                f'only {len(times)} of {frame.max() + 1} frames have a row. If the column frame is a time '
            )
            raise ReadError(path, problem + 'stamp or counts every so many frames, say --frames order')
    keypoint = np.zeros((len(persons), frame.max() + 1, layout.num_joints, 3), np.float32)
    keypoint[person, frame] = table[:, 2:].reshape(-1, layout.num_joints, 3)
    return keypoint


def read_npy(path: Path, layout: SkeletonLayout) -> np.ndarray:
    """Reads joints (M, T, V, 3) of a NumPy file of that shape, or of (T, V, 3).

    Raises:
        ReadError: If the array has another shape.
    """
    try:
        keypoint = np.load(path, allow_pickle=False)
    except ValueError as error:
        raise ReadError(path, f'expected an array of numbers, got: {error}') from None
    if keypoint.ndim not in (3, 4) or keypoint.shape[-2:] != (layout.num_joints, 3):
        raise ReadError(
            path, f'expected (persons, frames, {layout.num_joints}, 3) or (frames, ...), got {keypoint.shape}'
        )
    return keypoint.reshape(-1, *keypoint.shape[-3:]).astype(np.float32)


@dataclass(frozen=True)
class CustomSkeletons:
    """A folder of files ``CLASS/SUBJECT_ANYTHING``, as a source of the package's conversion.

    Args:
        folder: Where the folders of the classes are.
        pattern: Names of the files, ``*.csv`` or ``*.npy``.
        classes: Names of the classes in the order of their labels.
        val_subjects: Subjects of the split ``val``; the others are ``train``.
        layout: Layout of the joints.
        frames: As for :func:`read_csv`.
    """

    folder: Path
    pattern: str
    classes: Tuple[str, ...]
    val_subjects: FrozenSet[str]
    layout: SkeletonLayout = NITE15
    frames: str = 'number'

    def files(self) -> Dict[str, Path]:
        """Every file by name, sorted."""
        return find_files([self.folder], self.pattern)

    def read(self, path: Path) -> Reading:
        """Makes the one sample of a file."""
        label = self.classes.index(path.parent.name)
        if path.suffix.lower() == '.npy':
            return Reading().add(path.stem, label, read_npy(path, self.layout))
        return Reading().add(path.stem, label, read_csv(path, self.layout, self.frames))

    def splits(self, names: Iterable[str]) -> Dict[str, List[str]]:
        """Names of each split, without the prefix of a protocol: there is one only."""
        parts = split_names(names, {'': lambda name: train_if(name.split('_')[0] not in self.val_subjects)})
        return {name.strip('_'): members for name, members in parts.items()}


def main(argv=None) -> int:
    """Converts a folder; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('folder', type=Path, help='folder of the folders of the classes')
    parser.add_argument('--out', type=Path, required=True, help='pickle to write')
    parser.add_argument('--val-subjects', nargs='+', required=True, help='subjects held out from training')
    parser.add_argument('--pattern', default='*.csv', help="'*.csv' (default) or '*.npy'")
    parser.add_argument(
        '--frames',
        choices=('number', 'order'),
        default='number',
        help='what the column `frame` of a CSV file is; order for time stamps (default: number)',
    )
    parser.add_argument('--workers', type=int, default=os.cpu_count(), help='processes (default: all cores)')
    args = parser.parse_args(argv)
    try:
        classes = sorted({path.parent.name for path in find_files([args.folder], args.pattern).values()})
        subjects = frozenset(args.val_subjects)
        source = CustomSkeletons(args.folder, args.pattern, tuple(classes), subjects, frames=args.frames)
        summary = convert_to_pickle(source, args.out, workers=args.workers, track=track_files)
    except (OSError, ValueError) as error:
        Console(stderr=True, markup=False).print(f'error: {error}', soft_wrap=True)
        return 1
    console = Console(highlight=False, markup=False)
    print_summary(summary, console)
    console.print(f'labels: {", ".join(f"{label} {name}" for label, name in enumerate(classes))}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
