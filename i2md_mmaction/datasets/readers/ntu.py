"""NTU RGB+D 60 and 120: the ``.skeleton`` text files."""

from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Collection, Dict, FrozenSet, Iterable, List, NamedTuple, Optional, Tuple

import numpy as np

from .bodies import assign_slots
from .denoising import find_noise
from .samples import MAX_BODIES, ReadError, Reading, find_files, read_raw
from .splits import NTU60_PROTOCOLS, NTU120_PROTOCOLS, NTUName, read_missing_list, split_names

NUM_JOINTS = 25
# x y z, depth x y, colour x y, orientation w x y z, tracking state
JOINT_FIELDS = 12
# body number, clipped edges, four hand values, restricted, lean x y, tracking state
BODY_FIELDS = 10


class _Observations(NamedTuple):
    """One observation for each body in each frame, in the order of the file."""

    frames: List[int]
    bodies: List[bytes]
    first_lines: List[int]


class _Tracks(NamedTuple):
    """What the sensor tracked in one file; ``joints`` is (observations, 25, 3), float32, metres."""

    num_frames: int
    frames: List[int]
    bodies: List[bytes]
    joints: np.ndarray

    def keypoint(self, left_out: Collection[bytes] = ()) -> np.ndarray:
        """The bodies in their slots, without those that are left out: see :func:`read_skeleton`."""
        rows = [row for row, body in enumerate(self.bodies) if body not in left_out]
        frames = [self.frames[row] for row in rows]
        slots = np.array(assign_slots(frames, [self.bodies[row] for row in rows]), dtype=int)
        persons = min(slots.max(initial=-1) + 1, MAX_BODIES)
        keypoint = np.zeros((persons, self.num_frames, NUM_JOINTS, 3), np.float32)
        read = slots < MAX_BODIES
        keypoint[slots[read], np.array(frames, dtype=int)[read]] = self.joints[rows][read]
        return keypoint


def read_skeleton(path: Path) -> np.ndarray:
    """Reads one ``.skeleton`` file.

    Args:
        path: Text file: the number of frames; for each frame the number of
            bodies; for each body a line of 10 tracking fields, the number of
            joints (25) and 25 lines of 12 numbers, of which x, y, z lead.

    Returns:
        Joints of shape (M, T, 25, 3), 0 <= M <= 4, float32, metres in the
        space of the camera; zeros where a body is absent. Slots as
        :func:`assign_slots` gives them.

    Raises:
        ReadError: If the file ends early, goes on after its last frame, or
            has a line of another form.
    """
    return _read_tracks(path).keypoint()


def _read_tracks(path: Path) -> _Tracks:
    """Every body in every frame, as the file lists them."""
    lines = read_raw(path).rstrip().splitlines()
    num_frames, seen = _walk(path, lines)
    return _Tracks(num_frames, seen.frames, seen.bodies, _joints(path, lines, seen))


def _walk(path: Path, lines: List[bytes]) -> Tuple[int, _Observations]:
    """Follows the counts through the file; only they and the body lines are looked at."""
    seen = _Observations([], [], [])
    at, frame = 0, -1
    try:
        num_frames = int(lines[0])
        at = 1
        for frame in range(num_frames):
            bodies, at = int(lines[at]), at + 1
            here = set()
            for _ in range(bodies):
                tracking = lines[at].split()
                if len(tracking) != BODY_FIELDS or int(lines[at + 1]) != NUM_JOINTS:
                    raise ValueError
                # A number used twice in a frame is two bodies. Kept as text: a float would round it.
                body = tracking[0]
                while body in here:
                    body += b"'"
                here.add(body)
                for column, value in zip(seen, (frame, body, at + 2)):
                    column.append(value)
                at += 2 + NUM_JOINTS
            if at > len(lines):
                raise IndexError
    except IndexError:
        raise ReadError(
            path,
            'the file ends in the middle of a frame',
            'truncated file',
            len(lines) or None,
            frame + 1 or None,
        ) from None
    except ValueError:
        raise _unexpected(path, lines, at, frame) from None
    if at < len(lines):
        raise ReadError(path, f'text after the last of {num_frames} frames', line=at + 1)
    return num_frames, seen


def _unexpected(path: Path, lines: List[bytes], at: int, frame: int) -> ReadError:
    """Says which line of a frame's or a body's head has another form."""
    is_body = len(lines[at].split()) == BODY_FIELDS
    at += is_body
    expected = (
        f'the joint count {NUM_JOINTS}' if is_body else f'a count, or {BODY_FIELDS} tracking fields of a body'
    )
    if at == len(lines) - 1:
        return ReadError(
            path, f'the file ends where {expected} was expected', 'truncated file', at + 1, frame + 1 or None
        )
    return ReadError(
        path, f'expected {expected}, got {lines[at][:60]!r}', line=at + 1, frame=frame + 1 or None
    )


def _joints(path: Path, lines: List[bytes], seen: _Observations) -> np.ndarray:
    """Parses x, y, z of all joint lines at once: (observations, V, 3), float32."""
    blocks = [lines[first : first + NUM_JOINTS] for first in seen.first_lines]
    rows = list(chain.from_iterable(blocks))
    try:
        # Splitting off three of twelve fields takes half the time of reading all.
        if b' '.join(rows).count(b' ') != JOINT_FIELDS * len(rows) - 1 and rows:
            raise ValueError
        fields = [value for row in rows for value in row.split(None, 3)[:3]]
        return np.fromiter(map(float, fields), np.float32, 3 * len(rows)).reshape(-1, NUM_JOINTS, 3)
    except ValueError:
        return _joints_line_by_line(path, lines, seen)


def _joints_line_by_line(path: Path, lines: List[bytes], seen: _Observations) -> np.ndarray:
    """The slow way of ``_joints``, for unusual white space and for naming the bad line."""
    joints = np.zeros((len(seen.frames), NUM_JOINTS, 3), np.float32)
    for block, (first, frame) in enumerate(zip(seen.first_lines, seen.frames)):
        for joint in range(NUM_JOINTS):
            row = lines[first + joint]
            try:
                values = row.split()
                if len(values) != JOINT_FIELDS:
                    raise ValueError
                joints[block, joint] = [float(value) for value in values[:3]]
            except ValueError:
                reason = 'truncated file' if first + joint == len(lines) - 1 else 'malformed file'
                raise ReadError(
                    path,
                    f'expected {JOINT_FIELDS} numbers of joint {joint}, got {row[:60]!r}',
                    reason,
                    first + joint + 1,
                    frame + 1,
                ) from None
    return joints


@dataclass(frozen=True)
class NTU:
    """A folder, or several, of extracted ``.skeleton`` files.

    Args:
        folders: Where the files are, at any depth.
        num_classes: 60 or 120, which also says the splits; files of later
            actions are dropped.
        missing: Names of samples to leave out, from :func:`read_missing_list`.
        denoise: Drops the bodies that :func:`.denoising.find_noise` finds,
            before two of those that are left are chosen by their motion.

    Raises:
        FileNotFoundError: From ``files()``, if a folder has no such file.
    """

    folders: Tuple[Path, ...]
    num_classes: int
    missing: FrozenSet[str] = frozenset()
    denoise: bool = field(default=False, kw_only=True)

    def files(self) -> Dict[str, Path]:
        """Every file by name, sorted."""
        return find_files(self.folders, '*.skeleton')

    def read(self, path: Path) -> Reading:
        """Makes the one sample of a file."""
        reading, parts = Reading(), NTUName.parse(path.stem)
        if parts is None:
            return reading.drop(path.stem, 'not a name such as S001C002P003R002A013', str(path))
        if not 1 <= parts.action <= self.num_classes:
            return reading.drop(path.stem, f'action not among the {self.num_classes} of this dataset')
        if path.stem in self.missing:
            return reading.drop(path.stem, 'on the list of missing skeletons')
        tracks = _read_tracks(path)
        # What is not finite drops the sequence; no rule may hide it by dropping the body that has it.
        denoise = self.denoise and np.isfinite(tracks.joints).all()
        noise = find_noise(tracks.bodies, tracks.joints) if denoise else {}
        reading.add(path.stem, parts.action - 1, tracks.keypoint(left_out=noise))
        if reading.samples:
            reading.notes += [
                f'bodies dropped by --denoise ({rule})' for rule in dict.fromkeys(noise.values())
            ]
        return reading

    def splits(self, names: Iterable[str]) -> Dict[str, List[str]]:
        """Names of each split."""
        return split_names(names, {60: NTU60_PROTOCOLS, 120: NTU120_PROTOCOLS}[self.num_classes])


def ntu60(folders: Iterable[Path], missing: Optional[FrozenSet[str]] = None, denoise: bool = False) -> NTU:
    """NTU RGB+D 60: splits x-sub and x-view; without the published missing samples by default."""
    return NTU(tuple(folders), 60, read_missing_list() if missing is None else missing, denoise=denoise)


def ntu120(folders: Iterable[Path], missing: Optional[FrozenSet[str]] = None, denoise: bool = False) -> NTU:
    """NTU RGB+D 120: splits x-sub and x-set; without the published missing samples by default."""
    return NTU(tuple(folders), 120, read_missing_list() if missing is None else missing, denoise=denoise)
