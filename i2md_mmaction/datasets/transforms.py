"""CPU transforms of one sample; no random view and no modality."""

from typing import Dict, Optional, Sequence

import numpy as np
from mmaction.registry import TRANSFORMS
from mmcv.transforms import BaseTransform
from scipy.spatial.transform import Rotation

from ..skeletons import get_layout


def fill_null_frames(keypoint: np.ndarray) -> np.ndarray:
    """Closes the gaps before and after a person as the papers' preprocessing does.

    If a person's first frame is null (all zero), all null frames of that
    person are removed; null frames at the end are filled by replaying the
    person's frames from the start. Gaps in the middle stay otherwise.

    Args:
        keypoint: (M, T, V, C).

    Returns:
        A new array (M, T, V, C). A person absent throughout stays zero.
    """
    filled = np.array(keypoint)
    for person in filled:
        present = np.flatnonzero(person.any(axis=(1, 2)))
        if not len(present):
            continue
        if present[0] > 0:
            person[: len(present)] = person[present]
            last = len(present)
        else:
            last = present[-1] + 1
        person[last:] = person[np.arange(len(person) - last) % last]
    return filled


def rotation_between(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The smallest rotation (3, 3) that turns ``source`` (3,) towards ``target`` (3,).

    No rotation where the source has no direction.
    """
    if np.linalg.norm(source) < 1e-6:
        return np.eye(3)
    return Rotation.align_vectors(target, source)[0].as_matrix()


@TRANSFORMS.register_module()
class SkeletonPreNormalize(BaseTransform):
    """Brings a skeleton to the body's own origin and axes, for any layout.

    Null frames are filled (:func:`fill_null_frames`); the main person's origin
    (the spine joint of NTU) is subtracted from every person; then the main
    person's spine of the first frame is turned to z and the shoulders to x, as
    in the preprocessing that CMD and ISC inherit from 2s-AGCN. mmaction2's
    ``PreNormalize3D`` differs: it subtracts one fixed centre (here
    ``center='first'``), and outside NTU-25 that centre is the last joint.

    For joints in images, which have no such axes, switch the alignments off, and
    put :class:`PixelNormalize` before it.

    Required Keys:

        - keypoint, (M, T, V, C) in metres or another unit; absent joints are zero

    Modified Keys:

        - keypoint, float32

    Added Keys:

        - total_frames

    Args:
        layout: Name of the skeleton layout; within a :class:`SkeletonDataset`
            that of the data set.
        center: ``'frame'`` subtracts the main person's origin of each frame,
            ``'first'`` that of the first frame; ``'person'`` moves each person
            to that person's own centre joint in each frame (AimCLR's released
            data); None subtracts nothing. An origin that is never seen, such as
            hips outside the picture, is not subtracted.
        align_spine: Whether to turn the spine to the z axis.
        align_shoulders: Whether to turn the line left to right shoulder to the
            x axis.
        max_frames: Longer sequences are cut here; 300 in the papers' code.
        scale_body: Whether to divide by the size of the main person, so that the
            distance from the camera no longer shows: the root mean square
            distance of the joints from their mean, median over the frames
            (the centroid size of shape analysis).

    Raises:
        ValueError: If an option is unknown, or an alignment is asked of a
            layout or of data that has no such line, or a body without size is
            to be scaled.

    Example:
        >>> keypoint = np.ones((1, 1, 25, 3))  # y points up
        >>> shown = [0, 1, 4, 8]  # hips, spine, left shoulder, right shoulder
        >>> keypoint[0, 0, shown] = [[2, 1, 3], [2, 2, 3], [1, 2, 3], [3, 2, 3]]
        >>> normalized = SkeletonPreNormalize()(dict(keypoint=keypoint))['keypoint']
        >>> np.rint(normalized[0, 0, shown]).astype(int).tolist()  # z points up, the spine is the origin
        [[0, 0, -1], [0, 0, 0], [-1, 0, 0], [1, 0, 0]]
    """

    def __init__(
        self,
        layout: str = 'ntu25',
        center: Optional[str] = 'frame',
        align_spine: bool = True,
        align_shoulders: bool = True,
        max_frames: int = 300,
        scale_body: bool = False,
    ) -> None:
        if center not in ('frame', 'first', 'person', None):
            raise ValueError(f"center must be 'frame', 'first', 'person' or None, got {center!r}")
        self.layout = get_layout(layout)
        self.center = center
        #: What is done, in the words of a file that notes that it was done already.
        self.settings = dict(
            center=center,
            align_spine=align_spine,
            align_shoulders=align_shoulders,
            scale_body=scale_body,
        )
        self.max_frames = max_frames
        self.scale_body = scale_body
        self.alignments = []
        for wanted, line, axis in ((align_spine, 'spine', 2), (align_shoulders, 'shoulders', 0)):
            if wanted and getattr(self.layout, line) is None:
                raise ValueError(f'layout {layout!r} names no {line}; switch align_{line} off')
            if wanted:
                self.alignments.append((*getattr(self.layout, line), np.eye(3)[axis]))

    def transform(self, results: Dict) -> Dict:
        """Normalises one sample."""
        keypoint = np.asarray(results['keypoint'][:, : self.max_frames], dtype=np.float32)
        if self.alignments and keypoint.shape[-1] != 3:
            raise ValueError(
                f'sample {results.get("frame_dir", "?")!r} has {keypoint.shape[-1]} coordinates; axes can be '
                'aligned in three only: switch align_spine and align_shoulders off'
            )
        keypoint = fill_null_frames(keypoint)
        seen = keypoint.any(axis=-1, keepdims=True)  # (M, T, V, 1)
        if self.center:
            keypoint = (keypoint - self._center(keypoint)) * seen
        for start, end, axis in self.alignments:
            first = keypoint[0, 0]
            direction = self._mean(first, end) - self._mean(first, start)
            keypoint = keypoint @ rotation_between(direction, axis).T.astype(np.float32)
        if self.scale_body:
            size = body_size(keypoint[0])
            if not size:
                raise ValueError(
                    f'sample {results.get("frame_dir", "?")!r}: all joints of the main person are in one '
                    'place, so that it has no size; drop the sample, or switch scale_body off'
                )
            keypoint = keypoint / np.float32(size)
        results['keypoint'] = keypoint
        results['total_frames'] = keypoint.shape[1]
        return results

    def _center(self, keypoint: np.ndarray) -> np.ndarray:
        """What is subtracted, broadcasting against (M, T, V, C)."""
        if self.center == 'person':
            return keypoint[:, :, self.layout.center, None]
        seen = [joint for joint in self.layout.origin if keypoint[0, :, joint].any()]
        if not seen:
            return np.zeros_like(keypoint[0, :, :1])
        origin = self._mean(keypoint[0], seen)[:, None]  # (T, 1, C)
        return origin if self.center == 'frame' else origin[:1]

    @staticmethod
    def _mean(joints: np.ndarray, group: Sequence[int]) -> np.ndarray:
        """Mean of a joint group, (..., V, C) -> (..., C)."""
        return joints[..., list(group), :].mean(axis=-2)

    def __repr__(self) -> str:
        settings = ', '.join(f'{name}={value!r}' for name, value in self.settings.items())
        return f'{type(self).__name__}(layout={self.layout.name!r}, max_frames={self.max_frames}, {settings})'


def body_size(person: np.ndarray) -> float:
    """The centroid size of a person (T, V, C): median over the frames in which it is seen; 0 if it never is.

    Example:
        >>> square = np.array([[1.0, 1], [1, 3], [3, 1], [3, 3]])
        >>> round(body_size(np.stack([square, 2 * square, 2 * square, 0 * square])), 3)  # the last is nobody
        2.828
    """
    seen = person.any(axis=-1)  # (T, V)
    sizes = [np.sqrt(frame[here].var(axis=0).sum()) for frame, here in zip(person, seen) if here.any()]
    return float(np.median(sizes)) if sizes else 0.0
