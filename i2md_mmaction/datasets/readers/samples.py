"""What a reader makes of a file: samples, and what it had to leave out."""

from codecs import BOM_UTF8
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Iterable, List, NamedTuple, Optional

import numpy as np

from .bodies import choose_bodies

# Longest sequence, in frames, of the papers' data preparation (NTU and PKU-MMD).
MAX_FRAMES = 300
# The sensor tracks up to six bodies; the papers' data preparation reads four of them.
MAX_BODIES = 4


class ReadError(ValueError):
    """A file that is not what its format promises.

    Args:
        path: The file.
        problem: What came and what was expected.
        reason: A few words under which the summary counts it.
        line: Line of the file, counted from 1.
        frame: Frame of the sequence, counted from 1.
    """

    def __init__(
        self,
        path: Path,
        problem: str,
        reason: str = 'malformed file',
        line: Optional[int] = None,
        frame: Optional[int] = None,
    ) -> None:
        places = [f'{name} {at}' for name, at in (('line', line), ('frame', frame)) if at is not None]
        super().__init__(
            f'{", ".join([str(path), *places])}: {problem}. '
            'Extract or download this file again, or leave it out: it is dropped and counted'
        )
        self.reason = reason


class Sample(NamedTuple):
    """One labelled sequence: ``keypoint`` is (M, T, V, C), float32, metres."""

    name: str
    label: int
    keypoint: np.ndarray


class Dropped(NamedTuple):
    """One thing left out: ``reason`` is what the summary counts by."""

    name: str
    reason: str
    detail: str = ''


@dataclass
class Reading:
    """What came out of one file.

    Args:
        samples: The labelled sequences of the file.
        dropped: What of the file was left out, and why.
        notes: What was changed in a sample that was kept, a line a sample.
    """

    samples: List[Sample] = field(default_factory=list)
    dropped: List[Dropped] = field(default_factory=list)
    notes: List[str] = field(default_factory=list)

    def drop(self, name: str, reason: str, detail: str = '') -> 'Reading':
        """Notes that a sequence was left out."""
        self.dropped.append(Dropped(name, reason, detail))
        return self

    def add(self, name: str, label: int, bodies: np.ndarray) -> 'Reading':
        """Adds a sequence: cut to ``MAX_FRAMES``, with the two bodies of most motion.

        A sequence without any body, or with a coordinate that is not finite,
        is dropped instead.

        Args:
            name: Name of the sample.
            label: Class, counted from 0.
            bodies: Joints of all bodies, (M, T, V, C), zeros where absent.
        """
        if not np.isfinite(bodies).all():
            frame = int(np.flatnonzero(~np.isfinite(bodies).all(axis=(0, 2, 3)))[0]) + 1
            return self.drop(name, 'coordinate not finite', f'{name}, frame {frame}: NaN or infinity')
        if bodies.shape[1] > MAX_FRAMES:
            bodies = bodies[:, :MAX_FRAMES]
            self.notes.append(f'cut to {MAX_FRAMES} frames')
        keypoint = choose_bodies(bodies)
        if not keypoint.size:
            return self.drop(name, 'no body in any frame')
        if len(keypoint) < bodies.any(axis=(1, 2, 3)).sum():
            self.notes.append('bodies of least motion left out')
        self.samples.append(Sample(name, label, keypoint))
        return self


def read_raw(path: Path) -> bytes:
    """The bytes of a text file, without the byte-order mark that some editors put before them."""
    return Path(path).read_bytes().removeprefix(BOM_UTF8)


def find_files(folders: Iterable[Path], pattern: str) -> Dict[str, Path]:
    """Finds the files of a dataset, in folders and the folders below them, whatever the case of their suffix.

    Returns:
        Path of each file by its name without suffix, sorted by name.

    Raises:
        FileNotFoundError: If a folder has no such file.
        ValueError: If two files have the same name.
    """
    found: Dict[str, Path] = {}
    any_case = ''.join(f'[{sign.lower()}{sign.upper()}]' if sign.isalpha() else sign for sign in pattern)
    for folder in map(Path, folders):
        paths = sorted(folder.rglob(any_case))
        if not paths:
            raise FileNotFoundError(f'{folder}: no {pattern} file here or below; name the extracted folder')
        for path in paths:
            if found.setdefault(path.stem, path) != path:
                raise ValueError(
                    f'{path.stem} is there twice: {found[path.stem]} and {path}; '
                    'name one of the two folders, or remove one copy'
                )
    return dict(sorted(found.items()))
