"""From arrays that other preparations left (2s-AGCN's ``.npy``, CTR-GCN's ``.npz``) to mmaction2's pickle."""

import re
from pathlib import Path
from typing import Dict, List, Optional, Tuple

import numpy as np

from ...skeletons import DEFAULT_LAYOUT, get_layout
from ..transforms import SkeletonPreNormalize
from .array_files import Part, open_arrays
from .conversion import Summary, Track, collect, write_dataset
from .samples import Reading, Sample

#: What a preparation has done to the joints, in the arguments of :class:`SkeletonPreNormalize`.
PRENORMALIZED = {
    'agcn': dict(center='frame', align_spine=True, align_shoulders=True),
    'aimclr': dict(center='person', align_spine=False, align_shoulders=False),
    'ctr-gcn': dict(center='first', align_spine=False, align_shoulders=False),
}
_SPLIT = re.compile(r'(?<![a-z])(?:x|c|cross[-_ ]?)(subject|sub|s|view|v|setup|set)(?![a-z])')
_SPLIT_NAMES = dict(subject='xsub', sub='xsub', s='xsub', view='xview', v='xview', setup='xset', set='xset')


def convert_arrays(
    path: Path,
    out: Path,
    split: Optional[str] = None,
    layout: str = DEFAULT_LAYOUT,
    prenormalized: Optional[str] = None,
    track: Track = lambda items, total: items,
) -> Summary:
    """Converts arrays into mmaction2's pickle, with its summary beside it as ``NAME.summary.json``.

    A sample ends with its last frame that is not all zeros, or where
    ``num_frame.npy`` says. Persons who are never seen are dropped, and the
    others stay in their order.

    Args:
        path: A folder of ``train_``, ``val_`` and ``test_`` arrays, as 2s-AGCN,
            CMD, CrosSCLR and AimCLR have them: ``data_joint.npy``,
            ``position.npy`` or ``data.npy``, (N, C, T, V, M), with
            ``label.pkl`` (a pair of names and labels) or ``label.npy``, and
            ``num_frame.npy`` where there is one. Or an ``.npz`` file, as CTR-GCN
            has it: ``x_train``, (N, T, M * V * 3), one-hot ``y_train``, and the
            same of ``test``.
        out: The pickle to write.
        split: What the splits are called after, such as ``'xsub'``; by default
            :func:`split_of` the path.
        layout: Name of the layout of the joints.
        prenormalized: The preparation, out of ``PRENORMALIZED``, that has moved
            and turned the joints. The file notes it, so that
            :class:`SkeletonDataset` does not do it again. By default nothing is
            noted.
        track: Shows the progress over the samples.

    Returns:
        Its summary.

    Raises:
        FileNotFoundError: If an array or its labels are missing.
        ValueError: If one of them has another form, a coordinate is not finite,
            the split or the layout is unknown, or no sample is left. Nothing is
            written then.
        pickle.UnpicklingError: If a pickle holds more than plain values.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> with TemporaryDirectory() as folder:
        ...     joints = np.zeros((1, 3, 300, 25, 2), np.float32)
        ...     joints[0, :, :80, :, 0] = 1  # one person, 80 frames
        ...     np.save(Path(folder, 'train_data_joint.npy'), joints)
        ...     np.save(Path(folder, 'train_label.npy'), [4])
        ...     summary = convert_arrays(Path(folder), Path(folder, 'ntu60.pkl'), split='xsub')
        >>> summary.frames, summary.persons, summary.splits
        (80, {1: 1}, {'xsub_train': 1})
    """
    path = Path(path)
    split = split or split_of(path)
    done = prenormalized and SkeletonPreNormalize(layout, **PRENORMALIZED[prenormalized]).settings
    parts = open_arrays(path, get_layout(layout))
    samples = sum(len(part.names) for part in parts)

    def splits(names: List[str]) -> Dict[str, List[str]]:
        kept = set(names)
        return {f'{split}_{part.name}': [name for name in part.names if name in kept] for part in parts}

    def make() -> Tuple[dict, Summary]:
        readings = (read_sample(part, index) for part in parts for index in range(len(part.names)))
        dataset, summary = collect(track(readings, samples), splits, f'{samples} samples')
        if done:
            dataset['prenormalized'] = done
        return dataset, summary

    return write_dataset(out, make)


def split_of(path: Path) -> str:
    """The split that a folder or a file is called after.

    Raises:
        ValueError: If it is called after none, or after several.

    Example:
        >>> [split_of(Path(name)) for name in ('xsub', 'ntu120_xsetup', 'NTU60_CV.npz', 'NTU120_CSub.npz')]
        ['xsub', 'xset', 'xview', 'xsub']
    """
    name = path.resolve().name
    found = sorted({_SPLIT_NAMES[word] for word in _SPLIT.findall(name.lower())})
    if len(found) != 1:
        raise ValueError(
            f'{path}: the name {name!r} says {" and ".join(found) or "no split"}, expected one, such as xsub '
            'or CV, in it; name the split, as in --split xsub'
        )
    return found[0]


def read_sample(part: Part, index: int) -> Reading:
    """Reads one sample: the frames up to its end, and the persons who are seen in them.

    Raises:
        ValueError: If a coordinate is not finite.
    """
    reading, name = Reading(), part.names[index]
    keypoint = part.joints[index].transpose(3, 1, 2, 0)  # (M, T, V, C)
    finite = np.isfinite(keypoint).all(axis=(0, 2, 3))
    if not finite.all():
        raise ValueError(
            f'{part.file}: sample {index} ({name}) holds NaN or infinity in frame {finite.argmin()}; repair '
            'it, or set the whole sample to zeros to leave it out'
        )
    seen = keypoint.any(axis=(2, 3))  # (M, T)
    frames = np.flatnonzero(seen.any(axis=0)).max(initial=-1) + 1
    if part.num_frames:
        frames = part.num_frames[index]
    elif frames == seen.shape[1]:
        reading.notes.append('no zeros at the end, so that the true length is unknown')
    present = seen[:, :frames].any(axis=1)
    if not present.any():
        return Reading().drop(name, 'no body in any frame')
    reading.samples.append(Sample(name, part.labels[index], keypoint[present, :frames]))
    return reading
